"""Every exception of the SSH library and of the sockets below it, as an error of this house.

The tables sort asyncssh's classes by who must act; a test enumerates the library's classes and
holds the tables to it. Reasons come from the server, so they are shortened and stripped of control
characters before they enter a sentence.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import cast

import asyncssh
from asyncssh.constants import (
    DISC_BY_APPLICATION,
    DISC_CONNECTION_LOST,
    DISC_TOO_MANY_CONNECTIONS,
    OPEN_RESOURCE_SHORTAGE,
)

from hkex_ops.errors import (
    AuthRefused,
    Busy,
    ConfigError,
    HkexOpsError,
    PluginError,
    Rejected,
    RemoteError,
    ReportNotFound,
    TimedOut,
    Unreachable,
)
from hkex_ops_sftp.wire import Status

__all__ = [
    "DISTRIBUTION",
    "concerns_one_report",
    "printable",
    "status_error",
    "translated",
    "translated_status",
]

DISTRIBUTION = "hkex-ops-sftp"

MAX_REASON_CHARACTERS = 200

# Codes for which the library has no class of its own.
_FULL = frozenset({DISC_TOO_MANY_CONNECTIONS})
_NO_ROOM = frozenset({OPEN_RESOURCE_SHORTAGE})
_GONE = frozenset({DISC_BY_APPLICATION, DISC_CONNECTION_LOST})

_SESSION_LOST = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection)
_SESSION_BROKEN = (*_SESSION_LOST, asyncssh.SFTPBadMessage)
_NOT_FOUND = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)
_IN_USE = (
    asyncssh.SFTPLockConflict,
    asyncssh.SFTPByteRangeLockConflict,
    asyncssh.SFTPDeletePending,
)
_FORBIDDEN = (asyncssh.SFTPPermissionDenied, asyncssh.SFTPWriteProtect)

# Codes of version 3, and those of later ones that its servers are seen to use.
_OF_CODE: dict[int, type[asyncssh.SFTPError]] = {
    2: asyncssh.SFTPNoSuchFile,
    3: asyncssh.SFTPPermissionDenied,
    4: asyncssh.SFTPFailure,
    5: asyncssh.SFTPBadMessage,
    6: asyncssh.SFTPNoConnection,
    7: asyncssh.SFTPConnectionLost,
    8: asyncssh.SFTPOpUnsupported,
    9: asyncssh.SFTPInvalidHandle,
    10: asyncssh.SFTPNoSuchPath,
    12: asyncssh.SFTPWriteProtect,
    17: asyncssh.SFTPLockConflict,
    25: asyncssh.SFTPByteRangeLockConflict,
    27: asyncssh.SFTPDeletePending,
}

_OPERATORS_FILE = (
    asyncssh.ConfigParseError,
    asyncssh.KeyEncryptionError,
    asyncssh.KeyExportError,
    asyncssh.KeyGenerationError,
    asyncssh.KeyImportError,
)


def translated(error: BaseException, doing: str) -> HkexOpsError:
    """``error`` as one of ours; ``doing`` opens the sentence ("reading X on H port P").

    What is neither the library's nor the operating system's comes back as `PluginError`: this
    adapter drove its engine wrongly, or met a case it does not know.
    """
    if isinstance(error, HkexOpsError):
        return error
    if isinstance(error, TimeoutError):
        return TimedOut(f"{doing}: no answer in time: try again, or ask the exchange")
    if isinstance(error, OSError):
        # The event loop words its own refusals; the system's word for the number is plainer.
        said = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        return Unreachable(f"{doing}: {printable(said or str(error))}")
    if isinstance(error, asyncssh.SFTPError):
        return translated_status(error, doing)
    if isinstance(error, asyncssh.Error):
        return _translated_ssh(error, doing)
    if isinstance(error, _OPERATORS_FILE):
        return ConfigError(f"{doing}: {printable(str(error))}")
    if type(error).__module__.partition(".")[0] == asyncssh.__name__:
        # Helpers the library keeps to itself (packet and ASN.1 decoding) and notices meant for
        # the server's side: the far side sent what the protocol does not allow.
        return Rejected(f"{doing}: the server does not keep to SSH: {printable(str(error))}")
    return PluginError(
        f"{doing} failed with {type(error).__name__}: {printable(str(error))}",
        distribution=DISTRIBUTION,
    )


def translated_status(error: asyncssh.SFTPError, doing: str) -> RemoteError:
    """An answer of the SFTP session as an error of the other side."""
    reason = printable(error.reason)
    if isinstance(error, _SESSION_LOST):
        return Unreachable(f"{doing}: the connection was lost: run it again")
    if isinstance(error, _NOT_FOUND):
        return ReportNotFound(f"{doing}: it is not on the server: list the folder again")
    if isinstance(error, _IN_USE):
        return Busy(f"{doing}: the server is using it now ({reason}): try again")
    if isinstance(error, _FORBIDDEN):
        return Rejected(f"{doing}: this user may not ({reason}): ask the exchange for access")
    return Rejected(f"{doing}: the server refused ({reason}): show this to the exchange")


def status_error(status: Status) -> asyncssh.SFTPError:
    """An answer that refuses, as the library's own error."""
    reason = status.reason or f"status {status.code}"
    kind = _OF_CODE.get(status.code)
    return asyncssh.SFTPError(status.code, reason) if kind is None else _made(kind, reason)


def _made(kind: type[asyncssh.SFTPError], reason: str) -> asyncssh.SFTPError:
    make = cast("Callable[[str], asyncssh.SFTPError]", kind)
    return make(reason)


def concerns_one_report(error: Exception) -> bool:
    """Whether the session goes on after ``error`` and only the one request has failed."""
    return isinstance(error, asyncssh.SFTPError) and not isinstance(error, _SESSION_BROKEN)


def printable(text: str) -> str:
    """The server's words made safe for a sentence: one line, no control characters, short."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    plain = " ".join(plain.split())
    if len(plain) > MAX_REASON_CHARACTERS:
        return plain[: MAX_REASON_CHARACTERS - 1] + "…"
    return plain or "no reason given"


def _translated_ssh(error: asyncssh.Error, doing: str) -> HkexOpsError:
    reason = printable(error.reason)
    if isinstance(error, asyncssh.PermissionDenied | asyncssh.IllegalUserName):
        return AuthRefused(
            f"{doing}: the server knows neither this user nor this key: check user and key_file, "
            "or have the public key registered with the exchange"
        )
    if isinstance(error, asyncssh.ConnectionLost):
        return Unreachable(f"{doing}: the connection was lost ({reason})")
    if isinstance(error, asyncssh.ChannelOpenError):
        if error.code in _NO_ROOM:
            return Busy(f"{doing}: the server has no room for a session now ({reason})")
        return Rejected(f"{doing}: the server opens no SFTP session for this user ({reason})")
    if isinstance(error, asyncssh.DisconnectError):
        if error.code in _FULL:
            return Busy(f"{doing}: the server has too many connections now ({reason})")
        if error.code in _GONE:
            return Unreachable(f"{doing}: the server ended the connection ({reason})")
    return Rejected(f"{doing}: the server refused ({reason}): show this to the exchange")
