"""OpenStack Barbican's KMIP secret store, called as Barbican's core calls it: generate, store, get, delete.

Usage: barbican_store.py PART..., where a part is `modern`, which any tenant may do, or `3des`.
"""

import base64
import datetime
import os
import sys

import steps
from barbican.plugin import kmip_secret_store as plugin
from barbican.plugin.interface import secret_store as ss
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

RSA_BITS = 2048
# Barbican keeps asymmetric keys and certificates as PEM, and everything as base64 around it.
PEM = serialization.Encoding.PEM


def store():
    for name, variable in {
        "host": "CLAVIS_HOST",
        "port": "CLAVIS_PORT",
        "certfile": "CLAVIS_CERTIFICATE",
        "keyfile": "CLAVIS_KEY",
        "ca_certs": "CLAVIS_AUTHORITY",
    }.items():
        plugin.CONF.set_override(name, os.environ[variable], group="kmip_plugin")
    return plugin.KMIPSecretStore(plugin.CONF)


def generated(store, algorithm, bits, octets):
    """A key that the server makes, which comes back with what was asked."""
    spec = ss.KeySpec(algorithm, bits)
    steps.check(store.generate_supports(spec), f"Barbican offers {algorithm} of {bits} bits")
    metadata = store.generate_symmetric_key(spec)
    got = store.get_secret(ss.SecretType.SYMMETRIC, metadata)
    steps.check(len(base64.b64decode(got.secret)) == octets, f"{octets} bytes")
    steps.check((got.key_spec.alg, got.key_spec.bit_length) == (algorithm, bits), "algorithm and length are kept")
    again = store.get_secret(ss.SecretType.SYMMETRIC, metadata)
    steps.check(again.secret == got.secret, "the same bytes each time")
    deleted(store, ss.SecretType.SYMMETRIC, metadata)


def deleted(store, kind, metadata):
    store.delete_secret(metadata)
    steps.refused(ss.SecretGeneralException, store.get_secret, kind, metadata)
    steps.refused(ss.SecretGeneralException, store.delete_secret, metadata)


def generated_pair(store):
    """Barbican asks for a key pair without any usage mask."""
    pair = store.generate_asymmetric_key(ss.KeySpec("rsa", RSA_BITS))
    private = store.get_secret(ss.SecretType.PRIVATE, pair.private_key_meta)
    public = store.get_secret(ss.SecretType.PUBLIC, pair.public_key_meta)
    for half in (private, public):
        steps.check((half.key_spec.alg, half.key_spec.bit_length) == ("rsa", RSA_BITS), "algorithm and length")
    private = serialization.load_pem_private_key(base64.b64decode(private.secret), None)
    public = serialization.load_pem_public_key(base64.b64decode(public.secret))
    steps.check(private.public_key().public_numbers() == public.public_numbers(), "the halves belong together")
    for kind, metadata in [(ss.SecretType.PRIVATE, pair.private_key_meta), (ss.SecretType.PUBLIC, pair.public_key_meta)]:
        deleted(store, kind, metadata)


def stored(store, kind, secret, spec=None):
    """A secret that comes back as it went."""
    spec = spec or ss.KeySpec()
    sent = ss.SecretDTO(kind, base64.b64encode(secret), spec, "application/octet-stream")
    metadata = store.store_secret(sent)
    got = store.get_secret(kind, metadata)
    steps.check(base64.b64decode(got.secret) == secret, "the same bytes come back")
    steps.check((got.key_spec.alg, got.key_spec.bit_length) == (spec.alg, spec.bit_length), "and what they are")
    deleted(store, kind, metadata)


def key_pair():
    key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a certificate of Barbican's")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return private, public, certificate.public_bytes(PEM)


def modern(story, store):
    for bits in (256, 192, 128):
        story.step(f"generate AES-{bits}", generated, store, "aes", bits, bits // 8)
    story.step("generate HMAC-SHA256", generated, store, "hmacsha256", 256, 32)
    story.step("generate an RSA pair", generated_pair, store)
    private, public, certificate = key_pair()
    rsa_spec = ss.KeySpec("rsa", RSA_BITS)
    for name, kind, secret, spec in [
        ("a symmetric key", ss.SecretType.SYMMETRIC, bytes(range(32)), ss.KeySpec("aes", 256)),
        ("a passphrase", ss.SecretType.PASSPHRASE, b"a passphrase of Barbican's", None),
        ("something opaque", ss.SecretType.OPAQUE, bytes(range(256)) * 16, None),
        ("a certificate", ss.SecretType.CERTIFICATE, certificate, None),
        ("a private key", ss.SecretType.PRIVATE, private, rsa_spec),
        ("a public key", ss.SecretType.PUBLIC, public, rsa_spec),
    ]:
        story.step(f"store {name}", stored, store, kind, secret, spec)


def triple_des(story, store):
    story.step("generate 3DES", generated, store, "desede", 192, 24)
    key = bytes.fromhex("0123456789abcdef23456789abcdef01456789abcdef0123")
    story.step("store 3DES", stored, store, ss.SecretType.SYMMETRIC, key, ss.KeySpec("desede", 192))


def main():
    story = steps.Story()
    parts = {"modern": modern, "3des": triple_des}
    for part in sys.argv[1:]:
        parts[part](story, store())


if __name__ == "__main__":
    main()
