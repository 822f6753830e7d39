/**
 * The only listener of the product: HTTP/1.1 on 127.0.0.1 and nowhere else, for programs of this computer that have the token. It
 * knows nothing of models. Refused before anything is read of a body: another `Host` than this one (a name that was made to
 * point here, DNS rebinding), whatever a browser sends (`Origin`, `Sec-Fetch-Site`), and requests without the token, of which only
 * the SHA-256 is kept and compared in constant time. Bounded are connections, headers, the time a request may take to arrive,
 * a body, and all bodies together.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate, type ZlibOptions } from 'node:zlib';

export interface HttpRequest {
  readonly method: string;
  /** Path and query as they came. */
  readonly target: string;
  /** What `Inference-Header-Content-Length` says. */
  readonly jsonBytes: number | undefined;
  /** Aborted when the caller has gone away. */
  readonly signal: AbortSignal;
  /** Milliseconds of `performance.now()` at which the request began. */
  readonly since: number;
  /** Reads the whole body, decompressed. Rejects with an `HttpError`. */
  body(): Promise<Uint8Array>;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

/** Answered as it is: `{"error": message}` with this status. */
export class HttpError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

export interface ListenerLimits {
  readonly connections: number;
  readonly bodyBytes: number;
  /** All bodies that are held at once. */
  readonly heldBytes: number;
  readonly headersMs: number;
  /** Until the whole request has arrived. */
  readonly requestMs: number;
  /** What a reply under way may still take when the listener is closed. */
  readonly farewellMs: number;
}

export const listenerLimits: ListenerLimits = {
  connections: 64,
  bodyBytes: 64 * 2 ** 20,
  heldBytes: 256 * 2 ** 20,
  headersMs: 10_000,
  requestMs: 60_000,
  farewellMs: 500,
};

export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

/** Rejects with the error of the system when the port cannot be had. */
export async function listenOnLoopback(options: {
  /** 0: any that is free. */
  readonly port: number;
  readonly tokenDigest: Uint8Array;
  readonly limits: ListenerLimits;
  /** Rejects with an `HttpError` for what it does not answer. */
  readonly answer: (request: HttpRequest) => Promise<HttpReply>;
  /** Called for every request that was turned away before `answer`. */
  readonly onTurnedAway: () => void;
}): Promise<Listener> {
  const { limits } = options;
  let held = 0;
  const server = createServer(
    {
      maxHeaderSize: 16 * 1024,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: Math.min(2000, limits.headersMs),
      keepAliveTimeout: 30_000,
      insecureHTTPParser: false,
      noDelay: true,
    },
    (request, response) => void respond(request, response),
  );
  server.maxConnections = limits.connections;
  server.setTimeout(5 * 60_000);

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const since = performance.now();
    const away = new AbortController();
    response.once('close', () => away.abort());
    const own = { bytes: 0 };
    try {
      turnAway(request);
      const reply = await options.answer({
        method: request.method ?? '',
        target: request.url ?? '',
        jsonBytes: headerLength(request),
        signal: away.signal,
        since,
        body: () => readBody(request, own),
      });
      send(request, response, reply);
    } catch (error) {
      const known =
        error instanceof HttpError ? error : new HttpError(500, 'Something went wrong.');
      const body = JSON.stringify({ error: known.message });
      const headers = { 'content-type': 'application/json', ...known.headers };
      send(request, response, { status: known.status, headers, body });
    } finally {
      release(own);
    }
  }

  function turnAway({ headers, headersDistinct, socket }: IncomingMessage): void {
    const refuse = (status: number, message: string, more = {}): never => {
      options.onTurnedAway();
      throw new HttpError(status, message, more);
    };
    const hosts = ['127.0.0.1', 'localhost'].map((name) => `${name}:${socket.localPort}`);
    if (headersDistinct['host']?.length !== 1 || !hosts.includes(headers.host ?? ''))
      refuse(403, 'This port answers to its own name only.');
    if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined)
      refuse(403, 'This port does not answer browsers.');
    const [, token = ''] = /^Bearer ([\x21-\x7e]{1,200})$/i.exec(headers.authorization ?? '') ?? [];
    const digest = createHash('sha256').update(token).digest();
    if (!timingSafeEqual(digest, options.tokenDigest))
      refuse(401, 'The request needs the token that was shown when serving was started.', {
        'www-authenticate': 'Bearer',
      });
  }

  async function readBody(request: IncomingMessage, own: { bytes: number }): Promise<Uint8Array> {
    const encoding = request.headers['content-encoding'] ?? 'identity';
    const unpack = unpackers.get(encoding);
    if (unpack === undefined && encoding !== 'identity')
      throw new HttpError(415, 'Content-Encoding is none, gzip or deflate.');
    const tooLarge = new HttpError(413, `A body has at most ${limits.bodyBytes} bytes.`);
    if ((lengthOf(request.headers['content-length']) ?? 0) > limits.bodyBytes) throw tooLarge;
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) {
      hold(own, part.length);
      if (own.bytes > limits.bodyBytes) throw tooLarge;
      parts.push(part);
    }
    const packed = Buffer.concat(parts);
    if (unpack === undefined) return packed;
    const body = await unpack(packed, { maxOutputLength: limits.bodyBytes }).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge;
        throw new HttpError(400, 'The body is not what its Content-Encoding says.');
      },
    );
    hold(own, body.length);
    return body;
  }

  function hold(own: { bytes: number }, bytes: number): void {
    own.bytes += bytes;
    held += bytes;
    if (held > limits.heldBytes)
      throw new HttpError(503, 'Other requests fill the memory. Try again.', {
        'retry-after': '1',
      });
  }

  function release(own: { bytes: number }): void {
    held -= own.bytes;
    own.bytes = 0;
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: options.port, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const bound = server.address();
  if (typeof bound !== 'object' || bound === null) throw new Error('A port has a number.');
  return {
    port: bound.port,
    close: () =>
      new Promise((resolve) => {
        const impatient = setTimeout(() => server.closeAllConnections(), limits.farewellMs);
        server.close(() => {
          clearTimeout(impatient);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

const unpackers = new Map([
  ['gzip', promisify<Uint8Array, ZlibOptions, Buffer>(gunzip)],
  ['deflate', promisify<Uint8Array, ZlibOptions, Buffer>(inflate)],
]);

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: HttpReply,
): void {
  if (response.destroyed) return;
  // What is still to come of the request is not waited for.
  if (!request.complete) response.shouldKeepAlive = false;
  response.writeHead(status, {
    ...headers,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}

function headerLength({ headers }: IncomingMessage): number | undefined {
  const text = headers['inference-header-content-length'];
  const length = lengthOf(text);
  if (text !== undefined && length === undefined)
    throw new HttpError(400, 'Inference-Header-Content-Length is not a length.');
  return length;
}

function lengthOf(text: string | string[] | undefined): number | undefined {
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
