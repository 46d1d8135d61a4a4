/** Writes a connector that works, to be changed into the one that is wanted. */
import { access, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail } from '../../canonical/errors.ts';
import { filesOf } from './template.ts';

/** @throws XD_SETUP_FAILED where the name is none, or something is there already */
export async function writeConnector(name: string, into: string): Promise<{ folder: string; written: string[] }> {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 40)
    fail('XD_SETUP_FAILED', `${name} is no name for a connector: lower case letters, digits and dashes, e.g. my-erp`);
  const folder = join(into, name);
  const there = await access(folder).then(
    () => true,
    () => false,
  );
  if (there) fail('XD_SETUP_FAILED', `${folder} is there already; nothing was written`, { folder });
  const written: string[] = [];
  for (const [path, text] of Object.entries(filesOf(name))) {
    const file = join(folder, path);
    try {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text, { flag: 'wx' });
    } catch (cause) {
      fail('XD_SETUP_FAILED', `${file} can't be written (${(cause as NodeJS.ErrnoException).code})`, {}, { cause });
    }
    written.push(file);
  }
  return { folder: /^[./]/.test(folder) ? folder : `./${folder}`, written };
}
