"""Prints one file of a vault. Written from electron/domain/vault/FORMAT.md alone, with tools that anybody can have.

    open_vault.py VAULT MODEL VERSION PATH --user NAME    (password in the environment variable PASSWORD)
    open_vault.py VAULT MODEL VERSION PATH --recovery     (key, or shares one on a line, in RECOVERY)

Needs the Python packages cryptography and argon2-cffi.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import sqlite3
import struct
import sys
import tempfile
import unicodedata

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand


def jcs(value):
    """RFC 8785, for the strings and whole numbers that stand in a vault."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def hkdf(ikm, salt, info):
    return HKDF(hashes.SHA256(), 32, salt, info.encode()).derive(ikm)


def b64(text):
    return base64.b64decode(text, validate=True)


def nfc(text):
    return unicodedata.normalize("NFC", text)


def unwrap(key, wrapped, aad):
    return AESGCM(key).decrypt(wrapped[:12], wrapped[12:], aad)


# Section 2: key slots


def password_kek(slot, password):
    salt, kdf = b64(slot["salt"]), slot["kdf"]
    secret = nfc(password).encode()
    if kdf["name"] == "argon2id":
        return hash_secret_raw(
            secret, salt, kdf["passes"], kdf["memoryKib"], kdf["lanes"], 32, Type.ID, 0x13
        )
    return hashlib.pbkdf2_hmac("sha512", secret, salt, kdf["iterations"], 32)


ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def from_paper(text, length, label):
    clean = "".join(text.upper().replace("-", "").split())
    clean = clean.replace("O", "0").replace("I", "1").replace("L", "1")
    number = 0
    for symbol in clean:
        number = number * 32 + ALPHABET.index(symbol)
    data = number.to_bytes(length + 4, "big")
    body, checksum = data[:length], data[length:]
    assert hashlib.sha256(label.encode() + body).digest()[:4] == checksum, "a typing error"
    return body


def times(a, b):
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = (a << 1) ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def divided(a, b):
    return next(x for x in range(256) if times(x, b) == a)


def recovery_key(text):
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) == 1:
        return from_paper(lines[0], 32, "strongroom recovery key")
    shares = [from_paper(line, 42, "strongroom recovery share") for line in lines]
    assert len({share[:9] for share in shares}) == 1, "shares of different sets"
    points = {share[9]: share[10:] for share in shares}
    assert len(points) >= shares[0][8], "more shares are needed"
    key = bytearray(32)
    for i, y in points.items():
        weight = 1
        for j in points:
            if j != i:
                weight = times(weight, divided(j, i ^ j))
        for k in range(32):
            key[k] ^= times(y[k], weight)
    return bytes(key)


# Section 3: HPKE (RFC 9180) with DHKEM(P-256, HKDF-SHA-256), HKDF-SHA-256, AES-256-GCM


def labeled_extract(suite, salt, label, ikm):
    return hmac.new(salt, b"HPKE-v1" + suite + label + ikm, hashlib.sha256).digest()


def labeled_expand(suite, prk, label, info, length):
    labeled = struct.pack(">H", length) + b"HPKE-v1" + suite + label + info
    return HKDFExpand(hashes.SHA256(), length, labeled).derive(prk)


def hpke_open(private_key, public_key, enc, ciphertext, info, aad):
    own = ec.derive_private_key(int.from_bytes(private_key, "big"), ec.SECP256R1())
    peer = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), enc)
    kem = b"KEM" + struct.pack(">H", 0x0010)
    prk = labeled_extract(kem, b"", b"eae_prk", own.exchange(ec.ECDH(), peer))
    shared = labeled_expand(kem, prk, b"shared_secret", enc + public_key, 32)
    suite = b"HPKE" + struct.pack(">HHH", 0x0010, 0x0001, 0x0002)
    context = (
        b"\x00"
        + labeled_extract(suite, b"", b"psk_id_hash", b"")
        + labeled_extract(suite, b"", b"info_hash", info)
    )
    secret = labeled_extract(suite, shared, b"secret", b"")
    key = labeled_expand(suite, secret, b"key", context, 32)
    nonce = labeled_expand(suite, secret, b"base_nonce", context, 12)
    return AESGCM(key).decrypt(nonce, ciphertext, aad)


def purpose_keys(vault, slot, kek):
    bound = {"vaultId": vault["vaultId"], "kind": slot["kind"], "id": slot["id"]}
    if slot["kind"] == "password":
        bound.update(kdf=slot["kdf"], salt=slot["salt"])
    private_key = unwrap(kek, b64(slot["wrappedPrivateKey"]), jcs(bound))
    keys = {}
    for purpose, sealed in slot["sealed"].items():
        epoch = vault.get("epochs", {}).get(purpose, 1)
        aad = {"vaultId": vault["vaultId"], "slotId": slot["id"], "purpose": purpose}
        if epoch != 1:
            aad["epoch"] = epoch
        keys[purpose] = hpke_open(
            private_key,
            b64(slot["publicKey"]),
            b64(sealed["enc"]),
            b64(sealed["ciphertext"]),
            b"strongroom purpose key v1",
            jcs(aad),
        )
    return keys


def open_slot(vault, user, environment):
    if user is None:
        key = recovery_key(environment["RECOVERY"])
        slot = next(slot for slot in vault["slots"] if slot["kind"] == "recovery")
        kek = hkdf(key, bytes.fromhex(slot["id"]), "strongroom recovery slot v1")
    else:
        tag = hmac.new(b64(vault["tagSalt"]), nfc(user).lower().encode(), hashlib.sha256).digest()
        slot = next(
            slot
            for slot in vault["slots"]
            if slot["kind"] == "password" and b64(slot["tag"]) == tag
        )
        kek = password_kek(slot, environment["PASSWORD"])
    return purpose_keys(vault, slot, kek)


# Section 4: databases


def decrypt_database(data, key):
    """The pages of SQLCipher 4, as its design page says; the result is a plain SQLite database."""
    salt = data[:16]
    hmac_key = hashlib.pbkdf2_hmac("sha512", key, bytes(b ^ 0x3A for b in salt), 2, 32)
    pages = [b"SQLite format 3\x00"]
    for number in range(1, len(data) // 4096 + 1):
        page = data[(number - 1) * 4096 : number * 4096]
        start = 16 if number == 1 else 0
        content, iv, tag = page[start:4016], page[4016:4032], page[4032:]
        signed = content + iv + struct.pack("<I", number)
        assert hmac.compare_digest(hmac.new(hmac_key, signed, hashlib.sha512).digest(), tag)
        decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        pages.append(decryptor.update(content) + decryptor.finalize() + bytes(80))
    return b"".join(pages)


def open_database(path, keys, folder):
    name = os.path.basename(path)
    key = hkdf(keys[name[: -len(".db")]], b"", "strongroom " + name)
    plain = os.path.join(folder, name)
    with open(path, "rb") as source, open(plain, "wb") as target:
        target.write(decrypt_database(source.read(), key))
    return sqlite3.connect(plain)


# Section 5: objects


def read_object(data, key, aad):
    parameters, iv, tag = data[:10], data[10:42], data[42:74]
    assert parameters == struct.pack(">BBII", 0, 0, 1_048_576, 32), "other FLOE parameters"

    def kdf(secret, purpose, length):
        return HKDFExpand(hashes.SHA384(), length, parameters + iv + purpose + aad).derive(secret)

    assert hmac.compare_digest(kdf(key, b"HEADER_TAG:", 32), tag), "not the key of this object"
    message_key = kdf(key, b"MESSAGE_KEY:", 48)
    plaintext, at, i = b"", 74, 0
    while True:
        word = struct.unpack(">I", data[at : at + 4])[0]
        last = word != 0xFFFFFFFF
        length = word if last else 1_048_576
        segment = data[at : at + length]
        segment_key = kdf(message_key, b"DEK:" + struct.pack(">Q", i & ~0xFFFFF), 32)
        segment_aad = struct.pack(">QB", i, 1 if last else 0)
        plaintext += AESGCM(segment_key).decrypt(segment[4:16], segment[16:], segment_aad)
        at, i = at + length, i + 1
        if last:
            assert at == len(data), "something follows the last segment"
            return plaintext


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("vault")
    parser.add_argument("model")
    parser.add_argument("version", type=int)
    parser.add_argument("path")
    parser.add_argument("--user")
    parser.add_argument("--recovery", action="store_true")
    given = parser.parse_args()

    with open(os.path.join(given.vault, "vault.json"), encoding="utf-8") as file:
        vault = json.load(file)
    assert vault["formatVersion"] in (1, 2), "a version that this page does not describe"
    keys = open_slot(vault, None if given.recovery else given.user, os.environ)

    mac = b64(vault.pop("mac"))
    mac_key = hkdf(keys["catalog"], b"", "strongroom vault.json v1")
    assert hmac.compare_digest(hmac.new(mac_key, jcs(vault), hashlib.sha256).digest(), mac)

    with tempfile.TemporaryDirectory() as folder:
        catalog = open_database(os.path.join(given.vault, "catalog.db"), keys, folder)
        object_id, wrapped, epoch, size, digest = catalog.execute(
            "SELECT o.id, o.wrapped_key, o.epoch, o.size_bytes, o.sha256 FROM models m"
            " JOIN version_files f ON f.model_id = m.model_id JOIN objects o ON o.id = f.object_id"
            " WHERE m.name = ? AND f.version = ? AND f.path = ?",
            (given.model, given.version, given.path),
        ).fetchone()
        catalog.close()
    bare_id = bytes.fromhex(object_id)
    wrapping = hkdf(keys["models"], b"", "strongroom object keys v1")
    object_key = unwrap(wrapping, wrapped, bare_id + struct.pack(">I", epoch))
    with open(os.path.join(given.vault, "objects", object_id[:2], object_id), "rb") as file:
        data = file.read()
    plaintext = read_object(data, object_key, bytes.fromhex(vault["vaultId"]) + bare_id)
    assert len(plaintext) == size and hashlib.sha256(plaintext).hexdigest() == digest
    sys.stdout.buffer.write(plaintext)


main()
