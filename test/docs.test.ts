/** What the pages say is so: generated ones are up to date, links lead somewhere, what is named exists. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generateDocs } from '../scripts/generate-docs.ts';
import { eventRules } from '../src/orders/index.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

function filesOf(folder: string, ends: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ends))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

const pages = [
  ...['docs', 'src', 'sim', 'test', 'bench', 'examples'].flatMap((folder) => filesOf(folder, '.md')),
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
];
const code = filesOf('src', '.ts').filter((file) => !/\.test\.ts$|testing/.test(file));

/** As GitHub makes them of headings. */
function anchorsOf(page: string): Set<string> {
  const headings = read(page).matchAll(/^#{1,6} +(.+)$/gm);
  const slug = (text: string) =>
    text
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
  return new Set([...headings].map(([, text]) => slug(text!)));
}

describe('pages', () => {
  it('that follow from the code are up to date (npm run docs)', async () => {
    for (const [path, text] of Object.entries(await generateDocs())) expect(read(path), path).toBe(text);
  });

  it('link only to what is there', () => {
    const broken: string[] = [];
    let links = 0;
    for (const page of pages)
      for (const [, target] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^(https?|mailto):/.test(target!)) continue;
        links++;
        const [path, anchor] = target!.split('#');
        const file = path === '' ? page : relative(root, join(root, dirname(page), path!));
        if (!existsSync(join(root, file))) broken.push(`${page}: ${target}`);
        else if (anchor !== undefined && file.endsWith('.md') && !anchorsOf(file).has(anchor))
          broken.push(`${page}: ${target} (no such heading)`);
      }
    expect(broken).toEqual([]);
    expect(links).toBeGreaterThan(70);
  });

  it('are all found from the first one', () => {
    const seen = new Set<string>();
    const walk = (page: string): void => {
      if (seen.has(page)) return;
      seen.add(page);
      for (const [, target] of read(page).matchAll(/\]\(([^)\s#]+\.md)/g))
        if (!/^https?:/.test(target!)) walk(relative(root, join(root, dirname(page), target!)));
    };
    walk('README.md');
    expect(filesOf('docs', '.md').filter((page) => !seen.has(page))).toEqual([]);
  });

  it('name only commands that exist', () => {
    const commands = new Map<string, string>();
    for (const file of readdirSync(join(root, 'src', 'cli')).filter((name) => name.endsWith('.ts')))
      if (read(`src/cli/${file}`).includes('export function register('))
        commands.set(file.replace('.ts', ''), read(`src/cli/${file}`));
    const wrong: string[] = [];
    let named = 0;
    for (const page of pages)
      for (const [, command, sub] of read(page).matchAll(
        /(?:npx crossdock|run -s crossdock --|^ {4,}crossdock|`crossdock)\s+([a-z-]+)(?:[ \t]+([a-z]+))?/gm,
      )) {
        named++;
        const text = commands.get(command!);
        if (text === undefined) wrong.push(`${page}: crossdock ${command}`);
        else if (
          (command === 'parked' || command === 'keys') &&
          sub !== undefined &&
          !text.includes(`.command('${sub}')`)
        )
          wrong.push(`${page}: crossdock ${command} ${sub}`);
      }
    expect(wrong).toEqual([]);
    expect(named).toBeGreaterThan(20);
  });

  it('name only tests that exist', () => {
    const wrong: string[] = [];
    for (const page of pages)
      for (const [, file] of read(page).matchAll(/`((?:src|sim|test|scripts)\/[\w./-]+\.test\.ts)`/g))
        if (!existsSync(join(root, file!))) wrong.push(`${page}: ${file}`);
    expect(wrong).toEqual([]);
  });

  it('name only npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const wrong: string[] = [];
    for (const page of pages)
      for (const [, name] of read(page).matchAll(/npm run (?:-s )?([a-z]+)\b/g))
        if (scripts[name!] === undefined) wrong.push(`${page}: npm run ${name}`);
    expect(wrong).toEqual([]);
  });
});

describe('reference', () => {
  it('lists every table', () => {
    const tables = readdirSync(join(root, 'sql'))
      .flatMap((name) => [...read(`sql/${name}`).matchAll(/^create table (\w+) (?!partition)/gm)])
      .map(([, name]) => name!);
    // One that a later file made anew is the same table.
    const there = new Set(tables);
    const listed = [...read('docs/reference/tables.md').matchAll(/^\| (`[^|]+`) \|/gm)]
      .flatMap(([, cell]) => [...cell!.matchAll(/`(\w+)`/g)])
      .map(([, name]) => name!);
    expect(listed.sort()).toEqual([...there, 'crossdock_migration'].sort());
  });

  it('lists every type of fact', () => {
    // A charge's command goes into the log under its own name.
    const types = new Set<string>([...Object.keys(eventRules), 'charge.recorded', 'quota.changed']);
    const isFact = /^(order|stock|fulfilment|shipment|document|return|price|charge|supply|alert|credit|mode)\.[a-z_]+$/;
    for (const file of code.filter((name) => /src\/(ledger|ingest|master|log|ops|credit|modes)\//.test(name)))
      for (const [, type] of read(file).matchAll(/(?:type: |\? |: |stockFact\(\s*)'([a-z]+\.[a-z_]+)'/g))
        if (isFact.test(type!)) types.add(type!);
    // Commands from outside share the form; these become facts of other names.
    for (const command of [
      'stock.moved',
      'order.submitted',
      'order.cancel_requested',
      'fulfilment.picked',
      'fulfilment.shipped',
    ])
      types.delete(command);
    const listed = [...read('docs/reference/facts.md').matchAll(/^\| ((?:`[a-z._]+`(?:, )?)+) \|/gm)]
      .flatMap(([, cell]) => [...cell!.matchAll(/`([a-z._]+)`/g)])
      .map(([, type]) => type!);
    expect([...new Set(listed)].sort()).toEqual([...types].sort());
  });

  it('lists every environment variable', () => {
    const page = read('docs/reference/configuration.md');
    const names = new Set<string>();
    for (const file of code) for (const [, name] of read(file).matchAll(/process\.env\.([A-Z_]+)/g)) names.add(name!);
    for (const file of code)
      for (const [, list] of read(file).matchAll(/\{([^{}]*)\} = process\.env/g))
        for (const name of list!.split(',')) names.add(name.trim());
    const elsewhere = new Set(['PATH', 'SHOP_WEBHOOK_SECRET']);
    expect([...names].filter((name) => !elsewhere.has(name) && !page.includes(`\`${name}\``))).toEqual([]);
  });

  it('lists every production dependency', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    const page = read('docs/dependencies.md');
    expect(Object.keys(dependencies).filter((name) => !page.includes(`| \`${name}\` |`))).toEqual([]);
    expect(Object.keys(dependencies).length).toBeLessThan(40);
  });

  it('has a README in every room', () => {
    const rooms = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const folders = [...rooms.map((entry) => `src/${entry.name}`), 'sim', 'test', 'bench', 'examples/wholesaler'];
    expect(folders.filter((folder) => !existsSync(join(root, folder, 'README.md')))).toEqual([]);
  });
});
