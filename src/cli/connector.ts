import type { Command } from 'commander';
import { EXIT, paint, printResult, say } from './output.ts';

export function register(program: Command): void {
  const connector = program.command('connector').description('write, test and record connectors');

  connector
    .command('test')
    .description('hold a connector to the conformance suite, against a stand-in for its system')
    .argument('<name>', 'one that ships, one of the estate file, or the path of its folder or file')
    .option('--config <file>', 'the estate file that names it (default: crossdock.config.ts, if it is there)')
    .option('--description <file>', 'how its system answers (default: conformance.ts beside it)')
    .option('--only <start...>', 'only checks whose id begins so, e.g. write. feed.same_second')
    .option(
      '--database <url>',
      'a PostgreSQL for tests of databases, where schemas and roles may be made (default: one is started)',
    )
    .option('--json', 'print one JSON document: {passed, failed, skipped, checks}')
    .addHelpText('after', '\nExit code 3 when a check failed. Levels: safety, contract, manners.')
    .action(async (name: string, options: TestOptions) => {
      const { findConnector } = await import('./connector/find.ts');
      const { testConnector } = await import('../connectors/kit/conformance/index.ts');
      const { factory, description } = await findConnector(name, options);
      const { databaseFor } = await import('./connector/database.ts');
      const place = await databaseFor(description, options.database);
      const report = await testConnector(factory, description, {
        name,
        database: place.url,
        ...(options.only && { only: options.only }),
        onResult: ({ id, result }) => {
          if (result === 'failed' && !options.json) say(`${paint('red', 'failed')} ${id}`);
        },
      }).finally(place.close);
      const { table } = await import('./table.ts');
      const text = () => {
        const rows = report.checks.map(({ result, level, id, what, detail }) => [
          result,
          level,
          id,
          detail === null ? what : `${what}: ${detail}`,
        ]);
        const sum = `${name}: ${report.passed} passed, ${report.failed} failed, ${report.skipped} skipped`;
        return `${table(['result', 'level', 'check', 'what'], rows)}\n${sum}`;
      };
      printResult(report, { ...options, text });
      if (report.failed > 0) process.exitCode = EXIT.findings;
    });

  connector
    .command('new')
    .description('write the folder of a new connector that works, with its tests')
    .argument('<name>', 'lower case with dashes, e.g. my-erp')
    .option('--into <folder>', 'where the folder is made', '.')
    .option('--json', 'print one JSON document')
    .action(async (name: string, options: { into: string; json?: boolean }) => {
      const { writeConnector } = await import('./connector/new.ts');
      const { folder, written } = await writeConnector(name, options.into);
      const command = import.meta.url.endsWith('.ts') ? 'npm run -s crossdock --' : 'npx crossdock';
      const next = [`${command} connector test ${folder}`, `node --test ${folder}/*.test.ts`];
      const text = () => [`wrote ${written.join(', ')}`, 'next:', ...next.map((line) => `    ${line}`)].join('\n');
      printResult({ folder, written, next }, { ...options, text });
    });

  connector
    .command('record')
    .description('stand between a connector and its system and keep what they say, without secrets and personal data')
    .argument('<url>', 'the system; the connector is given the address that is printed')
    .requiredOption('--out <file>', 'where the recording is written when it ends (Ctrl-C)')
    .option('--secret-env <name...>', 'environment variables whose values must never be kept')
    .option('--personal <field...>', 'more fields that hold personal data')
    .option('--port <port>', 'where to listen on 127.0.0.1 (default: a free one)', Number)
    .option('--json', 'print one JSON document at the end')
    .action(async (url: string, options: RecordOptions) => {
      const { startRecorder } = await import('../connectors/kit/conformance/index.ts');
      const { fail } = await import('../canonical/index.ts');
      const secrets = (options.secretEnv ?? []).map(
        (name) => process.env[name] ?? fail('XD_SETUP_FAILED', `the environment has no ${name}`),
      );
      const recorder = await startRecorder({
        url,
        secrets,
        ...(options.personal && { personal: options.personal }),
        ...(options.port !== undefined && { port: options.port }),
      });
      say(`recording ${recorder.url} for ${new URL(url).origin}; Ctrl-C ends it`);
      await new Promise<void>((resolve) => {
        for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve());
      });
      const { exchanges } = await recorder.save(options.out);
      printResult(
        { file: options.out, exchanges },
        { ...options, text: () => `${exchanges} exchanges in ${options.out}` },
      );
    });
}

interface TestOptions {
  config?: string;
  description?: string;
  only?: string[];
  database?: string;
  json?: boolean;
}

interface RecordOptions {
  out: string;
  secretEnv?: string[];
  personal?: string[];
  port?: number;
  json?: boolean;
}
