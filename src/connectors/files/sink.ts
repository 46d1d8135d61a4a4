/**
 * Facts as files. A file is written under a name that nobody picks up, marked in a folder of ours, and then renamed: the partner sees all
 * of it or nothing. The partner takes files away, so what lies there says nothing about what was sent; the marks do:
 *
 *     no mark                       not sent
 *     a mark, and the file unfinished   the rename never happened: not sent
 *     a mark, and no unfinished file    sent, since only the rename ends an unfinished file
 */
import { createHash } from 'node:crypto';
import { CrossdockError } from '../../canonical/index.ts';
import {
  batchMaxOf,
  type ConnectorContext,
  type DeliveryItem,
  type DeliveryKind,
  mayStart,
  type Outcome,
} from '../kit/index.ts';
import { contentOf, extensionOf, fileNameOf } from './out-map.ts';
import type { Outbound } from './settings.ts';
import type { FileStore } from './store.ts';

const BATCH_MAX = 200;

interface Mark {
  reference: string;
  file: string;
}

export function fileDeliveries(
  store: FileStore,
  kind: string,
  outbound: Outbound,
  limits: ConnectorContext['limits'],
): DeliveryKind {
  const { folder, sent = `${folder}/.sent`, files = 'each', prefix = `${kind}-` } = outbound;
  const unfinished = (file: string) => `${folder}/.${file}.tmp`;
  const markOf = (reference: string) => `${sent}/${prefix}${fileNameOf(reference)}.json`;

  async function held(reference: string, signal: AbortSignal): Promise<Mark | undefined> {
    const path = markOf(reference);
    if ((await store.find(path, signal)) === null) return undefined;
    const chunks: Buffer[] = [];
    for await (const chunk of store.read(path, signal)) chunks.push(chunk);
    const mark = markIn(Buffer.concat(chunks));
    // Half a mark was written before the file it is about could be renamed.
    if (mark === undefined || mark.reference !== reference) return undefined;
    return (await store.find(unfinished(mark.file), signal)) === null ? mark : undefined;
  }

  /** All of them in one file, or none. */
  async function writeOne(items: readonly DeliveryItem[], signal: AbortSignal): Promise<Outcome> {
    const names = items.map(({ reference }) => reference);
    const digest = createHash('sha256').update(JSON.stringify(names)).digest('hex').slice(0, 12);
    const name = items.length === 1 ? fileNameOf(names[0]!) : `batch-${digest}`;
    const file = `${prefix}${name}.${extensionOf(outbound)}`;
    let content: Buffer;
    try {
      content = contentOf(kind, outbound, items);
    } catch (error) {
      if (error instanceof CrossdockError && error.code === 'XD_VALUE_INVALID')
        return { outcome: 'refused', error: error.message };
      throw error;
    }
    if (!mayStart(signal)) return { outcome: 'later', error: 'was not begun: it may not start any more' };
    try {
      await store.makeFolder(folder, signal);
      await store.makeFolder(sent, signal);
      await store.write(unfinished(file), content, signal);
      for (const reference of names)
        await store.write(markOf(reference), Buffer.from(`${JSON.stringify({ reference, file })}\n`), signal);
    } catch (error) {
      // Nobody picks up what has this name.
      return { outcome: 'later', error: (error as Error).message };
    }
    if (!mayStart(signal)) return { outcome: 'later', error: 'was not finished: it may not start any more' };
    try {
      await store.rename(unfinished(file), `${folder}/${file}`, signal);
    } catch (error) {
      return { outcome: 'in_doubt', error: (error as Error).message };
    }
    return { outcome: 'confirmed', answer: { number: file } };
  }

  return {
    batchMax: batchMaxOf(limits, BATCH_MAX),
    async write(items, signal) {
      const outcomes: Outcome[] = [];
      const fresh: number[] = [];
      for (const [index, { reference }] of items.entries()) {
        let mark: Mark | undefined;
        try {
          mark = await held(reference, signal);
        } catch (error) {
          if (!(error instanceof CrossdockError)) throw error;
          // Only looked up so far: of this one nothing was written, and whether it was before, the next look says.
          outcomes.push({ outcome: 'later', error: error.message });
          continue;
        }
        outcomes.push(
          mark === undefined
            ? { outcome: 'later', error: 'not begun' }
            : { outcome: 'confirmed', answer: { number: mark.file } },
        );
        if (mark === undefined) fresh.push(index);
      }
      if (files === 'each') for (const index of fresh) outcomes[index] = await writeOne([items[index]!], signal);
      else if (fresh.length > 0) {
        const outcome = await writeOne(
          fresh.map((index) => items[index]!),
          signal,
        );
        for (const index of fresh) outcomes[index] = outcome;
      }
      return outcomes;
    },
    async locate(references, signal) {
      const found = new Map<string, unknown>();
      for (const reference of new Set(references)) {
        const mark = await held(reference, signal);
        if (mark !== undefined) found.set(reference, { number: mark.file });
      }
      return found;
    },
  };
}

function markIn(bytes: Buffer): Mark | undefined {
  try {
    const mark = JSON.parse(bytes.toString('utf8')) as Partial<Mark>;
    return typeof mark.reference === 'string' && typeof mark.file === 'string' ? (mark as Mark) : undefined;
  } catch {
    return undefined;
  }
}
