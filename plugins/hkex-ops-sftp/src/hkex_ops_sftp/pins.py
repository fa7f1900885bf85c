"""Host keys that are right: as the operator wrote them, and as a file that is added to.

A pin is a public key, or the fingerprint of one. A file of them has a line for each, the address
first, as OpenSSH's own known hosts have: ``[10.0.0.1]:10022 ssh-ed25519 AAAA…``. Knows no network;
what a server shows is compared in :mod:`hkex_ops_sftp.connecting`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from pathlib import Path

from attrs import frozen

from hkex_ops.errors import ConfigError

__all__ = [
    "HOST_KEY_ALGORITHMS",
    "HOW_TO_PIN",
    "HostKeyPin",
    "fingerprint_of",
    "pins_in_file",
    "place_of",
]

# Signature algorithms of each host key type, best first. SHA-1 (ssh-rsa) and DSA are not spoken.
HOST_KEY_ALGORITHMS: dict[str, tuple[str, ...]] = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
}

_FINGERPRINT = "SHA256:"
_SHA256_BYTES = 32
HOW_TO_PIN = (
    "write the server's public key line (ssh-ed25519 AAAA…) or its fingerprint (SHA256:…) as the "
    "exchange published it"
)


@frozen
class HostKeyPin:
    """One host key that is right: its fingerprint, and its type where the operator gave the key.

    A fingerprint alone does not tell the type.
    """

    fingerprint: str
    key_type: str | None = None

    @classmethod
    def parse(cls, text: str) -> HostKeyPin:
        """From a public key line or a ``SHA256:`` fingerprint; `ConfigError` when it is neither."""
        words = text.split()
        if len(words) == 1 and words[0].startswith(_FINGERPRINT):
            digest = words[0].removeprefix(_FINGERPRINT).rstrip("=")
            if len(_decoded(digest)) == _SHA256_BYTES:
                return cls(f"{_FINGERPRINT}{digest}")
        elif len(words) >= 2 and words[0] in HOST_KEY_ALGORITHMS:
            blob = _decoded(words[1])
            if blob.startswith(len(words[0]).to_bytes(4) + words[0].encode()):
                return cls(fingerprint_of(blob), words[0])
        raise ConfigError(f"{_shortened(text)!r} is not a host key: {HOW_TO_PIN}")


def fingerprint_of(blob: bytes) -> str:
    """The fingerprint (``SHA256:…``) of a public key as SSH spells it in bytes."""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return f"{_FINGERPRINT}{digest}"


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"


def place_of(host: str, port: int) -> str:
    """An address as a line of a file of host keys begins."""
    return f"[{host}]:{port}"


def pins_in_file(path: Path, host: str, port: int) -> tuple[HostKeyPin, ...]:
    """The host keys that ``path`` has for an address; `ConfigError` for a line that is none."""
    try:
        text = path.expanduser().read_text("utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigError(f"host_keys_file {path} cannot be read: {reason}") from None
    found: list[HostKeyPin] = []
    for number, line in enumerate(text.splitlines(), start=1):
        place, _, key = line.strip().partition(" ")
        if not place or place.startswith("#"):
            continue
        try:
            pin = HostKeyPin.parse(key)
        except ConfigError as error:
            raise ConfigError(f"host_keys_file {path}, line {number}: {error}") from None
        if place == place_of(host, port):
            found.append(pin)
    return tuple(found)
