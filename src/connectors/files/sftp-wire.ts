/**
 * SFTP version 3 (draft-ietf-secsh-filexfer-02), which is what OpenSSH speaks, over any pair of streams. Requests are answered in any
 * order and told apart by their number.
 */
import type { Readable, Writable } from 'node:stream';

const PACKET_MAX = 256 * 1024;
const types = { init: 1, version: 2, status: 101, handle: 102, data: 103, name: 104, attrs: 105 } as const;
const EXTENDED_ATTRS = 0x80000000;

export class SftpStatus extends Error {
  readonly code: number;
  constructor(code: number, text: string) {
    super(`${text || 'status'} (${code})`);
    this.name = 'SftpStatus';
    this.code = code;
  }
}
export const sftpCodes = { ok: 0, eof: 1, noSuchFile: 2, denied: 3, failure: 4, lost: -1 } as const;

export interface Attrs {
  size: number;
  changedMs: number;
  isFile: boolean;
}

/** Writes fields one after the other. */
export function packed(...parts: (number | bigint | string | Buffer)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'number') {
        const four = Buffer.alloc(4);
        four.writeUInt32BE(part);
        return four;
      }
      if (typeof part === 'bigint') {
        const eight = Buffer.alloc(8);
        eight.writeBigUInt64BE(part);
        return eight;
      }
      const bytes = typeof part === 'string' ? Buffer.from(part, 'utf8') : part;
      return Buffer.concat([packed(bytes.length), bytes]);
    }),
  );
}

/** Reads fields one after the other; beyond the end it throws, as Buffer does. */
class Unpacker {
  readonly #bytes: Buffer;
  #at: number;
  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }
  number(): number {
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }
  long(): number {
    this.#at += 8;
    return Number(this.#bytes.readBigUInt64BE(this.#at - 8));
  }
  bytes(): Buffer {
    const length = this.number();
    if (this.#at + length > this.#bytes.length) throw new RangeError('a field goes beyond its packet');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
  text(): string {
    return this.bytes().toString('utf8');
  }
  attrs(): Attrs {
    const flags = this.number();
    const size = flags & 1 ? this.long() : 0;
    if (flags & 2) this.long();
    const mode = flags & 4 ? this.number() : 0;
    let changedMs = 0;
    if (flags & 8) {
      this.number();
      changedMs = this.number() * 1000;
    }
    if (flags & EXTENDED_ATTRS)
      for (let left = this.number(); left > 0; left--) {
        this.text();
        this.text();
      }
    return { size, changedMs, isFile: (mode & 0o170000) === 0o100000 };
  }
}

interface Waiting {
  resolve(answer: { type: number; fields: Unpacker }): void;
  reject(error: Error): void;
}

export class SftpWire {
  readonly #input: Writable;
  readonly #waiting = new Map<number, Waiting>();
  #chunks: Buffer[] = [];
  #length = 0;
  #last = 0;
  #lost: Error | undefined;
  #versioned: Waiting | undefined;

  constructor(input: Writable, output: Readable) {
    this.#input = input;
    output.on('data', (chunk: Buffer) => this.#take(chunk));
    output.on('error', (error) => this.lose(error));
    input.on('error', (error) => this.lose(error));
  }

  async begin(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#versioned = { resolve: () => resolve(), reject };
      if (this.#lost !== undefined) return reject(this.#lost);
      this.#send(types.init, packed(3));
    });
  }

  /** Nothing will be answered any more. */
  lose(error: Error): void {
    this.#lost ??= error;
    const waiting = [...this.#waiting.values(), ...(this.#versioned ? [this.#versioned] : [])];
    this.#waiting.clear();
    this.#versioned = undefined;
    for (const { reject } of waiting) reject(this.#lost);
  }

  /** @throws SftpStatus what the other side says; another error when it is gone */
  async #ask(type: number, expected: number, ...parts: (number | bigint | string | Buffer)[]): Promise<Unpacker> {
    if (this.#lost !== undefined) throw this.#lost;
    this.#last = (this.#last + 1) >>> 0;
    const id = this.#last;
    const answer = await new Promise<{ type: number; fields: Unpacker }>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#send(type, packed(id, ...parts));
    });
    if (answer.type === types.status) {
      const code = answer.fields.number();
      if (code !== sftpCodes.ok || expected !== types.status) throw new SftpStatus(code, answer.fields.text());
    } else if (answer.type !== expected) throw new Error(`answer ${answer.type} where ${expected} was expected`);
    return answer.fields;
  }

  async open(path: string, to: 'read' | 'write'): Promise<Buffer> {
    // write, create, truncate
    return (await this.#ask(3, types.handle, path, to === 'read' ? 0x1 : 0x2 | 0x8 | 0x10, 0)).bytes();
  }
  async close(handle: Buffer): Promise<void> {
    await this.#ask(4, types.status, handle);
  }
  /** Null at the end. */
  async read(handle: Buffer, offset: number, length: number): Promise<Buffer | null> {
    try {
      return (await this.#ask(5, types.data, handle, BigInt(offset), length)).bytes();
    } catch (error) {
      if (error instanceof SftpStatus && error.code === sftpCodes.eof) return null;
      throw error;
    }
  }
  async write(handle: Buffer, offset: number, content: Buffer): Promise<void> {
    await this.#ask(6, types.status, handle, BigInt(offset), content);
  }
  /** Of the file itself where it is a link. */
  async attrsOf(path: string): Promise<Attrs> {
    return (await this.#ask(7, types.attrs, path)).attrs();
  }
  async openFolder(path: string): Promise<Buffer> {
    return (await this.#ask(11, types.handle, path)).bytes();
  }
  async readFolder(handle: Buffer): Promise<({ name: string } & Attrs)[] | null> {
    try {
      const fields = await this.#ask(12, types.name, handle);
      return Array.from({ length: fields.number() }, () => {
        const name = fields.text();
        fields.text();
        return { name, ...fields.attrs() };
      });
    } catch (error) {
      if (error instanceof SftpStatus && error.code === sftpCodes.eof) return null;
      throw error;
    }
  }
  async remove(path: string): Promise<void> {
    await this.#ask(13, types.status, path);
  }
  async makeFolder(path: string): Promise<void> {
    await this.#ask(14, types.status, path, 0);
  }
  /** Version 3 refuses where `to` exists. */
  async rename(from: string, to: string): Promise<void> {
    await this.#ask(18, types.status, from, to);
  }

  #send(type: number, body: Buffer): void {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(body.length + 1);
    head.writeUInt8(type, 4);
    this.#input.write(Buffer.concat([head, body]));
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    while (this.#length >= 4) {
      const all = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
      this.#chunks = [all];
      const length = all.readUInt32BE(0);
      if (length > PACKET_MAX || length === 0) {
        this.lose(new Error(`a packet of ${length} bytes is no SFTP`));
        return;
      }
      if (all.length < length + 4) return;
      this.#chunks = all.length === length + 4 ? [] : [all.subarray(length + 4)];
      this.#length = all.length - length - 4;
      this.#handle(all.subarray(4, length + 4));
    }
  }

  #handle(packet: Buffer): void {
    const type = packet.readUInt8(0);
    const fields = new Unpacker(packet, 1);
    try {
      const id = fields.number();
      if (type === types.version) {
        this.#versioned?.resolve({ type, fields });
        this.#versioned = undefined;
        return;
      }
      this.#waiting.get(id)?.resolve({ type, fields });
      this.#waiting.delete(id);
    } catch (error) {
      this.lose(error as Error);
    }
  }
}
