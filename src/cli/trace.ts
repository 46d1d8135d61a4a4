import type { Command } from 'commander';
import type { RecordTold } from '../ingest/index.ts';
import type { Timeline } from '../projections/index.ts';
import type { Database } from '../store/index.ts';
import { EXIT, paint, printResult } from './output.ts';

interface TraceOptions {
  data: boolean;
  mapping: boolean;
  config?: string;
  databaseUrl?: string;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command('trace')
    .description('what happened to an order, over all systems')
    .argument('<order>', 'order id, channel/number, number, or ERP number')
    .option('--data', 'with what each fact says', false)
    .option('--mapping', 'with how each message was read: every step of its mapping', false)
    .option('--config <file>', 'the estate file that says how (default: crossdock.config.ts, if it is there)')
    .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExit code 3 when something should have followed and has not.')
    .action(async (text: string, options: TraceOptions) => {
      const { readTimeline } = await import('../projections/index.ts');
      const { orderNamed } = await import('./order-named.ts');
      const { withDatabase } = await import('./open.ts');
      await withDatabase(options, 'trace', async ({ db }) => {
        const order = await orderNamed(db, text);
        const timeline = await readTimeline(db, order);
        const mappings = options.mapping ? await readMappings(db, timeline, options) : undefined;
        const { stepLines } = await import('./steps.ts');
        const lines = [
          `order ${timeline.orderId}  ${timeline.order}  ERP ${timeline.erpNumber ?? '-'}  ${timeline.state}`,
          ...timeline.entries.map((entry) => {
            const mark =
              entry.kind === 'fact' ? '●' : entry.kind === 'parked' ? '!' : entry.kind === 'message' ? '→' : '←';
            const head = `${entry.at}  ${mark} ${entry.system.padEnd(12)} ${entry.what}  ${paint('dim', entry.outcome, process.stdout)}`;
            const more =
              entry.kind === 'parked' || entry.detail.error || entry.detail.resolution
                ? `\n      ${String(entry.detail.reason ?? entry.detail.resolution ?? entry.detail.error)}`
                : '';
            const data = options.data && entry.kind === 'fact' ? `\n      ${JSON.stringify(entry.detail.data)}` : '';
            return head + more + data;
          }),
          ...timeline.gaps.map((gap) => `${gap.since}  ${paint('yellow', '…', process.stdout)} ${gap.what}`),
          ...(timeline.truncated ? ['there is more than is shown'] : []),
          ...(mappings ?? []).flatMap((told) => ['', ...stepLines(told)]),
        ];
        printResult(mappings === undefined ? timeline : { ...timeline, mappings }, {
          ...options,
          text: () => lines.join('\n'),
        });
        if (timeline.gaps.length > 0) process.exitCode = EXIT.findings;
      });
    });
}

async function readMappings(db: Database, timeline: Timeline, options: TraceOptions): Promise<RecordTold[]> {
  const { tellRecords } = await import('../ingest/index.ts');
  const { listCame } = await import('../projections/index.ts');
  const { openRereads } = await import('./rereads.ts');
  const { rereads, close } = await openRereads(options, db);
  try {
    return await tellRecords(db, listCame(timeline), rereads);
  } finally {
    await close();
  }
}
