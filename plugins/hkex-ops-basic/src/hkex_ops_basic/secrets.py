"""Secrets that lie in files: safe to use, readable, one line.

Every fault names the path, never the content. Read again for each message, so that a secret can be
renewed while a notifier runs. Called by :mod:`hkex_ops_basic.webhook`.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from hkex_ops.errors import ConfigError

__all__ = ["read_secret"]

# The longest real tokens have some kilobytes.
MAX_SECRET_BYTES = 64 * 1024

_SHARED = stat.S_IRWXG | stat.S_IRWXO


def read_secret(path: Path, option: str) -> str:
    """The one line of the file that ``option`` names; `ConfigError` when it cannot be used."""
    secret = _text(path, option).rstrip("\r\n")
    if not secret or not secret.isprintable():
        raise ConfigError(f"{option} {path} must hold one line, the secret itself")
    return secret


def _text(path: Path, option: str) -> str:
    what = f"{option} {path}"
    try:
        with path.expanduser().open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ConfigError(f"{what} is not a plain file: name the file of the secret")
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
    raise ConfigError(f"{what} is not text: name the file of the secret")
