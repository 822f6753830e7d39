/**
 * The keychain belongs to the host's process, its user is the core: questions and answers over the channel between the two. Secrets
 * travel as base64 inside a private pipe of the same account and are never logged.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AppError, isErrorCode } from '#shared/errors.ts';
import type { Keychain } from '#platform/keychain.ts';

const question = z.strictObject({
  kind: z.literal('keychain'),
  id: z.string(),
  act: z.enum(['available', 'store', 'load', 'remove']),
  name: z.string(),
  secret: z.base64().optional(),
});

const answer = z.strictObject({
  kind: z.literal('keychain-answer'),
  id: z.string(),
  state: z.strictObject({ ok: z.boolean(), reason: z.string() }).optional(),
  secret: z.base64().optional(),
  error: z.strictObject({ code: z.string(), message: z.string() }).optional(),
});
type Answer = z.infer<typeof answer>;

/** One end of a channel, as both processes see it. */
export interface Channel {
  send(message: object): void;
  onMessage(listener: (message: unknown) => void): void;
}

/** In the host. Tells whether a message was one for the keychain. */
export function answerKeychain(
  keychain: Keychain,
  send: Channel['send'],
): (message: unknown) => boolean {
  return (message) => {
    const parsed = question.safeParse(message);
    if (!parsed.success) return false;
    const { id } = parsed.data;
    perform(keychain, parsed.data)
      .catch((error: unknown) => ({
        error:
          error instanceof AppError
            ? { code: error.code, message: error.message }
            : { code: 'io', message: 'The keychain of this system did not answer.' },
      }))
      .then((result) => send({ kind: 'keychain-answer', id, ...result }))
      .catch(() => undefined); // the core is gone, and nobody waits for the answer
    return true;
  };
}

async function perform(
  keychain: Keychain,
  { act, name, secret }: z.infer<typeof question>,
): Promise<Omit<Answer, 'kind' | 'id'>> {
  switch (act) {
    case 'available':
      return { state: await keychain.available() };
    case 'store':
      await keychain.store(name, Buffer.from(secret ?? '', 'base64'));
      return {};
    case 'load': {
      const loaded = await keychain.load(name);
      return loaded === undefined ? {} : { secret: Buffer.from(loaded).toString('base64') };
    }
    case 'remove':
      await keychain.remove(name);
      return {};
  }
}

/** In the core. */
export function remoteKeychain({ send, onMessage }: Channel): Keychain {
  const pending = new Map<string, (answer: Answer) => void>();
  onMessage((message) => {
    const parsed = answer.safeParse(message);
    if (!parsed.success) return;
    pending.get(parsed.data.id)?.(parsed.data);
    pending.delete(parsed.data.id);
  });

  async function ask(act: string, name: string, secret?: Uint8Array): Promise<Answer> {
    const id = randomUUID();
    const answered = new Promise<Answer>((resolve) => pending.set(id, resolve));
    const carried = secret === undefined ? {} : { secret: Buffer.from(secret).toString('base64') };
    send({ kind: 'keychain', id, act, name, ...carried });
    const result = await answered;
    if (result.error === undefined) return result;
    const { code, message } = result.error;
    throw new AppError(isErrorCode(code) ? code : 'io', message);
  }

  return {
    available: async () =>
      (await ask('available', '')).state ?? { ok: false, reason: 'The keychain did not answer.' },
    store: async (name, secret) => void (await ask('store', name, secret)),
    async load(name) {
      const { secret } = await ask('load', name);
      return secret === undefined ? undefined : new Uint8Array(Buffer.from(secret, 'base64'));
    },
    remove: async (name) => void (await ask('remove', name)),
  };
}
