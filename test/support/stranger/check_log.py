"""Checks an exported log. Written from electron/domain/audit/FORMAT.md alone, with nothing of this program.

    check_log.py DIR [--verifier-key KEY]    (a key of the log, of any time)

Prints the size, the root and the keys of the log in their order, or says what does not hold and ends with 1.
Needs the Python package cryptography.
"""

import argparse
import base64
import hashlib
import json
import os

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_der_public_key


def b64(text):
    return base64.b64decode(text, validate=True)


def require(holds, message):
    if not holds:
        raise SystemExit("does not hold: " + message)


# Section 1: the tree (RFC 6962)


def leaf_hash(entry):
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_hash(leaves):
    """Of leaf hashes, by the definition."""
    if len(leaves) == 0:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(tree_hash(leaves[:split]), tree_hash(leaves[split:]))


def root_of_proof(leaf, index, size, path):
    """RFC 9162, 2.1.3.2."""
    first, last, root = index, size - 1, leaf
    for other in path:
        require(last > 0, "a proof is too long")
        if first % 2 == 1 or first == last:
            root = node_hash(other, root)
            while first % 2 == 0 and first != 0:
                first, last = first // 2, last // 2
        else:
            root = node_hash(root, other)
        first, last = first // 2, last // 2
    require(last == 0, "a proof is too short")
    return root


# Section 3: keys and signed notes


def parse_key(text):
    name, key_id, encoded = text.strip().split("+", 2)
    typed = b64(encoded)
    if typed[0] == 0x01:
        expected = hashlib.sha256(name.encode() + b"\n" + typed).digest()[:4]
    else:
        require(typed[0] == 0x02, "a kind of key that this page does not describe")
        expected = hashlib.sha256(typed[1:]).digest()[:4]
    require(expected.hex() == key_id, "the id of a key")
    return name, bytes.fromhex(key_id), typed


def is_signature(key, message, signature):
    try:
        if key[2][0] == 0x01:
            ed25519.Ed25519PublicKey.from_public_bytes(key[2][1:]).verify(signature, message)
        else:
            load_der_public_key(key[2][1:]).verify(signature, message, ec.ECDSA(hashes.SHA256()))
        return True
    except InvalidSignature:
        return False


def parse_checkpoint(note):
    text, signatures = note.rsplit("\n\n", 1)
    origin, size, root = text.split("\n")
    signed = []
    for line in signatures.rstrip("\n").split("\n"):
        dash, name, encoded = line.split(" ")
        require(dash == "\u2014", "a line of signatures")
        signed.append((name, b64(encoded)))
    return origin, int(size), b64(root), (text + "\n").encode(), signed


def is_signed_by(checkpoint, key):
    origin, _, _, message, signed = checkpoint
    return origin == key[0] and any(
        name == key[0] and line[:4] == key[1] and is_signature(key, message, line[4:])
        for name, line in signed
    )


# Section 7: hand-overs of the key

PROOF = "c2sp.org/tlog-proof@v1\n"


def parse_history(text):
    header, *proofs = text.split(PROOF)
    require(header == "strongroom.invalid/key-history@v1\n", "the header of the key history")
    return [parse_hand_over(proof) for proof in proofs]


def parse_hand_over(proof):
    head, note = proof.split("\n\n", 1)
    extra, index, *path = head.split("\n")
    require(extra.startswith("extra ") and index.startswith("index "), "the form of a hand-over")
    index = int(index[len("index ") :])
    text = json.loads(b64(extra[len("extra ") :]))["entry"]
    entry, checkpoint = json.loads(text), parse_checkpoint(note)
    require(entry["action"] == "audit.key-rotate" and entry["phase"] == "event", "its entry")
    require(entry["index"] == index and checkpoint[1] == index + 1, "its place")
    before, after = (parse_key(entry["details"][n]) for n in ("previousKey", "verifierKey"))
    root = root_of_proof(leaf_hash(text.encode()), index, index + 1, [b64(hash) for hash in path])
    require(root == checkpoint[2], "the proof of a hand-over")
    require(is_signed_by(checkpoint, before), "the old key's signature under a hand-over")
    require(is_signed_by(checkpoint, after), "the new key's signature under a hand-over")
    return {"index": index, "before": before, "after": after, "root": root}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir")
    parser.add_argument("--verifier-key")
    given = parser.parse_args()

    def read(name):
        with open(os.path.join(given.dir, name), encoding="utf-8", newline="") as file:
            return file.read()

    checkpoint = parse_checkpoint(read("checkpoint"))
    lines = read("entries.jsonl").split("\n")
    require(lines.pop() == "" and len(lines) == checkpoint[1], "the number of entries")
    leaves = [leaf_hash(line.encode()) for line in lines]
    require(tree_hash(leaves) == checkpoint[2], "the root")

    key = parse_key(read("verifier-key"))
    has_history = os.path.exists(os.path.join(given.dir, "key-history"))
    history = parse_history(read("key-history")) if has_history else []
    entries = [json.loads(line) for line in lines]
    told = [entry["index"] for entry in entries if entry["action"] == "audit.key-rotate"]
    require(told == [one["index"] for one in history], "the key history against the entries")
    keys = [one["before"] for one in history] + [key]
    for one, after in zip(history, keys[1:]):
        require(one["after"] == after, "the order of the keys")
        require(tree_hash(leaves[: one["index"] + 1]) == one["root"], "the place of a hand-over")
    require(is_signed_by(checkpoint, key), "the signature of the checkpoint")
    if given.verifier_key is not None:
        require(parse_key(given.verifier_key) in keys, "none of the keys is the given one")
    names = [f"{name}+{key_id.hex()}+{base64.b64encode(typed).decode()}" for name, key_id, typed in keys]
    print(json.dumps({"size": len(lines), "root": checkpoint[2].hex(), "keys": names}))


main()
