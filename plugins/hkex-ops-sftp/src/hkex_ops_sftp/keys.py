"""The private key: found, safe to use, readable. Every fault names the path, never the content."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import asyncssh

from hkex_ops.errors import ConfigError

__all__ = ["read_key"]

# The largest real private keys (RSA 16384) are about 13 kB; more is not a key.
MAX_KEY_BYTES = 64 * 1024

_SHARED = stat.S_IRWXG | stat.S_IRWXO


def read_key(key_file: Path) -> asyncssh.SSHKey:
    """The private key in ``key_file``; `ConfigError` says what to do when it cannot be used."""
    path = key_file.expanduser()
    text = _text(path)
    try:
        return asyncssh.import_private_key(text)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        encrypted = "passphrase" in str(error).lower()
    # Out of the except clause on purpose: the library's reason may quote the file.
    if encrypted:
        raise ConfigError(
            f"private key {path} is encrypted and passphrases are not supported: name a key file "
            "without one, readable by this user only"
        )
    raise ConfigError(
        f"{path} is not a private key: name the file ssh-keygen wrote beside the .pub"
    )


def _text(path: Path) -> bytes:
    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            raise ConfigError(f"private key {path} is a folder: name the key file in it")
        if not stat.S_ISREG(kind):
            raise ConfigError(f"private key {path} is not a plain file: name the key file")
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & _SHARED:
                raise ConfigError(
                    f"private key {path} is open to other users (mode {mode:04o}): "
                    f"run chmod 600 {path}"
                )
            return file.read(MAX_KEY_BYTES)
    except FileNotFoundError:
        raise ConfigError(f"there is no private key at {path}: set key_file to the key") from None
    except PermissionError:
        raise ConfigError(f"private key {path} may not be read: make this user its owner") from None
    except OSError as error:
        raise ConfigError(f"private key {path} cannot be read: {error.strerror}") from error
