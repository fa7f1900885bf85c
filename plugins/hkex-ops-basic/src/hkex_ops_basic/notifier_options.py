"""What an operator sets of the notifiers ``webhook``, ``file`` and ``console``.

Every fault is a `ConfigError` when the value is made, whether from a file or by hand. Knows no
network and opens no file.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from attrs import Attribute, field, frozen

from hkex_ops.errors import ConfigError
from hkex_ops_basic.options import parse_fingerprint

__all__ = ["ConsoleOptions", "FileNotifierOptions", "WebhookOptions"]

WEBHOOK_TIMEOUT_S = 10


def _path(value: str | Path) -> Path:
    return Path(value)


def _optional_path(value: str | Path | None) -> Path | None:
    return None if value is None else Path(value)


def _positive(_: object, attribute: Attribute[int], number: int) -> None:
    if number < 1:
        raise ConfigError(f"{attribute.name} is {number} and must be at least 1")


def _names(_: object, attribute: Attribute[dict[str, str]], named: dict[str, str]) -> None:
    if not named:
        raise ConfigError(f"{attribute.name} is empty: give each receiver a name and an address")


@frozen(kw_only=True)
class WebhookOptions:
    """The options of the notifier ``webhook``.

    ``receivers`` gives each receiver's name an address. Every message is signed with the secret in
    ``secret_file``. An ``http`` address is for this machine, for others it needs ``allow_plain``.
    The server's certificate is one that an authority in ``ca_file`` signed (the system's
    authorities without one), or one of ``certificates``, or both. ``timeout_s`` bounds one message.
    """

    # An address may hold a token.
    receivers: dict[str, str] = field(validator=_names, repr=False)
    secret_file: Path = field(converter=_path)
    ca_file: Path | None = field(default=None, converter=_optional_path)
    certificates: tuple[str, ...] = ()
    allow_plain: bool = False
    timeout_s: int = field(default=WEBHOOK_TIMEOUT_S, validator=_positive)

    def __attrs_post_init__(self) -> None:
        for name, address in self.receivers.items():
            self._require(name, address)
        for text in self.certificates:
            parse_fingerprint(text)

    def _require(self, name: str, address: str) -> None:
        url = _split(address)
        if url is None or url.scheme not in ("http", "https") or not url.hostname:
            raise ConfigError(f"the address of receiver {name} must be one of https")
        if not (address.isascii() and address.isprintable() and " " not in address):
            raise ConfigError(f"the address of receiver {name} has characters that none can hold")
        if url.username or url.password:
            raise ConfigError(f"the address of receiver {name} may hold no user and no password")
        if url.scheme == "http" and not (self.allow_plain or _is_this_machine(url.hostname)):
            raise ConfigError(
                f"receiver {name} would be told without protection: give an https address, or set "
                "allow_plain if nobody else can listen on that line"
            )

    @property
    def pins(self) -> frozenset[bytes]:
        """The fingerprints, read."""
        return frozenset(parse_fingerprint(text) for text in self.certificates)


@frozen(kw_only=True)
class FileNotifierOptions:
    """The options of the notifier ``file``: the ``file`` that a line is added to for each receiver.

    What others write into ``acknowledgements``, a JSON line with ``key``, ``receiver``, ``at`` and
    ``by`` each, is heard as acknowledgements.
    """

    file: Path = field(converter=_path)
    acknowledgements: Path | None = field(default=None, converter=_optional_path)


@frozen(kw_only=True)
class ConsoleOptions:
    """The options of the notifier ``console``, which has none."""


def _split(address: str) -> SplitResult | None:
    try:
        url = urlsplit(address)
        _ = url.port
    except ValueError:
        return None
    return url


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
