/** Global trade item numbers (GTIN-8, -12, -13, -14): one number per trade item, with a check digit. */

const LENGTHS = new Set([8, 12, 13, 14]);

/** With 14 digits, as the same number is written by everybody; undefined: it is none. */
export function gtin14Of(text: string): string | undefined {
  if (!LENGTHS.has(text.length) || !/^\d+$/.test(text)) return undefined;
  const digits = text.padStart(14, '0');
  // GS1 General Specifications, 7.9: from the left, of 14 digits, every other one counts three times.
  const sum = [...digits].reduce((all, digit, index) => all + Number(digit) * (index % 2 === 0 ? 3 : 1), 0);
  return sum % 10 === 0 ? digits : undefined;
}
