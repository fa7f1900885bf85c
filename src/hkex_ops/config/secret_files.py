"""Secrets that lie in files, for adapters: safe to use, readable, and never in a sentence.

Every fault names the option and the path, never the content. Adapters read a secret when they need
it and keep nothing, so that it can be renewed while a program runs.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from hkex_ops.errors import ConfigError

__all__ = ["secret_bytes", "secret_line", "secret_text"]

MAX_SECRET_BYTES = 64 * 1024
"""The longest real tokens and credentials have some kilobytes."""

_SHARED = stat.S_IRWXG | stat.S_IRWXO


def secret_line(path: Path, option: str, noun: str = "secret") -> str:
    """The one line of the file that ``option`` names; `ConfigError` when it cannot be used."""
    line = secret_text(path, option, noun).rstrip("\r\n")
    if not line or not line.isprintable():
        raise ConfigError(f"{option} {path} must hold one line, the {noun} itself")
    return line


def secret_text(
    path: Path, option: str, noun: str = "secret", *, most_bytes: int = MAX_SECRET_BYTES
) -> str:
    """The text of the file that ``option`` names, which only its owner may read.

    Raises `ConfigError` as `secret_bytes` does, and for a file that is no text.
    """
    content = secret_bytes(path, option, noun, most_bytes=most_bytes)
    try:
        return content.decode()
    except UnicodeDecodeError:
        pass
    # Out of the except clause on purpose: the library's reason quotes the file.
    raise ConfigError(f"{option} {path} is not text: name the file of the {noun}")


def secret_bytes(
    path: Path,
    option: str,
    noun: str = "secret",
    *,
    kind: str = "file",
    most_bytes: int = MAX_SECRET_BYTES,
) -> bytes:
    """What the file that ``option`` names holds, ``most_bytes`` of it; only its owner may read it.

    ``kind`` is what such a file is called where it is missing. Raises `ConfigError` for one that
    is not there, open to other users, or no plain file.
    """
    what = f"{option} {path}"
    try:
        with open(path.expanduser(), "rb", opener=_open_at_once) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ConfigError(f"{what} is not a plain file: name the file of the {noun}")
            mode = stat.S_IMODE(status.st_mode)
            if mode & _SHARED:
                raise ConfigError(
                    f"{what} is open to other users (mode {mode:04o}): run chmod 600 {path}"
                )
            return file.read(most_bytes)
    except IsADirectoryError:
        raise ConfigError(
            f"{what} is not a plain file: it is a folder, name the file of the {noun} in it"
        ) from None
    except FileNotFoundError:
        raise ConfigError(f"there is no {kind} at {path}: set {option} to the right one") from None
    except PermissionError:
        raise ConfigError(f"{what} cannot be read: make this user its owner") from None
    except OSError as error:
        raise ConfigError(f"{what} cannot be read: {error.strerror}") from error


def _open_at_once(path: str, flags: int) -> int:
    """A pipe in its place must not make the reader wait for a writer."""
    return os.open(path, flags | os.O_NONBLOCK)
