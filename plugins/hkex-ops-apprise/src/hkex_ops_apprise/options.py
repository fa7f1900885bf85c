"""What an operator sets: the file of the receivers' URLs, and how long one message may take."""

from __future__ import annotations

from pathlib import Path

from attrs import Attribute, field, frozen

from hkex_ops.errors import ConfigError

__all__ = ["AppriseOptions"]

# Some services take several requests, and most of them wait between two.
TIMEOUT_S = 30


def _path(value: str | Path) -> Path:
    return Path(value)


def _positive(_: object, attribute: Attribute[int], number: int) -> None:
    if number < 1:
        raise ConfigError(f"{attribute.name} is {number} and must be at least 1")


@frozen(kw_only=True)
class AppriseOptions:
    """The options of the notifier ``apprise``.

    ``receivers_file`` (TOML) has a line ``NAME = "URL"`` for each receiver. A URL holds a service's
    secrets, so nobody else may read the file, and no URL is ever told. ``timeout_s`` bounds one
    message to one receiver.
    """

    receivers_file: Path = field(converter=_path)
    timeout_s: int = field(default=TIMEOUT_S, validator=_positive)
