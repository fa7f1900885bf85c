"""Secrets that lie in files: safe to use, readable, of the right form.

Every fault names the path, never the content. Read again at each login, so that a secret can be
renewed while a publisher runs. Called by :mod:`hkex_ops_nats.connecting`.
"""

from __future__ import annotations

import re
from pathlib import Path

from hkex_ops.config.secret_files import secret_text
from hkex_ops.errors import ConfigError

__all__ = ["read_credentials", "read_password", "read_seed"]

_SEED = re.compile(r"SU[A-Z2-7]{56}", re.ASCII)
_CREDENTIALS = re.compile(
    r"-----BEGIN NATS USER JWT-----\n[\w.-]+\n.*?"
    r"-----BEGIN USER NKEY SEED-----\nSU[A-Z2-7]{56}\n",
    re.ASCII | re.DOTALL,
)


def read_password(path: Path) -> str:
    """The first line of a file, which is all that it holds."""
    password = secret_text(path, "password_file").rstrip("\r\n")
    if not password or "\n" in password:
        raise ConfigError(f"password_file {path} must hold one line, the password")
    return password


def read_seed(path: Path) -> str:
    """The seed of a user's nkey, as ``nk -gen user`` writes it."""
    seed = secret_text(path, "nkey_file").strip()
    if not _SEED.fullmatch(seed):
        raise ConfigError(f"nkey_file {path} holds no seed of a user (SU…): name the right file")
    return seed


def read_credentials(path: Path) -> str:
    """A user's JWT and seed in one text, as ``nsc generate creds`` writes it."""
    text = secret_text(path, "credentials_file").replace("\r\n", "\n")
    if not _CREDENTIALS.search(f"{text}\n"):
        raise ConfigError(
            f"credentials_file {path} holds no user JWT with its seed: name the .creds file that "
            "nsc wrote"
        )
    return text
