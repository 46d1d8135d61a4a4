/** The `crossdock` command. One file per command; only the one that is asked for is loaded. */
import { existsSync, readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { EXIT, printError } from './output.ts';

/** A command is a file of this name here that exports `register(program)`. Its heavy imports belong inside its action. */
const commands = [
  'alerts',
  'connector',
  'credit',
  'crosswalk',
  'demo',
  'doctor',
  'drill',
  'exceptions',
  'explain',
  'holds',
  'init',
  'keys',
  'load',
  'matches',
  'migrate',
  'modes',
  'parked',
  'prices',
  'promise',
  'purchasing',
  'quotas',
  'restored',
  'returns',
  'start',
  'stewardship',
  'trace',
  'verify',
];

interface CommandModule {
  register(program: Command): void;
}

const program = new Command('crossdock')
  .description('One exact stock ledger and one state per order between ERP, CRM, WMS, shops, marketplaces and partners')
  .version(readVersion(), '-V, --version')
  .showHelpAfterError('(crossdock --help lists everything)')
  .exitOverride();

// What stands in the environment already wins.
if (existsSync('.env')) process.loadEnvFile('.env');
const args = process.argv.slice(2);
const asked = args.find((arg) => !arg.startsWith('-'));
const needed = asked !== undefined && commands.includes(asked) ? [asked] : commands;
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

try {
  for (const name of needed) {
    const module = (await import(`./${name}.${extension}`)) as CommandModule;
    module.register(program);
  }
  await program.parseAsync(args, { from: 'user' });
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else {
    const { named } = await import('./faults.ts');
    printError(named(error), { json: args.includes('--json') });
    process.exitCode = EXIT.failed;
  }
}

function readVersion(): string {
  // src/cli and dist/cli lie equally deep.
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
