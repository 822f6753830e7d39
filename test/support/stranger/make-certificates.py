"""Makes test/vectors/x509: chains of certificates, right and wrong, for the tests of method `certificate`.

Run once, by hand: python3 test/support/stranger/make-certificates.py test/vectors/x509
Needs python3-cryptography. The keys are for tests only.
"""

import datetime
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
CODE = ExtendedKeyUsageOID.CODE_SIGNING


def day(year):
    return datetime.datetime(year, 1, 1, tzinfo=datetime.timezone.utc)


def usage(sign=False, cert=False):
    return x509.KeyUsage(
        digital_signature=sign, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=cert, crl_sign=cert,
        encipher_only=False, decipher_only=False,
    )


def make(name, key, issuer=None, *, ca=False, length=None, ku=None, eku=None, extra=(), start=2020, end=2120):
    """`issuer` is (name, key) or None for self-signed."""
    issuer_name, issuer_key = issuer or (name, key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer_name)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(day(start))
        .not_valid_after(day(end))
        .add_extension(x509.BasicConstraints(ca, length), critical=True)
    )
    if ku is not None:
        builder = builder.add_extension(ku, critical=True)
    if eku is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(eku), critical=False)
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, hashes.SHA256())


def pem(*certificates):
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)


def key_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


root_key = ec.generate_private_key(ec.SECP384R1())
root = make("Root", root_key, ca=True, ku=usage(cert=True))
(out / "root.cert.pem").write_bytes(pem(root))
leaf_key = ec.generate_private_key(ec.SECP256R1())
(out / "leaf.key.pem").write_bytes(key_pem(leaf_key))


def chain(name, inner=None, leaf=None, between=None):
    """A chain of leaf and one authority below the root, each changed as told."""
    inner_key = (between or {}).pop("key", None) or ec.generate_private_key(ec.SECP256R1())
    issuing = make(f"{name} authority", inner_key, ("Root", root_key), **{**dict(ca=True, length=0, ku=usage(cert=True)), **(inner or {})})
    last = make(f"{name} signer", leaf_key, (f"{name} authority", inner_key), **{**dict(ku=usage(sign=True), eku=[CODE]), **(leaf or {})})
    (out / f"{name}.chain.pem").write_bytes(pem(last, issuing))


chain("good")
chain("rsa-authority", between=dict(key=rsa.generate_private_key(65537, 3072)))
chain("short-rsa", between=dict(key=rsa.generate_private_key(65537, 1024)))
chain("no-authority", inner=dict(ca=False, length=None))
chain("no-cert-sign", inner=dict(ku=usage(sign=True)))
chain("tls-authority", inner=dict(eku=[ExtendedKeyUsageOID.SERVER_AUTH]))
chain("no-code-signing", leaf=dict(eku=[ExtendedKeyUsageOID.SERVER_AUTH]))
chain("no-usage", leaf=dict(eku=None))
chain("no-signature", leaf=dict(ku=usage(cert=True)))
chain("expired-signer", leaf=dict(start=2019, end=2021))
chain("expired-authority", inner=dict(start=2019, end=2021))
chain("future-signer", leaf=dict(start=2110))
constraints = x509.NameConstraints([x509.DNSName("example.com")], None)
chain("name-constraints", inner=dict(extra=[(constraints, True)]))
chain("soft-name-constraints", inner=dict(extra=[(constraints, False)]))
unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
chain("unknown-critical", leaf=dict(extra=[(unknown, True)]))
chain("unknown", leaf=dict(extra=[(unknown, False)]))

# One authority more than the path length of the first allows.
outer_key = ec.generate_private_key(ec.SECP256R1())
inner_key = ec.generate_private_key(ec.SECP256R1())
outer = make("outer", outer_key, ("Root", root_key), ca=True, length=0, ku=usage(cert=True))
inner = make("inner", inner_key, ("outer", outer_key), ca=True, ku=usage(cert=True))
last = make("too-long signer", leaf_key, ("inner", inner_key), ku=usage(sign=True), eku=[CODE])
(out / "too-long.chain.pem").write_bytes(pem(last, inner, outer))
outer = make("outer", outer_key, ("Root", root_key), ca=True, length=1, ku=usage(cert=True))
(out / "three.chain.pem").write_bytes(pem(last, outer, inner))

# Authorities that issue each other in circles, with one key and one name.
circle = [make("circle", inner_key, ca=True, ku=usage(cert=True)) for _ in range(9)]
last = make("circle signer", leaf_key, ("circle", inner_key), ku=usage(sign=True), eku=[CODE])
(out / "circle.chain.pem").write_bytes(pem(last, *circle))

# The same name as the root, another key.
false_key = ec.generate_private_key(ec.SECP384R1())
inner = make("false authority", inner_key, ("Root", false_key), ca=True, ku=usage(cert=True))
last = make("false signer", leaf_key, ("false authority", inner_key), ku=usage(sign=True), eku=[CODE])
(out / "false-root.chain.pem").write_bytes(pem(last, inner, make("Root", false_key, ca=True, ku=usage(cert=True))))
