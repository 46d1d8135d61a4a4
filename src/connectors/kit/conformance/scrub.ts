/**
 * Takes secrets and personal data out of traffic. What stands for a value is always the same for it (under one key), so that an account's
 * e-mail address in its order is still that account's; and it is left as it is when it is met again, so that a recording can be
 * asked with what stands in it.
 */
import { createHmac, randomBytes } from 'node:crypto';

export interface ScrubOptions {
  /** Values that must never be kept: tokens, passwords, secrets of webhooks. */
  secrets?: readonly string[];
  /** More names of fields that hold personal data. */
  personal?: readonly string[];
  /** Names of fields that hold none, whatever they look like. */
  keep?: readonly string[];
  /** The same key gives the same pseudonyms in another recording; default: one that nobody knows. */
  key?: Buffer;
}

const SECRET_MARK = 'scrubbed-secret';
const SECRET_NAME =
  /(^|_)(token|secret|password|passwd|pwd|authorization|api_?key|apikey|session|session_?id|cookie|signature|assertion|jwt|otp|pin|credential|private_?key|access_?key|code_verifier|bearer)s?($|_)/;
type Kind = 'name' | 'email' | 'phone' | 'street' | 'city' | 'postcode' | 'text';
const NAMES: [RegExp, Kind][] = [
  [/(^|_)e_?mail(_?address)?$|^login$|^user_?name$/, 'email'],
  [/(^|_)(phone|mobile|fax|tel|telephone|cell)(_?(number|no))?$/, 'phone'],
  [
    /^(first|last|full|given|family|middle|sur|customer|contact|recipient|company|display)_?name$|^surname$|^contact$/,
    'name',
  ],
  [/(^|_)(street|street_?line_?\d?|address_?(line)?_?\d?|line_?[12]|house_?number)$/, 'street'],
  [/^(city|town|suburb)$/, 'city'],
  [/^(zip|zip_?code|postcode|postal_?code)$/, 'postcode'],
  [
    /^(birth_?date|date_?of_?birth|dob|vat_?(id|number|no)?|tax_?(id|number)|iban|ip|ip_?address|user_?agent|ssn|passport)$/,
    'text',
  ],
];
/** A bare `name` is a person's below one of these, and a product's elsewhere. */
const PERSONS =
  /^(customer|contact|party|person|address|recipient|buyer|user|employee|owner|account|bill(ing)?(_to|_address)?|ship(ping)?(_to|_address)?|invoice_address|shipment_address)s?$/;

const EMAIL = /[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu;
const JWT = /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g;
const AUTH = /\b(Bearer|Basic|Digest|Session|Token)\s+[\w.~+/=:-]{6,}/g;
const PHONE = /(?<![\w.-])\+\d[\d ()./-]{6,18}\d(?!\w)/g;
const KEYS = /\b(?:sk|pk|rk|ghp|gho|xox[bp]|AKIA|whsec)[_-]?[A-Za-z0-9_-]{12,}\b/g;
const IBAN = /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b/g;
const CARD = /(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)/g;
const PSEUDONYM =
  /^(?:person|street|town|code|text)-[0-9a-f]{10}$|^person-[0-9a-f]{10}@example\.invalid$|^\+00 \d{10}$/;
/** Shorter ones stand in too many texts to be taken out of all of them. */
const KNOWN_CHARS_MIN = 4;

export class Scrubber {
  readonly #secrets: string[];
  readonly #personal: ReadonlySet<string>;
  readonly #keep: ReadonlySet<string>;
  readonly #key: Buffer;
  /** Personal values that were met, with what stands for them: they are taken out of free text, too. */
  readonly #met = new Map<string, string>();

  constructor(options: ScrubOptions = {}) {
    this.#secrets = [...new Set((options.secrets ?? []).filter((one) => one.length > 0).flatMap(spellings))].sort(
      (a, b) => b.length - a.length,
    );
    this.#personal = new Set((options.personal ?? []).map(snake));
    this.#keep = new Set((options.keep ?? []).map(snake));
    this.#key = options.key ?? randomBytes(32);
  }

  /** A JSON value, by the names of its fields and by what its texts look like. */
  value(value: unknown, name = '', above: readonly string[] = []): unknown {
    if (Array.isArray(value)) return value.map((inner) => this.value(inner, name, above));
    if (typeof value === 'object' && value !== null) {
      const inside = name === '' ? above : [...above, name];
      return Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [this.text(key), this.value(inner, snake(key), inside)]),
      );
    }
    if (this.#keep.has(name)) return typeof value === 'string' ? this.#withoutSecrets(value) : value;
    const isText = typeof value === 'string';
    if (!isText && typeof value !== 'number') return value;
    if (SECRET_NAME.test(name) && String(value) !== '') return SECRET_MARK;
    const kind = this.#kindOf(name, above);
    if (kind !== undefined && String(value).trim() !== '') return this.#pseudonym(String(value), kind);
    if (!isText) return this.#met.get(String(value)) ?? value;
    return this.text(value);
  }

  /** A text of no known form: what looks like a secret or like a person is taken out. */
  text(text: string): string {
    let clean = this.#withoutSecrets(text)
      .replaceAll(JWT, SECRET_MARK)
      .replaceAll(AUTH, `$1 ${SECRET_MARK}`)
      .replaceAll(KEYS, SECRET_MARK)
      .replaceAll(EMAIL, (found) => this.#pseudonym(found, 'email'))
      .replaceAll(PHONE, (found) => this.#pseudonym(found, 'phone'))
      .replaceAll(IBAN, (found) => this.#pseudonym(found, 'text'))
      .replaceAll(CARD, (found) => (isCard(found) ? this.#pseudonym(found, 'text') : found));
    for (const [value, instead] of this.#met)
      if (value.length >= KNOWN_CHARS_MIN) clean = clean.replaceAll(value, instead);
    return clean;
  }

  /** The body of a request or an answer. */
  body(body: string, contentType: string): string {
    if (body === '') return body;
    try {
      return JSON.stringify(this.value(JSON.parse(body)));
    } catch {
      // Not JSON: told by its type, or by its look.
    }
    if (/x-www-form-urlencoded/.test(contentType)) {
      const form = [...new URLSearchParams(body)].map(([key, value]) => [key, String(this.value(value, snake(key)))]);
      return new URLSearchParams(form as [string, string][]).toString();
    }
    // Tags and attributes have names, too.
    const named = body
      .replaceAll(/<([\w:.-]+)([^<>]*)>([^<>]+)<\/\1>/g, (_, tag: string, attributes: string, inner: string) => {
        return `<${tag}${attributes}>${String(this.value(inner, snake(tag.replace(/^.*:/, ''))))}</${tag}>`;
      })
      .replaceAll(/\b([\w:.-]+)="([^"]*)"/g, (_, name: string, inner: string) => {
        return `${name}="${String(this.value(inner, snake(name.replace(/^.*:/, ''))))}"`;
      });
    return this.text(named);
  }

  /** Path and query, in the order of the names. */
  address(address: string): string {
    const url = new URL(address, 'http://system');
    const query = [...url.searchParams]
      .map(([key, value]): [string, string] => [key, String(this.value(value, snake(key)))])
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    const path = url.pathname
      .split('/')
      .map((part) => encodeURIComponent(this.text(safeDecoded(part))))
      .join('/');
    return query.length === 0 ? path : `${path}?${new URLSearchParams(query)}`;
  }

  /** What of the secrets and persons that are known stands in a text; empty when it is clean. */
  found(text: string): string[] {
    const secrets = this.#secrets.filter((one) => text.includes(one)).map(() => 'a secret');
    const met = [...this.#met.keys()].filter((one) => one.length >= KNOWN_CHARS_MIN && standsIn(text, one));
    return [...secrets, ...met.map(() => 'personal data'), ...(text.match(JWT) ?? []).map(() => 'a signed token')];
  }

  #withoutSecrets(text: string): string {
    let clean = text;
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, SECRET_MARK);
    return clean;
  }

  #kindOf(name: string, above: readonly string[]): Kind | undefined {
    if (this.#personal.has(name)) return 'text';
    if (name === 'name') return above.some((one) => PERSONS.test(one)) ? 'name' : undefined;
    return NAMES.find(([pattern]) => pattern.test(name))?.[1];
  }

  #pseudonym(value: string, kind: Kind): string {
    if (PSEUDONYM.test(value) || value === SECRET_MARK) return value;
    // One spelling of one person: joins are made by e-mail in any case.
    const hash = createHmac('sha256', this.#key).update(`${kind} ${value.trim().toLowerCase()}`).digest('hex');
    const short = hash.slice(0, 10);
    const digits = String(BigInt(`0x${hash.slice(0, 12)}`))
      .padStart(10, '0')
      .slice(-10);
    const instead = {
      name: `person-${short}`,
      email: `person-${short}@example.invalid`,
      phone: `+00 ${digits}`,
      street: `street-${short}`,
      city: `town-${short}`,
      postcode: `code-${short}`,
      text: `text-${short}`,
    }[kind];
    this.#met.set(value, instead);
    return instead;
  }
}

/** camelCase and dashes as one. */
function snake(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/[\s-]+/g, '_')
    .toLowerCase();
}

/** A secret as it may be written on its way. */
function spellings(secret: string): string[] {
  const base64 = Buffer.from(secret).toString('base64');
  const forms = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), base64];
  forms.push(base64.replace(/=+$/, ''), Buffer.from(secret).toString('base64url'), Buffer.from(secret).toString('hex'));
  return forms.filter((form) => form.length > 0);
}

function isCard(text: string): boolean {
  const digits = [...text.replaceAll(/\D/g, '')].map(Number).reverse();
  const sum = digits.reduce(
    (total, digit, i) => total + (i % 2 === 0 ? digit : digit < 5 ? digit * 2 : digit * 2 - 9),
    0,
  );
  return digits.length >= 13 && sum % 10 === 0;
}

function safeDecoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** As a word of its own: the digits of a telephone number may stand in a longer number by chance. */
function standsIn(text: string, value: string): boolean {
  for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + 1)) {
    const around = `${text[at - 1] ?? ' '}${text[at + value.length] ?? ' '}`;
    if (!/[\p{L}\p{N}]/u.test(around)) return true;
  }
  return false;
}
