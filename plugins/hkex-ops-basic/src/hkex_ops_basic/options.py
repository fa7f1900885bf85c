"""What an operator sets: how long a look may take, and what the right far side is known by.

Every fault is a `ConfigError` when the value is made, whether from a file or by hand. Knows no
network and opens no file.
"""

from __future__ import annotations

import string
from http import HTTPStatus
from pathlib import Path

from attrs import Attribute, field, frozen

from hkex_ops.errors import ConfigError

__all__ = ["HttpsOptions", "TcpOptions", "fingerprint_text", "parse_fingerprint"]

# A healthy line answers within a second or two, and a desk that checks four gateways before a
# session opens cannot wait for minutes.
TCP_TIMEOUT_S = 5
HTTPS_TIMEOUT_S = 15

_FINGERPRINT = "SHA256:"
_SHA256_BYTES = 32


def parse_fingerprint(text: str) -> bytes:
    """The digest that ``SHA256:AB:CD:…`` spells, colons or not; `ConfigError` when it is none.

    It is what ``openssl x509 -noout -fingerprint -sha256 -in certificate.pem`` prints after ``=``.
    """
    digits = text.strip().removeprefix(_FINGERPRINT).replace(":", "")
    if len(digits) != 2 * _SHA256_BYTES or not set(digits) <= set(string.hexdigits):
        raise ConfigError(
            f"{text[:80]!r} is no fingerprint of a certificate: write {_FINGERPRINT} and the "
            "64 hexadecimal digits that openssl x509 -fingerprint -sha256 prints"
        )
    return bytes.fromhex(digits)


def fingerprint_text(digest: bytes) -> str:
    """A digest as :func:`parse_fingerprint` reads it."""
    return f"{_FINGERPRINT}{digest.hex(':').upper()}"


def _positive(_: object, attribute: Attribute[int], number: int) -> None:
    if number < 1:
        raise ConfigError(f"{attribute.name} is {number} and must be at least 1")


def _filled(_: object, attribute: Attribute[str], text: str) -> None:
    if not text.strip():
        raise ConfigError(f"{attribute.name} is empty: write a text that only the right page holds")


def _path(value: str | Path | None) -> Path | None:
    return None if value is None else Path(value)


@frozen(kw_only=True)
class TcpOptions:
    """The options of the probe ``tcp``. ``timeout_s`` bounds one look."""

    timeout_s: int = field(default=TCP_TIMEOUT_S, validator=_positive)


@frozen(kw_only=True)
class HttpsOptions:
    """The options of the probe ``https``.

    ``ca_file`` (PEM) holds the authorities that may have signed the far side's certificate, which
    must then bear the far side's name; ``certificates`` are fingerprints of the only ones that are
    right. One of the two must be there; where both are, both must be satisfied. ``expect_status``
    and ``expect_text`` say what the page is known by. ``timeout_s`` bounds one whole look,
    redirections included.
    """

    ca_file: Path | None = field(default=None, converter=_path)
    certificates: tuple[str, ...] = ()
    expect_text: str = field(validator=_filled)
    expect_status: int = HTTPStatus.OK
    timeout_s: int = field(default=HTTPS_TIMEOUT_S, validator=_positive)

    def __attrs_post_init__(self) -> None:
        if self.ca_file is None and not self.certificates:
            raise ConfigError(
                "nothing says which certificate is right: give ca_file, certificates, or both; "
                "no probe looks past a certificate"
            )
        for text in self.certificates:
            parse_fingerprint(text)
        if not 200 <= self.expect_status < 600:
            raise ConfigError(f"expect_status is {self.expect_status} and must be from 200 to 599")

    @property
    def pins(self) -> frozenset[bytes]:
        """The fingerprints, read."""
        return frozenset(parse_fingerprint(text) for text in self.certificates)
