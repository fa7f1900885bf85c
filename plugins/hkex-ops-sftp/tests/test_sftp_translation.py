"""Every exception of the SSH library and of the sockets below has its place in our error tree."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import asyncssh
import pytest
from asyncssh.constants import (
    DISC_BY_APPLICATION,
    DISC_HOST_NOT_ALLOWED_TO_CONNECT,
    DISC_TOO_MANY_CONNECTIONS,
    OPEN_ADMINISTRATIVELY_PROHIBITED,
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
from hkex_ops_sftp.translation import concerns_one_report, printable, translated


def engine_exceptions(root: type[Exception] = Exception) -> Iterator[type[Exception]]:
    for kind in root.__subclasses__():
        if kind.__module__.partition(".")[0] == "asyncssh":
            yield kind
        yield from engine_exceptions(kind)


def made(kind: type[Exception]) -> Exception:
    """An instance without its constructor, each of which asks for something else."""
    error = kind.__new__(kind, "a reason")
    if isinstance(error, asyncssh.Error):
        error.code, error.reason = 0, "a reason"
    return error


KINDS = sorted(set(engine_exceptions()), key=lambda kind: kind.__qualname__)


def test_the_library_has_exceptions_to_enumerate() -> None:
    assert {asyncssh.SFTPNoSuchFile, asyncssh.PermissionDenied, asyncssh.TimeoutError} < set(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__qualname__)
def test_every_class_of_the_library_is_translated(kind: type[Exception]) -> None:
    error = translated(made(kind), "reading TP001.csv")
    assert isinstance(error, RemoteError | ConfigError)
    assert str(error).startswith("reading TP001.csv: ")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (asyncssh.PermissionDenied("no"), AuthRefused),
        (asyncssh.IllegalUserName("no"), AuthRefused),
        (asyncssh.ConnectionLost("gone"), Unreachable),
        (asyncssh.DisconnectError(DISC_TOO_MANY_CONNECTIONS, "full"), Busy),
        (asyncssh.DisconnectError(DISC_BY_APPLICATION, "closing"), Unreachable),
        (asyncssh.DisconnectError(DISC_HOST_NOT_ALLOWED_TO_CONNECT, "no"), Rejected),
        (asyncssh.KeyExchangeFailed("nothing in common"), Rejected),
        (asyncssh.ChannelOpenError(OPEN_RESOURCE_SHORTAGE, "full"), Busy),
        (asyncssh.ChannelOpenError(OPEN_ADMINISTRATIVELY_PROHIBITED, "no"), Rejected),
        (asyncssh.SFTPNoSuchFile("?"), ReportNotFound),
        (asyncssh.SFTPNoSuchPath("?"), ReportNotFound),
        (asyncssh.SFTPPermissionDenied("no"), Rejected),
        (asyncssh.SFTPFailure("failure"), Rejected),
        (asyncssh.SFTPLockConflict("in use"), Busy),
        (asyncssh.SFTPConnectionLost("gone"), Unreachable),
        (asyncssh.SFTPNoConnection("gone"), Unreachable),
        (asyncssh.KeyImportError("not a key"), ConfigError),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), Unreachable),
        (ConnectionResetError(errno.ECONNRESET, "reset"), Unreachable),
        (OSError(errno.EHOSTUNREACH, "no route"), Unreachable),
        (socket.gaierror(socket.EAI_NONAME, "no such name"), Unreachable),
        (TimeoutError(), TimedOut),
        (ValueError("a bug"), PluginError),
    ],
    ids=repr,
)
def test_errors_are_sorted_by_who_must_act(error: Exception, expected: type[HkexOpsError]) -> None:
    assert expected is type(translated(error, "doing it"))


def test_our_own_errors_pass_through() -> None:
    ours = Rejected("no")
    assert ours is translated(ours, "doing it")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (asyncssh.SFTPNoSuchFile("?"), True),
        (asyncssh.SFTPFailure("failure"), True),
        (asyncssh.SFTPBadMessage("nonsense"), False),
        (asyncssh.SFTPConnectionLost("gone"), False),
        (asyncssh.ConnectionLost("gone"), False),
        (OSError(), False),
    ],
    ids=repr,
)
def test_the_loss_of_one_report_is_not_the_loss_of_the_session(
    error: Exception, expected: bool
) -> None:
    assert expected is concerns_one_report(error)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("plain", "plain"),
        ("two\nlines\x1b[31m", "two lines [31m"),
        ("", "no reason given"),
        ("x" * 1000, "x" * 199 + "…"),
    ],
)
def test_the_servers_words_are_made_safe(said: str, expected: str) -> None:
    assert expected == printable(said)
