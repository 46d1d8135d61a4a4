/** `crossdock start`: one hub process over an estate file and a database. Many of them share one database. */
import { type Command, InvalidArgumentError, Option } from 'commander';

export interface StartOptions {
  config: string;
  role: 'all' | 'api' | 'worker';
  host: string;
  port?: number;
  dir: string;
}

export function register(program: Command): void {
  program
    .command('start')
    .description('run the hub over an estate file')
    .option('--config <file>', 'the estate file', 'crossdock.config.ts')
    .addOption(
      new Option('--role <role>', 'all: everything; api: answers only; worker: polls and sends only')
        .choices(['all', 'api', 'worker'])
        .default('all'),
    )
    .option('--host <address>', 'address to listen on; only this machine unless told', process.env.HOST ?? '127.0.0.1')
    .option('--port <n>', 'port to listen on (PORT; 8480; 0 takes any)', (text) => {
      if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
        throw new InvalidArgumentError('must be a port from 0 to 65535');
      return Number(text);
    })
    .option('--dir <folder>', 'where the embedded database keeps its data', '.crossdock')
    .option('--json', 'one line of JSON when ready', false)
    .action(async (options: StartOptions & { json: boolean }) => {
      const { runStart } = await import('./start/run.ts');
      process.exitCode = await runStart(options);
    });
}
