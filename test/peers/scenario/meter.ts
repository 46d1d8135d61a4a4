/** Stands between Crossdock and a system, and counts the calls: the budget as the system sees it. */
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

const SECOND_MS = 1_000;

export interface Meter {
  url: string;
  calls(): number;
  /** The most calls in any second, wherever it begins. */
  callsPerSecondMax(): number;
  close(): Promise<void>;
}

export async function meterOf(target: string): Promise<Meter> {
  const times: number[] = [];
  const agent = new Agent({ keepAlive: true });
  const to = new URL(target);
  const server = createServer((req, res) => {
    times.push(performance.now());
    const options = {
      agent,
      host: to.hostname,
      port: to.port,
      method: req.method,
      path: req.url,
      headers: req.headers,
    };
    const forward = request(options, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
      answer.on('error', () => req.socket.destroy());
    });
    // Whatever happens to the system happens to its caller.
    forward.on('error', () => req.socket.destroy());
    res.on('close', () => forward.destroy());
    req.pipe(forward);
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: () => times.length,
    callsPerSecondMax() {
      let most = 0;
      for (let first = 0, last = 0; last < times.length; last++) {
        while (times[last]! - times[first]! >= SECOND_MS) first++;
        most = Math.max(most, last - first + 1);
      }
      return most;
    },
    async close() {
      agent.destroy();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
