import { createHash } from 'node:crypto';
// oxlint-disable-next-line no-restricted-imports -- clients of the listener that speak no proper HTTP
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import {
  listenerLimits,
  listenOnLoopback,
  type HttpRequest,
  type ListenerLimits,
} from '../../../electron/serving/listener.ts';
import { askHttp, type Ask, type HttpAnswer } from '../../support/serving.ts';

const token = 'a-token-of-this-test';

/** Answers every request with the length of its body. */
async function listen(
  limits: Partial<ListenerLimits> = {},
  answer?: (request: HttpRequest) => Promise<string>,
): Promise<{
  port: number;
  ask: (path: string, options?: Ask) => Promise<HttpAnswer>;
  close(): Promise<void>;
}> {
  const listener = await listenOnLoopback({
    port: 0,
    tokenDigest: createHash('sha256').update(token).digest(),
    limits: { ...listenerLimits, ...limits },
    answer: async (request) => ({
      status: 200,
      headers: {},
      body: answer === undefined ? String((await request.body()).length) : await answer(request),
    }),
    onTurnedAway: () => undefined,
  });
  onTestFinished(() => listener.close());
  return {
    port: listener.port,
    close: listener.close,
    ask: (path, options) => askHttp(`127.0.0.1:${listener.port}`, token, path, options),
  };
}

/** What the listener sends until it closes. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  let answer = '';
  socket.on('data', (part: Buffer) => (answer += part.toString('latin1')));
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write(text);
  await closed;
  return answer;
}

const head = (port: number, more: readonly string[] = []): string =>
  ['POST / HTTP/1.1', `Host: 127.0.0.1:${port}`, `Authorization: Bearer ${token}`, ...more].join(
    '\r\n',
  );

test('a caller that sends slowly, or nothing, is let go', async () => {
  const { port, ask } = await listen({ headersMs: 300, requestMs: 600 });
  const silent = raw(port, '');
  const inHeaders = raw(port, 'POST / HTTP/1.1\r\nHost: ');
  const inBody = raw(port, `${head(port, ['Content-Length: 9'])}\r\n\r\n1`);
  for (const answer of await Promise.all([silent, inHeaders, inBody]))
    expect(answer).not.toMatch(/^HTTP\/1\.1 200/);
  expect((await ask('/', { body: 'four' })).body.toString()).toBe('4');
});

test('long headers, two hosts, and what is no HTTP are refused before anybody is asked', async () => {
  let asked = 0;
  const { port } = await listen({}, () => Promise.resolve(String((asked += 1))));
  const send = (text: string): Promise<string> => raw(port, text);
  const long = await send(`${head(port, [`X: ${'x'.repeat(20_000)}`])}\r\n\r\n`);
  expect(long).toMatch(/^HTTP\/1\.1 431 /);
  const hosts = await send(`${head(port, ['Host: other', 'Connection: close'])}\r\n\r\n`);
  expect(hosts).toMatch(/^HTTP\/1\.1 4\d\d /);
  const none = await send('POST / HTTP/1.1\r\nConnection: close\r\n\r\n');
  expect(none).toMatch(/^HTTP\/1\.1 400 /);
  const smuggled = await send(
    `${head(port, ['Content-Length: 4', 'Transfer-Encoding: chunked'])}\r\n\r\n0\r\n\r\n`,
  );
  expect(smuggled).toMatch(/^HTTP\/1\.1 400 /);
  expect(await send('\x16\x03\x01\x02\x00\x01\x00')).toMatch(/^HTTP\/1\.1 400 /);
  expect(asked).toBe(0);
});

test('a body is bounded, packed or not, and so are all together', async () => {
  const { ask } = await listen({ bodyBytes: 1000, heldBytes: 1500 });
  const status = async (body: Uint8Array | string, headers = {}): Promise<number> =>
    (await ask('/', { body, headers })).status;
  expect(await status('x'.repeat(1000))).toBe(200);
  expect(await status('x'.repeat(1001))).toBe(413);
  const chunked = { 'transfer-encoding': 'chunked' };
  expect(await status('x'.repeat(1001), chunked)).toBe(413);
  const bomb = gzipSync(Buffer.alloc(100_000));
  expect(await status(bomb, { 'content-encoding': 'gzip' })).toBe(413);
  expect(await status(gzipSync('packed'), { 'content-encoding': 'gzip' })).toBe(200);
  expect(await status('x', { 'content-encoding': '__proto__' })).toBe(415);

  const first = Promise.withResolvers<void>();
  const isRead = Promise.withResolvers<void>();
  const held = await listen({ bodyBytes: 1000, heldBytes: 1500 }, async (request) => {
    await request.body();
    isRead.resolve();
    await first.promise;
    return 'done';
  });
  const waiting = held.ask('/', { body: 'x'.repeat(1000) });
  await isRead.promise;
  const refused = await held.ask('/', { body: 'x'.repeat(1000) });
  expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1']);
  first.resolve();
  expect((await waiting).status).toBe(200);
  expect((await held.ask('/', { body: 'x'.repeat(1000) })).status).toBe(200);
});

test('so many callers at once, and no more', async () => {
  const { port } = await listen({ connections: 3 });
  // All stay connected until each has its answer, or was turned away.
  const callers = Array.from({ length: 6 }, () => connect({ host: '127.0.0.1', port }));
  const firsts = await Promise.all(
    callers.map(
      (socket) =>
        new Promise<string>((resolve) => {
          socket.once('data', (part) => resolve(part.toString('latin1')));
          socket.on('error', () => undefined);
          socket.once('close', () => resolve(''));
          socket.write(`${head(port)}\r\nContent-Length: 0\r\n\r\n`);
        }),
    ),
  );
  for (const socket of callers) socket.destroy();
  expect(firsts.filter((text) => text.startsWith('HTTP/1.1 200')).length).toBe(3);
});

test('who goes away is noticed, and a reply under way is finished when the listener closes', async () => {
  const seen: string[] = [];
  const arrived: string[] = [];
  const go = Promise.withResolvers<void>();
  const { ask, close } = await listen({}, async (request) => {
    request.signal.addEventListener('abort', () => seen.push(request.target));
    arrived.push(request.target);
    await go.promise;
    return 'done';
  });
  const gone = new AbortController();
  const left = ask('/left', { signal: gone.signal }).catch(() => 'left');
  const stays = ask('/stays');
  await expect.poll(() => arrived.toSorted()).toEqual(['/left', '/stays']);
  gone.abort();
  expect(await left).toBe('left');
  await expect.poll(() => seen).toEqual(['/left']);
  const closing = close();
  go.resolve();
  expect((await stays).body.toString()).toBe('done');
  await closing;
  await expect(ask('/')).rejects.toThrow();
});
