"""An authority of one rehearsal and the certificate that its listeners show.

Made anew for every rehearsal and kept in its folder alone: nobody else ever trusts it. The dates
in it are wide, because a rehearsal of 2019 is worked on a line that lives today.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hkex_ops.errors import StoreError

__all__ = ["AUTHORITY_NAME", "server_context"]

AUTHORITY_NAME = "stand-ins-ca.pem"

_SERVER_NAME = "stand-ins.pem"
_SAID = "SYNTHETIC authority of hkex-ops-simulator"
_FROM = datetime(2000, 1, 1, tzinfo=UTC)
_UNTIL = datetime(2100, 1, 1, tzinfo=UTC)


def server_context(folder: Path, names: Iterable[str]) -> ssl.SSLContext:
    """A TLS server's context with one certificate for all ``names`` and addresses.

    Writes the authority's certificate to `AUTHORITY_NAME` in ``folder`` and the server's, with
    its key (mode 600), beside it. `StoreError` when they cannot be written.
    """
    signer, server = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = _name(_SAID)
    authority = (
        _builder(issuer, issuer, signer.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(signer, hashes.SHA256())
    )
    certificate = (
        _builder(_name("SYNTHETIC"), issuer, server.public_key())
        .add_extension(x509.SubjectAlternativeName(map(_subject, names)), critical=False)
        .sign(signer, hashes.SHA256())
    )
    _write(folder / AUTHORITY_NAME, authority.public_bytes(serialization.Encoding.PEM))
    key = server.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(folder / _SERVER_NAME, key + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / _SERVER_NAME)
    return context


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _subject(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(path: Path, data: bytes) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "wb") as file:
            file.write(data)
    except OSError as error:
        raise StoreError(f"cannot be written: {error.strerror}", path=str(path)) from error
