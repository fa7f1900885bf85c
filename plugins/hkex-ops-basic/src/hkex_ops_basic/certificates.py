"""Which certificate is right: signed by the operator's authorities, pinned, or both.

Verification is never left out. Without a file of authorities the library is told not to look at
signatures, and the fingerprint is compared before a single byte is sent.
"""

from __future__ import annotations

import ssl
from collections.abc import Set as AbstractSet
from hashlib import sha256
from pathlib import Path

from hkex_ops.errors import ConfigError, Rejected
from hkex_ops.model import Endpoint
from hkex_ops_basic.options import fingerprint_text

__all__ = ["client_context", "fingerprint_of", "require_pinned"]


def client_context(ca_file: Path | None) -> ssl.SSLContext:
    """A context that trusts the authorities in ``ca_file`` and no others.

    Without a file the caller must compare fingerprints (:func:`require_pinned`). Raises
    `ConfigError` for a file that cannot be read or holds no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        context.load_verify_locations(cafile=ca_file)
    except FileNotFoundError:
        raise ConfigError(
            f"there is no ca_file at {ca_file}: save the authority's certificate there (PEM)"
        ) from None
    except ssl.SSLError as error:
        raise ConfigError(
            f"ca_file {ca_file} holds no certificate in PEM form: save the authority's there"
        ) from error
    except OSError as error:
        raise ConfigError(f"ca_file {ca_file} cannot be read: {error.strerror}") from error
    return context


def fingerprint_of(certificate: bytes) -> str:
    """The fingerprint of a certificate in DER form."""
    return fingerprint_text(sha256(certificate).digest())


def require_pinned(certificate: bytes, pins: AbstractSet[bytes], address: Endpoint) -> None:
    """`Rejected` when there are pins and ``certificate`` is none of them."""
    if not pins or sha256(certificate).digest() in pins:
        return
    expected = " or ".join(sorted(fingerprint_text(pin) for pin in pins))
    raise Rejected(
        f"{address} shows certificate {fingerprint_of(certificate)}, right is {expected}: nothing "
        "was sent; ask the exchange before you change the pin"
    )
