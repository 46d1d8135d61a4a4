/**
 * Files behind SFTP. The encrypted part is OpenSSH's own client, run as a process: hosts, keys and ciphers are then what the machine's
 * administrator keeps up to date. (A library for it would be compiled at installation, which this project doesn't do.)
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { fail } from '../../canonical/index.ts';
import { SftpStatus, SftpWire, sftpCodes } from './sftp-wire.ts';
import { type FileEntry, type FileStore, isPlainName } from './store.ts';

const CHUNK_BYTES = 32 * 1024;
/** Requests under way at once within one file: a far server is asked for half a megabyte per way there and back. */
const AHEAD_MAX = 16;
const SAID_CHARS_MAX = 400;
/** A listing beyond it is no drop box. */
const ENTRIES_MAX = 100_000;

export interface SftpOptions {
  /** sftp://user@host:port/folder */
  url: URL;
  password: string | null;
  privateKeyFile?: string;
  /** The server's public key, e.g. `ssh-ed25519 AAAA…`; otherwise it must be in the known hosts. */
  hostKey?: string;
  knownHostsFile?: string;
  timeoutMs: number;
  /** The program; default `ssh`. Tests run a server directly. */
  command?: readonly string[];
}

export function sftpStore(options: SftpOptions): FileStore {
  const { url, timeoutMs } = options;
  // `sftp://host/in` is the folder `in` where the user arrives, `sftp://host//in` the one at the root.
  const root = decodeURIComponent(url.pathname).slice(1) || '.';
  const at = (path: string) => posix.join(root, path);
  let connected: Promise<{ wire: SftpWire; end(): void }> | undefined;
  let files: string | undefined;

  function command(): { program: string; args: string[]; env: NodeJS.ProcessEnv } {
    if (options.command !== undefined) {
      const [program, ...args] = options.command;
      return { program: program!, args, env: process.env };
    }
    const set = (name: string, value: string) => [`-o${name}=${value}`];
    const args = ['-F', 'none', '-x', '-a', '-T', '-p', url.port || '22'];
    args.push(...set('ConnectTimeout', String(Math.ceil(timeoutMs / 1000))), ...set('ServerAliveInterval', '15'));
    args.push(...set('StrictHostKeyChecking', 'yes'), ...set('UpdateHostKeys', 'no'), ...set('LogLevel', 'ERROR'));
    if (options.privateKeyFile !== undefined) args.push('-i', options.privateKeyFile, ...set('IdentitiesOnly', 'yes'));
    const env = { ...process.env };
    if (options.hostKey !== undefined || options.password !== null)
      files ??= mkdtempSync(join(tmpdir(), 'crossdock-sftp-'));
    if (options.hostKey !== undefined) {
      const name = url.port === '' || url.port === '22' ? url.hostname : `[${url.hostname}]:${url.port}`;
      const path = join(files!, 'known_hosts');
      writeFileSync(path, `${name} ${options.hostKey.trim()}\n`, { mode: 0o600 });
      args.push(...set('UserKnownHostsFile', path), ...set('GlobalKnownHostsFile', 'none'));
    } else if (options.knownHostsFile !== undefined) args.push(...set('UserKnownHostsFile', options.knownHostsFile));
    if (options.password === null) args.push(...set('BatchMode', 'yes'));
    else {
      // Never an argument, which every user of the machine could read.
      const path = join(files!, 'askpass');
      writeFileSync(path, '#!/bin/sh\nprintf \'%s\\n\' "$CROSSDOCK_SFTP_PASSWORD"\n', { mode: 0o700 });
      Object.assign(env, { SSH_ASKPASS: path, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: ':0' });
      env.CROSSDOCK_SFTP_PASSWORD = options.password;
      args.push(...set('NumberOfPasswordPrompts', '1'));
    }
    if (url.username !== '') args.push('-l', decodeURIComponent(url.username));
    return { program: 'ssh', args: [...args, '-s', '--', url.hostname, 'sftp'], env };
  }

  async function connect(): Promise<{ wire: SftpWire; end(): void }> {
    const { program, args, env } = command();
    const child: ChildProcess = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    let said = '';
    child.stderr!.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(-SAID_CHARS_MAX);
    });
    const wire = new SftpWire(child.stdin!, child.stdout!);
    const lost = (why: string) => {
      connected = undefined;
      wire.lose(new SftpStatus(sftpCodes.lost, `${url.host}: ${why}`));
    };
    child.on('error', (error) => lost(`${program} could not be run: ${error.message}`));
    child.on('close', () => lost(said.trim() || 'the connection ended'));
    const end = () => {
      lost('closed');
      child.kill();
    };
    await within(wire.begin(), end);
    return { wire, end };
  }

  /** A server that is silent is left: later requests get a connection of their own. */
  async function within<T>(run: Promise<T>, onSilence: () => void): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const silent = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new SftpStatus(sftpCodes.lost, `${url.host}: no answer within ${timeoutMs} ms`));
        onSilence();
      }, timeoutMs);
    });
    try {
      return await Promise.race([run, silent]);
    } finally {
      clearTimeout(timer);
    }
  }

  async function ask<T>(what: string, path: string, run: (wire: SftpWire) => Promise<T>): Promise<T> {
    try {
      connected ??= connect();
      const here = connected;
      const { wire, end } = await here.catch((error: unknown) => {
        if (connected === here) connected = undefined;
        throw error;
      });
      return await within(run(wire), end);
    } catch (error) {
      const code =
        error instanceof SftpStatus && error.code === sftpCodes.denied
          ? 'XD_CONNECTOR_REFUSED'
          : 'XD_CONNECTOR_UNAVAILABLE';
      return fail(code, `${what} ${path}: ${(error as Error).message}`, { path }, { cause: error });
    }
  }

  const orNull = async (wire: SftpWire, path: string) => {
    try {
      return await wire.attrsOf(at(path));
    } catch (error) {
      if (error instanceof SftpStatus && error.code === sftpCodes.noSuchFile) return null;
      throw error;
    }
  };

  return {
    list: (folder) =>
      ask('list', folder, async (wire) => {
        const handle = await wire.openFolder(at(folder));
        const found: FileEntry[] = [];
        try {
          for (let part = await wire.readFolder(handle); part !== null; part = await wire.readFolder(handle)) {
            for (const { name, size, changedMs, isFile } of part)
              if (isFile && isPlainName(name)) found.push({ name, size, changedMs });
            if (found.length > ENTRIES_MAX) throw new Error(`more than ${ENTRIES_MAX} files`);
          }
        } finally {
          await wire.close(handle);
        }
        return found;
      }),
    find: (path) =>
      ask('look at', path, async (wire) => {
        const attrs = await orNull(wire, path);
        return attrs && { name: posix.basename(path), size: attrs.size, changedMs: attrs.changedMs };
      }),
    async *read(path, signal) {
      const handle = await ask('open', path, (wire) => wire.open(at(path), 'read'));
      const ahead: { offset: number; part: Promise<Buffer | null> }[] = [];
      let offset = 0;
      const next = (from: number) => ({
        offset: from,
        part: ask('read', path, (wire) => wire.read(handle, from, CHUNK_BYTES)),
      });
      try {
        for (;;) {
          signal.throwIfAborted();
          while (ahead.length < AHEAD_MAX) {
            const one = next(offset);
            // Told where it is awaited; without this, one behind it would end the process.
            one.part.catch(() => {});
            ahead.push(one);
            offset += CHUNK_BYTES;
          }
          const first = ahead.shift()!;
          const part = await first.part;
          if (part === null) break;
          yield part;
          // A short answer is allowed anywhere: the rest is asked for from there.
          if (part.length < CHUNK_BYTES) {
            await Promise.allSettled(ahead.splice(0).map((one) => one.part));
            offset = first.offset + part.length;
          }
        }
      } finally {
        await Promise.allSettled(ahead.map((one) => one.part));
        await ask('close', path, (wire) => wire.close(handle)).catch(() => {});
      }
    },
    async write(path, content) {
      const handle = await ask('open', path, (wire) => wire.open(at(path), 'write'));
      for (let from = 0; from < content.length; from += CHUNK_BYTES)
        await ask('write', path, (wire) => wire.write(handle, from, content.subarray(from, from + CHUNK_BYTES)));
      await ask('close', path, (wire) => wire.close(handle));
    },
    rename: (from, to) => ask('rename', from, (wire) => wire.rename(at(from), at(to))),
    remove: (path) =>
      ask('remove', path, async (wire) => {
        if ((await orNull(wire, path)) !== null) await wire.remove(at(path));
      }),
    makeFolder: (folder) =>
      ask('make', folder, async (wire) => {
        for (const [index] of folder.split('/').entries()) {
          const part = folder
            .split('/')
            .slice(0, index + 1)
            .join('/');
          if ((await orNull(wire, part)) === null) await wire.makeFolder(at(part));
        }
      }),
    async close() {
      const here = connected;
      connected = undefined;
      await here?.then(({ end }) => end()).catch(() => {});
      if (files !== undefined) rmSync(files, { recursive: true, force: true });
      files = undefined;
    },
  };
}
