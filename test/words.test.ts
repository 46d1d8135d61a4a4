/** One set of words: synonyms that would split a term in two are refused in names, messages, tables and pages. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

/** Wrong words, and the right one. Parts of words count where the pattern says so. */
const refused: readonly (readonly [RegExp, string])[] = [
  [/fulfillment/gi, 'fulfilment, one l'],
  [/\bqty\d*\b|\bqty[A-Z_]/g, 'quantity'],
  [/\b(stock|order|item)(Data|Info)\b/g, 'a noun that says what it is'],
  [/\b(processItem|handleStuff|doStuff|processData)\b/g, 'a verb and a term'],
  [/\bback[- ]order(s|ed)?\b|\bbackOrder/g, 'backorder'],
  [/\bon[-_]?hand[-_]?(stock|qty|level)\b/gi, 'on hand'],
  [/\bdead[- ]?letter(s|ed)?\b/gi, 'parked'],
  [/\boutbox\b/gi, 'publication or delivery'],
  [/\bcustomer(s|_id|Id|'s)?\b/gi, 'account or partner'],
  [/\bwarehouses?\b/gi, 'location (or WMS, for the system)'],
  [/\bauthorized?\b|\bauthorization\b(?!:)/g, 'authorised'],
];

/** Places where such a word is someone else's, each with the reason. */
const granted: readonly (readonly [file: RegExp, word: RegExp, why: string])[] = [
  [/^test\/words\.test\.ts$/, /./, 'this list'],
  [/^sim\//, /customer|warehouse/i, "the systems' and the file's own words"],
  [/^src\/connectors\/(?!kit\/)[^/]+\//, /./, "a connector's folder speaks its system's language, too"],
  [/^test\/peers\//, /./, "the systems' own words"],
  [/^examples\/(?!wholesaler\/)/, /./, "the systems' own words"],
  [/^docs\/reference\/connectors/, /./, 'what connectors say of their systems'],
  [
    /^src\/connectors\/kit\/conformance\/(scrub|record.test)\.ts$/,
    /customer/i,
    "the systems' own fields, which are taken out",
  ],
  [/^src\/reconcile\//, /warehouse/i, 'the comparison with the WMS'],
  [/^test\/observer\//, /customer|warehouse/i, "the file's CustomerID; the WMS's shelves"],
  [/^test\/peers\//, /customer|warehouse|fulfillment|authorization|qty/i, "the real systems' own words"],
  [/^examples\/wholesaler\/README\.md$/, /warehouse/i, 'describes real buildings'],
  [/^README\.md$/, /customer/i, "the file's column CustomerID"],
  [/./, /^authorization$/i, 'the HTTP header'],
];

function texts(): string[] {
  const files: string[] = [];
  for (const folder of ['src', 'sim', 'sql', 'test', 'bench', 'examples', 'docs', 'scripts', 'bin'])
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
      if (entry.isFile() && /\.(ts|mjs|sql|md|html)$/.test(entry.name))
        files.push(relative(root, join(entry.parentPath, entry.name)));
  return [...files, 'README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'];
}

describe('words', () => {
  it('are the same everywhere', () => {
    const found: string[] = [];
    for (const file of texts()) {
      const lines = readFileSync(join(root, file), 'utf8').split('\n');
      for (const [pattern, right] of refused)
        lines.forEach((line, n) => {
          for (const [word] of line.matchAll(pattern))
            if (!granted.some(([where, what]) => where.test(file) && what.test(word)))
              found.push(`${file}:${n + 1} ${word}: ${right}`);
        });
    }
    expect(found).toEqual([]);
  });

  it('name files in kebab-case', () => {
    const wrong = texts()
      .filter((file) => /^(src|sim|test|bench|scripts|bin)\//.test(file) && !file.endsWith('.md'))
      .filter((file) => !/^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(file.split('/').at(-1)!));
    expect(wrong).toEqual([]);
  });

  it('name no workplace', () => {
    const found: string[] = [];
    for (const file of texts()) {
      const text = readFileSync(join(root, file), 'utf8');
      for (const [word] of text.matchAll(/\/work\/|\/home\/[a-z]+\/|\/Users\/|registry\.npmjs|npmmirror/g))
        if (!/^test\/words\.test\.ts$/.test(file)) found.push(`${file}: ${word}`);
    }
    expect(found).toEqual([]);
  });
});
