import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { launch } from '../bin/launch.mjs';

const SLOWEST_SHOWN = 12;

/**
 * Checks and tests, with one closing line for all of them. With arguments only the tests they name are run:
 * `npm test -- src/store` or `npm test -- -t 'the last case'`.
 */
export async function runTests(root, node, args) {
  const started = Date.now();
  const steps = [];
  const timed = async (name, work) => {
    const from = Date.now();
    const code = await work();
    steps.push({ name, seconds: (Date.now() - from) / 1000, code });
    return code;
  };
  // Not with the bounds of a hub: a compiler holds the whole project in memory, and that grows.
  const tool = (path, ...rest) =>
    launch(root, node, ['--disable-warning=ExperimentalWarning', join(root, 'node_modules', path), ...rest]);
  const isInterrupted = (code) => code === 130 || code === 143;

  if (args.length === 0) {
    // Both go on after a failure: whoever fixes one wants to know about the other.
    if (isInterrupted(await timed('biome check', () => tool('@biomejs/biome/bin/biome', 'check', '.')))) return 130;
    if (isInterrupted(await timed('tsc --noEmit', () => tool('typescript/bin/tsc', '--noEmit')))) return 130;
  }

  const tests = { passed: 0, failed: 0, skipped: 0, files: [] };
  const vitest = async (name, ...rest) => {
    const folder = mkdtempSync(join(tmpdir(), 'crossdock-test-'));
    const report = join(folder, 'report.json');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const ended = await timed(name, () => tool('vitest/vitest.mjs', 'run', ...reporters, ...rest));
    const { files, ...counts } = readReport(report);
    rmSync(folder, { recursive: true, force: true });
    for (const [key, count] of Object.entries(counts)) tests[key] += count;
    // Vitest also fails for what belongs to no test: an error after the last one, a set-up that broke, a process that hangs.
    if (ended !== 0 && counts.failed === 0) tests.failed += 1;
    tests.files.push(...files);
    return ended;
  };
  let code;
  if (args.length > 0) {
    code = await vitest('vitest', ...args);
  } else {
    code = await vitest('vitest', '--project=unit', '--project=db');
    // Real systems take both cores while they are set up: after the others, whose time limits would run out beside them.
    if (!isInterrupted(code)) code = (await vitest('vitest, real systems', '--project=peers')) || code;
  }

  const checks = steps.filter((step) => !step.name.startsWith('vitest'));
  const total = {
    passed: tests.passed + checks.filter((step) => step.code === 0).length,
    failed: tests.failed + checks.filter((step) => step.code !== 0).length,
    skipped: tests.skipped,
  };

  print('\nWhere the time went');
  for (const step of steps)
    print(`${step.seconds.toFixed(1).padStart(7)} s  ${step.name}${step.code === 0 ? '' : ' FAILED'}`);
  const slowest = tests.files.sort((a, b) => b.seconds - a.seconds).slice(0, SLOWEST_SHOWN);
  for (const file of slowest) print(`${file.seconds.toFixed(1).padStart(9)} s  ${relative(root, file.name)}`);
  print(`${((Date.now() - started) / 1000).toFixed(1).padStart(7)} s  in all\n`);
  print(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  if (isInterrupted(code)) return code;
  return total.failed === 0 && code === 0 ? 0 : 1;
}

function readReport(path) {
  if (!existsSync(path)) return { passed: 0, failed: 0, skipped: 0, files: [] };
  const report = JSON.parse(readFileSync(path, 'utf8'));
  const files = report.testResults.map((file) => ({
    name: file.name,
    seconds: Math.max(0, file.endTime - file.startTime) / 1000,
    // A file that could not be loaded holds no test that could fail.
    isBroken: file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  }));
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + files.filter((file) => file.isBroken).length,
    skipped: report.numPendingTests + report.numTodoTests,
    files,
  };
}

function print(line) {
  process.stdout.write(`${line}\n`);
}
