"""The receivers' URLs, from a file that nobody else may read. No fault repeats a URL."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

from hkex_ops.errors import ConfigError

__all__ = ["read_receivers"]

LONGEST_FILE_BYTES = 256 * 1024

_SHARED = stat.S_IRWXG | stat.S_IRWXO


def read_receivers(path: Path) -> Mapping[str, str]:
    """The URL of each receiver, by name; `ConfigError` when the file cannot be used."""
    what = f"receivers_file {path}"
    try:
        with path.expanduser().open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ConfigError(f"{what} is not a plain file")
            mode = stat.S_IMODE(status.st_mode)
            if mode & _SHARED:
                raise ConfigError(
                    f"{what} is open to other users (mode {mode:04o}): run chmod 600 {path}"
                )
            text = file.read(LONGEST_FILE_BYTES).decode()
    except FileNotFoundError:
        raise ConfigError(
            f"there is no file at {path}: set receivers_file to the right one"
        ) from None
    except OSError as error:
        raise ConfigError(f"{what} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        text = "\0"
    try:
        table = tomllib.loads(text)
    # The parser's reason may quote the file.
    except tomllib.TOMLDecodeError:
        table = None
    if table is None:
        raise ConfigError(f'{what} is not TOML: write a line NAME = "URL" for each receiver')
    receivers = {name: url for name, url in table.items() if isinstance(url, str) and url}
    if not receivers or len(receivers) != len(table):
        raise ConfigError(f'{what} must have a line NAME = "URL" for each receiver, and no other')
    return receivers
