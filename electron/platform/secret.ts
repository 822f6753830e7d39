/**
 * Key material: branded so that one purpose's key cannot be passed for another's, zeroed when disposed,
 * and printed as `<secret>` by every route Node offers.
 */
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

export class Secret<Purpose extends string> {
  declare private readonly purpose: Purpose;
  readonly #bytes: Uint8Array;
  #open = true;

  /** Takes ownership of `bytes`: they are zeroed with the secret. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  static random<P extends string>(lengthBytes: number): Secret<P> {
    return new Secret<P>(new Uint8Array(randomBytes(lengthBytes)));
  }

  /** The raw bytes, valid until disposal. Do not keep or copy them. */
  reveal(): Uint8Array {
    if (!this.#open) throw new Error('This key has been destroyed.');
    return this.#bytes;
  }

  [Symbol.dispose](): void {
    this.#bytes.fill(0);
    this.#open = false;
  }

  toString(): string {
    return '<secret>';
  }

  toJSON(): string {
    return '<secret>';
  }

  [inspect.custom](): string {
    return '<secret>';
  }
}
