"""A second OpenSSF Model Signing signer and verifier, written from the specification alone (OMS 1.0), to check Strongroom's.

    oms.py sign DIR --key PRIVATE.pem [--cert CHAIN.pem] [--shards BYTES] [--hash sha256|blake2b] [--ignore PATH]... [--out NAME]
    oms.py verify DIR (--key PUBLIC.pem | --root CERTIFICATE.pem) [--signature NAME]

Exits with 0 when the signature holds and 1 when it does not. Needs python3-cryptography.
"""

import argparse
import base64
import hashlib
import json
import pathlib
import sys

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.x509.oid import ExtendedKeyUsageOID

TYPE = "application/vnd.in-toto+json"
PREDICATE = "https://model_signing/signature/v1.0"
OUTSIDE = [".git", ".gitignore", ".gitattributes", ".github"]
HASH = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}


def pae(payload):
    return f"DSSEv1 {len(TYPE)} {TYPE} {len(payload)} ".encode() + payload


def digest(algorithm, data):
    return hashlib.new({"sha256": "sha256", "blake2b": "blake2b"}[algorithm], data).hexdigest()


def ignored(path, paths):
    return any(path == one or path.startswith(one + "/") for one in paths)


def resources(root, serialization_, ignore):
    found = []
    for file in root.rglob("*"):
        path = file.relative_to(root).as_posix()
        if ignored(path, ignore) or file.is_dir():
            continue
        assert not file.is_symlink(), "a link"
        data = file.read_bytes()
        algorithm = serialization_["hash_type"]
        if serialization_["method"] == "files":
            found.append({"name": path, "digest": digest(algorithm, data), "algorithm": algorithm})
            continue
        size = serialization_["shard_size"]
        for start in range(0, len(data), size):
            end = min(start + size, len(data))
            found.append({
                "name": f"{path}:{start}:{end}", "digest": digest(algorithm, data[start:end]),
                "algorithm": algorithm,
            })
    return sorted(found, key=lambda one: one["name"])


def root_digest(found):
    return hashlib.sha256(b"".join(bytes.fromhex(one["digest"]) for one in found)).hexdigest()


def sign(arguments):
    root = pathlib.Path(arguments.dir)
    key = serialization.load_pem_private_key(pathlib.Path(arguments.key).read_bytes(), None)
    ignore = sorted({*OUTSIDE, arguments.out, *arguments.ignore})
    serialization_ = {
        "method": "shards" if arguments.shards else "files", "hash_type": arguments.hash,
        "allow_symlinks": False, "ignore_paths": ignore,
        **({"shard_size": arguments.shards} if arguments.shards else {}),
    }
    found = resources(root, serialization_, ignore)
    payload = json.dumps({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": root.name, "digest": {"sha256": root_digest(found)}}],
        "predicateType": PREDICATE,
        "predicate": {"resources": found, "serialization": serialization_},
    }).encode()
    if arguments.cert:
        chain = load_pem_certificates(pathlib.Path(arguments.cert).read_bytes())
        der = [one.public_bytes(serialization.Encoding.DER) for one in chain]
        material = {"x509CertificateChain": {
            "certificates": [{"rawBytes": base64.b64encode(one).decode()} for one in der]}}
    else:
        pem = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        material = {"publicKey": {"hint": hashlib.sha256(pem).hexdigest()}}
    signature = key.sign(pae(payload), ec.ECDSA(HASH[key.curve.key_size]))
    (root / arguments.out).write_text(json.dumps({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": material,
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(), "payloadType": TYPE,
            "signatures": [{"sig": base64.b64encode(signature).decode()}],
        },
    }))


def load_pem_certificates(pem):
    end = b"-----END CERTIFICATE-----"
    return [x509.load_pem_x509_certificate(one + end) for one in pem.split(end)[:-1]]


def check_issued_by(one, issuer):
    # Debian 12 has a release of the package that does not do this by itself.
    assert one.issuer == issuer.subject, "another issuer"
    key, algorithm = issuer.public_key(), one.signature_hash_algorithm
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(one.signature, one.tbs_certificate_bytes, ec.ECDSA(algorithm))
    else:
        key.verify(one.signature, one.tbs_certificate_bytes, padding.PKCS1v15(), algorithm)


def signing_key(material, arguments):
    if arguments.key:
        pem = pathlib.Path(arguments.key).read_bytes()
        assert material["publicKey"]["hint"] == hashlib.sha256(pem).hexdigest(), "another key"
        return serialization.load_pem_public_key(pem)
    chain = [
        x509.load_der_x509_certificate(base64.b64decode(one["rawBytes"]))
        for one in material["x509CertificateChain"]["certificates"]
    ] + load_pem_certificates(pathlib.Path(arguments.root).read_bytes())
    for one, issuer in zip(chain, chain[1:]):
        check_issued_by(one, issuer)
    usage = chain[0].extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert ExtendedKeyUsageOID.CODE_SIGNING in usage, "not for code"
    return chain[0].public_key()


def verify(arguments):
    root = pathlib.Path(arguments.dir)
    bundle = json.loads((root / arguments.signature).read_text())
    assert bundle["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    envelope = bundle["dsseEnvelope"]
    payload = base64.b64decode(envelope["payload"], validate=True)
    assert envelope["payloadType"] == TYPE and len(envelope["signatures"]) == 1
    key = signing_key(bundle["verificationMaterial"], arguments)
    key.verify(base64.b64decode(envelope["signatures"][0]["sig"]), pae(payload),
               ec.ECDSA(HASH[key.curve.key_size]))
    statement = json.loads(payload)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == PREDICATE
    predicate = statement["predicate"]
    ignore = [*OUTSIDE, arguments.signature, *predicate["serialization"].get("ignore_paths", [])]
    found = resources(root, predicate["serialization"], ignore)
    listed = predicate["resources"]
    assert [one["name"] for one in listed] == sorted(one["name"] for one in listed), "not sorted"
    assert found == [
        {name: one[name] for name in ("name", "digest", "algorithm")} for one in listed
    ], "other files"
    assert statement["subject"][0]["digest"]["sha256"] == root_digest(listed), "other root"


parser = argparse.ArgumentParser()
commands = parser.add_subparsers(dest="command", required=True)
one = commands.add_parser("sign")
one.add_argument("dir")
one.add_argument("--key", required=True)
one.add_argument("--cert")
one.add_argument("--shards", type=int)
one.add_argument("--hash", default="sha256")
one.add_argument("--ignore", action="append", default=[])
one.add_argument("--out", default="model.sig")
other = commands.add_parser("verify")
other.add_argument("dir")
other.add_argument("--key")
other.add_argument("--root")
other.add_argument("--signature", default="model.sig")
given = parser.parse_args()
try:
    sign(given) if given.command == "sign" else verify(given)
except (AssertionError, InvalidSignature, KeyError, ValueError) as error:
    sys.exit(f"refused: {type(error).__name__} {error}")
