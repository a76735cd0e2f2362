"""RSA certificates, which the programs of this tree do not make themselves: a server's and those of clients.

Usage: rsa_certificates.py CA_CERTIFICATE CA_KEY. Writes NAME.pem and NAME.key into the home folder.
"""

import datetime
import ipaddress
import os
import sys

import steps
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PEM = serialization.Encoding.PEM
# What clients in the field have: name, bits, extended key usage, and whether somebody else signed it.
CLIENTS = [
    ("self-signed", 2048, None, False),
    ("self-signed-eku", 2048, ExtendedKeyUsageOID.CLIENT_AUTH, False),
    ("issued", 3072, None, True),
    ("issued-eku", 4096, ExtendedKeyUsageOID.CLIENT_AUTH, True),
]


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def write(file, data):
    path = os.path.join(os.environ["HOME"], file)
    with open(path, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
        out.write(data)


def certificate(subject, bits, authority=None, usage=None, names=()):
    """A certificate that `authority` signs, a name and a key, or its own key if there is none."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    issuer, signer = authority or (name(subject), key)
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=2))
    )
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    write(f"{subject}.pem", builder.sign(signer, hashes.SHA256()).public_bytes(PEM))
    write(
        f"{subject}.key",
        key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )


def main():
    with open(sys.argv[1], "rb") as file:
        issuer = x509.load_pem_x509_certificate(file.read()).subject
    with open(sys.argv[2], "rb") as file:
        authority = (issuer, serialization.load_pem_private_key(file.read(), None))
    local = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate("server", 2048, authority, ExtendedKeyUsageOID.SERVER_AUTH, local)
    elsewhere = (name("somebody else's authority"), rsa.generate_private_key(public_exponent=65537, key_size=2048))
    for subject, bits, usage, issued in CLIENTS:
        certificate(subject, bits, elsewhere if issued else None, usage)
        steps.tell(subject)


if __name__ == "__main__":
    main()
