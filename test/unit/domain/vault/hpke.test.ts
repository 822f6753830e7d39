import { describe, expect, test } from 'vitest';
import { generateHpkeKeyPair, hpkeOpen, hpkeSeal } from '../../../../electron/domain/vault/hpke.ts';

const hex = (text: string): Uint8Array => Buffer.from(text, 'hex');

/** RFC 9180, appendix A.3.1: base mode, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, sequence number 0. */
const rfc = {
  info: hex('4f6465206f6e2061204772656369616e2055726e'),
  aad: hex('436f756e742d30'),
  plaintext: hex('4265617574792069732074727574682c20747275746820626561757479'),
  ciphertext:
    '5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434',
  ephemeral: {
    publicKey: hex(
      '04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4',
    ),
    privateKey: hex('4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb'),
  },
  recipient: {
    publicKey: hex(
      '04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a826a779b4cf969b8a0e539c7f62fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0',
    ),
    privateKey: hex('f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2'),
  },
};

describe('HPKE', () => {
  test('gives the published ciphertext and opens it', () => {
    const { info, aad, plaintext, ephemeral, recipient } = rfc;
    const sealed = hpkeSeal({
      publicKey: recipient.publicKey,
      info,
      aad,
      plaintext,
      ephemeral,
      aead: 'aes-128-gcm',
    });
    expect(Buffer.from(sealed.ciphertext).toString('hex')).toBe(rfc.ciphertext);
    expect(hpkeOpen({ ...sealed, keyPair: recipient, info, aad, aead: 'aes-128-gcm' })).toEqual(
      Buffer.from(plaintext),
    );
  });

  test('opens for nothing but the same key, info and AAD', () => {
    const keyPair = generateHpkeKeyPair();
    const context = { info: hex('01'), aad: hex('02') };
    const sealed = hpkeSeal({ publicKey: keyPair.publicKey, plaintext: hex('c0ffee'), ...context });
    expect(hpkeOpen({ ...sealed, keyPair, ...context })).toEqual(hex('c0ffee'));
    const wrong = [
      { ...sealed, keyPair: generateHpkeKeyPair(), ...context },
      { ...sealed, keyPair, ...context, info: hex('03') },
      { ...sealed, keyPair, ...context, aad: hex('03') },
      { ...sealed, keyPair, ...context, enc: hex('04') },
      { ...sealed, keyPair, ...context, ciphertext: hex('00') },
    ];
    for (const message of wrong)
      expect(() => hpkeOpen(message)).toThrow(expect.objectContaining({ code: 'tampered' }));
  });
});
