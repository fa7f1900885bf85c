"""A new key pair beside the old one, until the new one has logged in.

Beside ``KEY`` lies ``KEY.next`` while an exchange activates it; once it has logged in the old one
becomes ``KEY.until-DATE`` and is never removed here. Every file appears whole, readable by its
owner only. Called by :mod:`hkex_ops_sftp.key_commands`, which has asked whether this is allowed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import cast

import asyncssh

from hkex_ops.errors import ConfigError, StoreError

__all__ = ["KeyKind", "abandon", "make_next", "next_file", "promote", "settle"]

_OWNER_ONLY = 0o600


class KeyKind(StrEnum):
    """Kinds of key pair that are made; exchanges say which they take."""

    ED25519 = "ed25519"
    RSA_4096 = "rsa-4096"


def next_file(key_file: Path) -> Path:
    """Where the key lies that shall follow ``key_file``."""
    return key_file.with_name(f"{key_file.name}.next")


def make_next(
    key_file: Path, kind: KeyKind, comment: str, passphrase: str | None
) -> asyncssh.SSHKey:
    """Make the pair that shall follow; `ConfigError` when there is one already."""
    path = next_file(key_file)
    if path.exists():
        raise ConfigError(f"{path} is there already: try it, or abandon it first")
    generate = cast("Callable[..., asyncssh.SSHKey]", asyncssh.generate_private_key)  # pyright: ignore[reportUnknownMemberType]
    if kind is KeyKind.ED25519:
        key = generate("ssh-ed25519", comment)
    else:
        key = generate("ssh-rsa", comment, key_size=4096)
    private = (
        key.export_private_key("openssh", passphrase) if passphrase else key.export_private_key()
    )
    _write(path, private)
    _write(_public(path), key.export_public_key())
    return key


def settle(key_file: Path, own: Callable[[], bytes]) -> None:
    """Finish a change, or an abandonment, that was killed between its two files.

    The private key moves first. What is left of the next one is then a public key alone: that of
    ``key_file``, which ``own`` gives, or of none any more. Only then is ``own`` asked.
    """
    left = _public(next_file(key_file))
    if next_file(key_file).exists() or not left.exists():
        return
    try:
        if left.read_bytes().split()[:2] == own().split()[:2]:
            os.replace(left, _public(key_file))
        else:
            left.unlink()
        _sync(key_file.parent)
    except OSError as error:
        raise StoreError(
            f"cannot finish an earlier change: {error.strerror}", path=str(left)
        ) from error


def promote(key_file: Path, day: date) -> Path:
    """Put the next key in the place of the old one; where the old one is kept is returned.

    The old key is given its second name first and the new one then takes the place in one step, so
    that ``key_file`` is there at every moment, whenever this is interrupted.
    """
    kept = key_file.with_name(f"{key_file.name}.until-{day.isoformat()}")
    number = 1
    while kept.exists():
        number += 1
        kept = key_file.with_name(f"{key_file.name}.until-{day.isoformat()}.{number}")
    try:
        os.link(key_file, kept)
        if _public(key_file).exists():
            os.link(_public(key_file), _public(kept))
        os.replace(next_file(key_file), key_file)
        if _public(next_file(key_file)).exists():
            os.replace(_public(next_file(key_file)), _public(key_file))
        _sync(key_file.parent)
    except OSError as error:
        raise StoreError(
            f"cannot put the new key in its place: {error.strerror}",
            path=str(key_file),
            safe="the old key is where it was, or under the name that ends in the date",
        ) from error
    return kept


def abandon(key_file: Path) -> bool:
    """Remove the pair that should have followed; whether there was one."""
    path = next_file(key_file)
    found = path.exists()
    try:
        path.unlink(missing_ok=True)
        _public(path).unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"cannot remove it: {error.strerror}", path=str(path)) from error
    return found


def _public(path: Path) -> Path:
    return path.with_name(f"{path.name}.pub")


def _write(path: Path, data: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
        _sync(path.parent)
    except OSError as error:
        raise StoreError(
            f"cannot write the new key: {error.strerror}",
            path=str(path),
            safe="the old key is kept",
        ) from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
