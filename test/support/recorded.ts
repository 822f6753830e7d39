/** Requests that clients of the protocol have sent, byte by byte, and a socket that sends them again. */
import { readFileSync } from 'node:fs';
// oxlint-disable-next-line no-restricted-imports -- a client of the listener
import { connect } from 'node:net';
import { join } from 'node:path';

export interface Recorded {
  readonly client: string;
  readonly about: string;
  /** Request line and headers, with `{HOST}` and `{TOKEN}` in place of those of that day. */
  readonly head: string;
  /** Base64. */
  readonly body: string;
  readonly status: number;
  /** Of inferences: what is in the request. Floats as numbers, everything else as text. */
  readonly tensors?: Readonly<Record<string, { shape: number[]; values: (number | string)[] }>>;
  readonly id?: string;
  readonly wanted?: string[];
  readonly binaryOutput?: boolean;
}

export const recordedRequests = JSON.parse(
  readFileSync(join(import.meta.dirname, '../vectors/serving/recorded.json'), 'utf8'),
) as Recorded[];

/** Value of a header, or undefined. */
export function headerOf(head: string, name: string): string | undefined {
  return new RegExp(`^${name}: *(.*?)\\r?$`, 'im').exec(head)?.[1];
}

/** The reply to the same bytes, on a connection of their own. */
export function sendRecorded(
  { head, body }: Recorded,
  to: { readonly address: string; readonly token: string },
): Promise<{ readonly status: number; readonly head: string; readonly body: Buffer }> {
  const [host = '', port] = to.address.split(':');
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host);
    let reply = Buffer.alloc(0);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('The connection ended before the reply did.')));
    socket.on('data', (part: Buffer) => {
      reply = Buffer.concat([reply, part]);
      // To who asks before it sends its body.
      if (reply.toString('latin1', 0, 12) === 'HTTP/1.1 100')
        reply = reply.subarray(reply.indexOf('\r\n\r\n') + 4);
      const end = reply.indexOf('\r\n\r\n');
      if (end < 0) return;
      const replyHead = reply.toString('latin1', 0, end);
      const replyBody = reply.subarray(end + 4);
      if (replyBody.length < Number(headerOf(replyHead, 'content-length') ?? '0')) return;
      resolve({ status: Number(replyHead.split(' ', 2)[1]), head: replyHead, body: replyBody });
      socket.destroy();
    });
    const told = head.replace('{HOST}', to.address).replace('{TOKEN}', to.token);
    socket.write(
      Buffer.concat([Buffer.from(`${told}\r\n\r\n`, 'latin1'), Buffer.from(body, 'base64')]),
    );
  });
}
