"""The receivers' URLs, from a file that nobody else may read. No fault repeats a URL."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from hkex_ops.config.secret_files import secret_text
from hkex_ops.errors import ConfigError

__all__ = ["read_receivers"]

LONGEST_FILE_BYTES = 256 * 1024


def read_receivers(path: Path) -> Mapping[str, str]:
    """The URL of each receiver, by name; `ConfigError` when the file cannot be used."""
    what = f"receivers_file {path}"
    text = secret_text(path, "receivers_file", "receivers", most_bytes=LONGEST_FILE_BYTES)
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
