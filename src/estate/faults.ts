import { nearest } from './nearest.ts';

/** One thing wrong with an estate: where, what, and the right word that was probably meant. */
export interface EstateFault {
  path: string;
  message: string;
  nearest?: string;
}

export type Path = readonly (string | number)[];

/** Beyond so many right words, a list of them is noise. */
const KNOWN_SHOWN_MAX = 12;

/** `channels.shop.locations[1]`, as one would write it. */
export function pathText(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[\w-]+$/.test(part)) text += text === '' ? part : `.${part}`;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text === '' ? 'estate' : text;
}

export class Faults {
  readonly all: EstateFault[] = [];

  add(path: Path, message: string): void {
    this.all.push({ path: pathText(path), message });
  }

  /** Something that none of the right words is. */
  addUnknown(path: Path, message: string, wrong: string, right: Iterable<string>): void {
    const words = [...right];
    const near = nearest(wrong, words);
    const more = words.length > KNOWN_SHOWN_MAX ? ', …' : '';
    const known = words.length === 0 ? 'there is none' : `known: ${words.slice(0, KNOWN_SHOWN_MAX).join(', ')}${more}`;
    this.all.push({
      path: pathText(path),
      message: `${message}; ${near === undefined ? known : `did you mean ${near}?`}`,
      ...(near !== undefined && { nearest: near }),
    });
  }
}
