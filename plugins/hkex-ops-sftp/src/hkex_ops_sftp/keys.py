"""Who logs in: a private key in a file, or one that the running agent holds.

A key file is found, safe to use and readable, in any form that OpenSSH or OpenSSL writes; the
passphrase of an encrypted one comes from a file, from the credential store or from whoever sits at
the terminal. Every fault names the path, never the content.
"""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import asyncssh

from hkex_ops.config.secret_files import secret_bytes, secret_line
from hkex_ops.errors import AuthRefused, ConfigError
from hkex_ops_sftp.options import SftpOptions
from hkex_ops_sftp.pins import HostKeyPin, fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Credential", "credential", "passphrase_of", "read_key"]

Credential: TypeAlias = asyncssh.SSHKey | asyncssh.SSHKeyPair

# Under which the credential store knows passphrases of ours.
STORE_SERVICE = "hkex-ops"


@asynccontextmanager
async def credential(options: SftpOptions) -> AsyncGenerator[Credential]:
    """What to log in with, usable while the context is open.

    Raises `ConfigError` for a key that cannot be used, and `AuthRefused` when the agent does not
    hold the one that is named.
    """
    if options.agent_key is None:
        assert options.key_file is not None
        yield read_key(options.key_file, options)
        return
    wanted = HostKeyPin.parse(options.agent_key).fingerprint
    path = os.environ.get("SSH_AUTH_SOCK")
    try:
        if not path:
            raise OSError("SSH_AUTH_SOCK is not set")
        agent = await asyncssh.connect_agent(path)
    except OSError as error:
        raise ConfigError(
            f"the key agent cannot be reached ({error}): start ssh-agent, or name key_file"
        ) from None
    async with agent:
        pairs: Sequence[asyncssh.SSHKeyPair] = await agent.get_keys()
        for pair in pairs:
            if fingerprint_of(pair.public_data) == wanted:
                yield pair
                return
    raise AuthRefused(
        f"the key agent does not hold the key {wanted}: add it with ssh-add, or correct agent_key"
    )


def read_key(key_file: Path, options: SftpOptions | None = None) -> asyncssh.SSHKey:
    """The private key in ``key_file``; `ConfigError` says what to do when it cannot be used."""
    path = key_file.expanduser()
    text = secret_bytes(path, "key_file", "key", kind="private key")
    fault = "unreadable"
    try:
        return asyncssh.import_private_key(text)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        if "passphrase" in str(error).lower():
            fault = "encrypted"
    # Out of the except clause on purpose: the library's reason may quote the file.
    if fault == "encrypted":
        passphrase = None if options is None else passphrase_of(path, options)
        if passphrase is None:
            raise ConfigError(
                f"private key {path} is encrypted: set passphrase_file or passphrase_entry, or run "
                "at a terminal, where it is asked for"
            )
        try:
            return asyncssh.import_private_key(text, passphrase)
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
            fault = "locked"
    if fault == "locked":
        raise ConfigError(
            f"the passphrase does not open private key {path}: correct it, or name the right key"
        )
    raise ConfigError(
        f"{path} is not a private key: name the file ssh-keygen wrote beside the .pub"
    )


def passphrase_of(path: Path, options: SftpOptions) -> str | None:
    """The passphrase that the options lead to, or that is typed; none where there is nobody."""
    if options.passphrase_file is not None:
        return secret_line(options.passphrase_file, "passphrase_file", "passphrase")
    if options.passphrase_entry is not None:
        return _stored(options.passphrase_entry)
    if sys.stdin.isatty() and sys.stderr.isatty():
        return getpass.getpass(f"Passphrase of {path}: ", stream=sys.stderr)
    return None


def _stored(entry: str) -> str:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise ConfigError(
            "passphrase_entry wants the credential store: install hkex-ops-sftp[keyring]"
        ) from None
    try:
        found = keyring.get_password(STORE_SERVICE, entry)
    except KeyringError as error:
        raise ConfigError(
            f"the credential store cannot be asked ({type(error).__name__}): unlock it, or use "
            "passphrase_file"
        ) from None
    if found is None:
        raise ConfigError(
            f"the credential store has no passphrase {entry!r} of {STORE_SERVICE}: run keyring set "
            f"{STORE_SERVICE} {entry}"
        )
    return found
