"""Secrets that lie in files, for adapters: safe to use, readable, and never in a sentence.

Every fault names the option and the path, never the content. Adapters read a secret when they need
it and keep nothing, so that it can be renewed while a program runs.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from hkex_ops.errors import ConfigError

__all__ = ["secret_line", "secret_text"]

MAX_SECRET_BYTES = 64 * 1024
"""The longest real tokens and credentials have some kilobytes."""

_SHARED = stat.S_IRWXG | stat.S_IRWXO


def secret_line(path: Path, option: str, noun: str = "secret") -> str:
    """The one line of the file that ``option`` names; `ConfigError` when it cannot be used."""
    line = secret_text(path, option, noun).rstrip("\r\n")
    if not line or not line.isprintable():
        raise ConfigError(f"{option} {path} must hold one line, the {noun} itself")
    return line


def secret_text(path: Path, option: str, noun: str = "secret") -> str:
    """The whole file that ``option`` names, which only its owner may read.

    Raises `ConfigError` for a file that is not there, open to other users, no plain file, or no
    text.
    """
    what = f"{option} {path}"
    try:
        with path.expanduser().open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ConfigError(f"{what} is not a plain file: name the file of the {noun}")
            mode = stat.S_IMODE(status.st_mode)
            if mode & _SHARED:
                raise ConfigError(
                    f"{what} is open to other users (mode {mode:04o}): run chmod 600 {path}"
                )
            return file.read(MAX_SECRET_BYTES).decode()
    except FileNotFoundError:
        raise ConfigError(f"there is no file at {path}: set {option} to the right one") from None
    except UnicodeDecodeError:
        pass
    except OSError as error:
        raise ConfigError(f"{what} cannot be read: {error.strerror}") from error
    # Out of the except clause on purpose: the library's reason quotes the file.
    raise ConfigError(f"{what} is not text: name the file of the {noun}")
