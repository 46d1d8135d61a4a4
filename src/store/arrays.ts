/** The parameters of set statements. */

/** Array parameter of numbers (or nulls): `{1,2,NULL}`. */
export function numbers(values: readonly (number | null)[]): string {
  let text = '{';
  for (let i = 0; i < values.length; i++) {
    if (i > 0) text += ',';
    const value = values[i];
    text += value === null || value === undefined ? 'NULL' : value;
  }
  return `${text}}`;
}

const NEEDS_ESCAPE = /["\\]/;
const ESCAPES = /["\\]/g;

/** Array parameter of texts (or nulls), each quoted. */
export function texts(values: readonly (string | null)[]): string {
  let text = '{';
  for (let i = 0; i < values.length; i++) {
    if (i > 0) text += ',';
    const value = values[i];
    if (value === null || value === undefined) text += 'NULL';
    else text += `"${NEEDS_ESCAPE.test(value) ? value.replace(ESCAPES, '\\$&') : value}"`;
  }
  return `${text}}`;
}

const TEXT_OID = 25;

/** Array parameter of long texts (or nulls), as the server keeps them: nobody quotes, and nobody reads the quotes. Its type is `text[]`. */
export function documents(values: readonly (string | null)[]): Buffer {
  const lengths = values.map((value) => (value === null ? -1 : Buffer.byteLength(value)));
  const array = Buffer.allocUnsafe(20 + lengths.reduce((sum, length) => sum + 4 + Math.max(0, length), 0));
  array.writeInt32BE(1, 0);
  array.writeInt32BE(values.includes(null) ? 1 : 0, 4);
  array.writeInt32BE(TEXT_OID, 8);
  array.writeInt32BE(values.length, 12);
  array.writeInt32BE(1, 16);
  let at = 20;
  values.forEach((value, i) => {
    at = array.writeInt32BE(lengths[i]!, at);
    if (value !== null) at += array.write(value, at);
  });
  return array;
}
