/** What can be wrong with a file of orders. A file error ends the run; a line error sets one line aside. */
export type FileErrorCode =
  | 'FEED_FILE_MISSING'
  | 'FEED_FILE_UNREADABLE'
  | 'FEED_NOT_GZIP'
  | 'FEED_TRUNCATED'
  | 'FEED_CORRUPT'
  | 'FEED_WRONG_COLUMNS';

export type LineErrorCode =
  | 'FEED_BAD_INVOICE'
  | 'FEED_BAD_CODE'
  | 'FEED_BAD_QUANTITY'
  | 'FEED_QUANTITY_TOO_LARGE'
  | 'FEED_BAD_DATE'
  | 'FEED_BAD_PRICE'
  | 'FEED_PRICE_TOO_LARGE'
  | 'FEED_NEGATIVE_PRICE'
  | 'FEED_BAD_ACCOUNT'
  | 'FEED_NO_KIND'
  | 'FEED_INVALID_UTF8'
  | 'FEED_RECORD_TOO_LONG'
  | 'FEED_BAD_QUOTES'
  | 'FEED_COLUMN_COUNT'
  | 'FEED_TRUNCATED';

export class FileError extends Error {
  readonly code: FileErrorCode;
  readonly line: number | null;
  readonly value: string;
  constructor(code: FileErrorCode, message: string, line: number | null, value: string) {
    super(message);
    this.name = 'FileError';
    this.code = code;
    this.line = line;
    this.value = value;
  }
}

/** One line that was set aside: `line` as an editor counts them (the header is 1), `column` null when it is the whole line. */
export interface Reject {
  line: number;
  column: string | null;
  code: LineErrorCode;
  value: string;
}

const VALUE_CHARACTERS_MAX = 200;

export function shown(value: string): string {
  return value.length <= VALUE_CHARACTERS_MAX ? value : `${value.slice(0, VALUE_CHARACTERS_MAX)}…`;
}
