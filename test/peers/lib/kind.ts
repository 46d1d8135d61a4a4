import { join } from 'node:path';
import { answersHttp, refuseTakenPort, waitForAnswer } from './ports.ts';
import type { PeerPostgres } from './postgres.ts';
import {
  type Command,
  logFileIn,
  type ProcessId,
  pidFileIn,
  runningOf,
  startProcess,
  stopProcess,
} from './processes.ts';

export type Keys = Record<string, unknown>;

/** A process of a peer: its name is also that of its pid file and its log. */
export interface Program {
  readonly name: string;
  readonly ports: readonly { readonly port: number; readonly variable: string }[];
  readonly command: Command;
  readonly isUp: () => Promise<boolean>;
  readonly secondsMax: number;
}

export interface PeerKind {
  readonly name: string;
  readonly role: string;
  /** Environment variable and default of each port. */
  readonly ports: Readonly<Record<string, readonly [variable: string, port: number]>>;
  readonly debian: readonly string[];
  /** Its folder below test/peers with a package.json and a lockfile. */
  readonly app?: string;
  readonly database?: string;
  readonly diskMb: number;
  /** What else the template depends on, besides the files and packages it is made with. */
  readonly variant?: () => string;
  /** Further installs that need a package manager. */
  readonly install?: (peer: PeerContext) => Promise<void>;
  /** Makes the seeded template; what it returns is kept as the peer's keys. */
  readonly make?: (peer: PeerContext) => Promise<Keys>;
  /** Goes back to what was seeded. The programs are stopped meanwhile. */
  readonly restore?: (peer: PeerContext) => Promise<void>;
  readonly programs: (peer: PeerContext) => Program[];
  readonly keys: (peer: PeerContext) => Keys & { url: string };
}

/** One peer of one state folder. */
export class PeerContext {
  readonly kind: PeerKind;
  readonly folder: string;
  readonly source: string;
  readonly say: (line: string) => void;
  readonly #shift: number;
  readonly #pg: PeerPostgres | undefined;

  constructor(
    kind: PeerKind,
    given: { folder: string; source: string; shift: number; pg: PeerPostgres | undefined; say: (line: string) => void },
  ) {
    this.kind = kind;
    this.folder = given.folder;
    this.source = given.source;
    this.say = given.say;
    this.#shift = given.shift;
    this.#pg = given.pg;
  }

  get pg(): PeerPostgres {
    return this.#pg!;
  }

  get hasPostgres(): boolean {
    return this.#pg !== undefined;
  }

  get app(): string {
    return join(this.folder, 'app');
  }

  port(name = 'main'): number {
    return portOf(this.kind, name, this.#shift);
  }

  variable(name = 'main'): string {
    return this.kind.ports[name]![0];
  }

  file(...path: string[]): string {
    return join(this.folder, ...path);
  }

  runningOf(name: string): ProcessId | undefined {
    return runningOf(pidFileIn(this.folder, name));
  }

  async start(program: Program): Promise<boolean> {
    const { name, ports, command, isUp, secondsMax: seconds } = program;
    const log = logFileIn(this.folder, name);
    let id = this.runningOf(name);
    const isNew = id === undefined;
    if (id === undefined) {
      for (const { port, variable } of ports) await refuseTakenPort(this.kind.name, port, variable);
      id = startProcess(pidFileIn(this.folder, name), log, command);
    }
    await waitForAnswer(name, isUp, { seconds, id, log });
    return isNew;
  }

  stop(name: string, signal?: NodeJS.Signals): Promise<boolean> {
    return stopProcess(pidFileIn(this.folder, name), signal);
  }
}

export function portOf(kind: PeerKind, name: string, shift: number): number {
  const [variable, standard] = kind.ports[name]!;
  const set = Number(process.env[variable]);
  return Number.isInteger(set) && set > 0 ? set : standard + shift;
}

export const httpUp = (url: string, text?: string) => () => answersHttp(url, text);
