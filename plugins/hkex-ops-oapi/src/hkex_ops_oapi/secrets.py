"""The password: from a file that is safe to use, or from a person at a terminal.

Every fault names the path, never the content. Read again at each log-in. Called by
:mod:`hkex_ops_oapi.opening` alone.
"""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

from hkex_ops.config.secret_files import secret_text
from hkex_ops.errors import ConfigError

__all__ = ["PASSWORD_BYTES_MOST", "ask_password", "check_password", "read_password"]

PASSWORD_BYTES_MOST = 31
"""The field has 32 bytes, one of which ends it (fact sheet, section 2.1)."""


def read_password(path: Path) -> str:
    """The one line of the file; `ConfigError` when it cannot be used."""
    password = secret_text(path, "password_file", "password").rstrip("\r\n")
    return check_password(password, f"password_file {path}")


def ask_password(user: str) -> str:
    """What a person types, unseen; `ConfigError` where nobody can be asked."""
    if not sys.stdin.isatty():
        raise ConfigError(
            "the password would be asked for, and there is no terminal: set password_file"
        )
    try:
        password = getpass.getpass(f"Password of {user}: ")
    except (EOFError, KeyboardInterrupt):
        raise ConfigError("no password was typed: type it, or set password_file") from None
    return check_password(password, "the password typed")


def check_password(password: str, what: str) -> str:
    """``password``, which the library can take; `ConfigError` names ``what`` and not the words."""
    if not password or not password.isprintable():
        raise ConfigError(f"{what} must hold one line, the password itself")
    if not password.isascii() or "%" in password or "\\" in password:
        raise ConfigError(f"{what} has a character that the interface does not allow")
    if len(password) > PASSWORD_BYTES_MOST:
        raise ConfigError(f"{what} is longer than {PASSWORD_BYTES_MOST} characters")
    return password
