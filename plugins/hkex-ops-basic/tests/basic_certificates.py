"""An authority and certificates signed by it, made for a test."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hkex_ops_basic.options import fingerprint_text

__all__ = ["Authority", "Certified"]

_FROM = datetime(2000, 1, 1, tzinfo=UTC)
_TO = datetime(2099, 1, 1, tzinfo=UTC)


@frozen
class Certified:
    """Files of a certificate with its key, and its fingerprint."""

    certificate_file: Path
    key_file: Path
    fingerprint: str


class Authority:
    """Signs certificates; ``file`` holds its own, in PEM form."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = _name(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / f"{name}.pem"
        own = (
            _builder(self._name, self._name, self._key.public_key(), _FROM, _TO)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def certify(self, *names: str, days: int | None = None) -> Certified:
        """A certificate for names or addresses; ``days`` is how long after 2000 it ends early."""
        key = ec.generate_private_key(ec.SECP256R1())
        until = _TO if days is None else _FROM + timedelta(days=days)
        certificate = (
            _builder(_name(names[0]), self._name, key.public_key(), _FROM, until)
            .add_extension(
                x509.SubjectAlternativeName([_subject(name) for name in names]), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        stem = f"{certificate.serial_number:x}"
        files = Certified(
            self._folder / f"{stem}.crt",
            self._folder / f"{stem}.key",
            fingerprint_text(certificate.fingerprint(hashes.SHA256())),
        )
        files.certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files.key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return files


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    start: datetime,
    until: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(until)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _subject(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
