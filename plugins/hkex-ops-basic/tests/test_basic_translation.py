"""Every exception of the standard library's network modules has its place in our error tree."""

from __future__ import annotations

import asyncio
import builtins
import errno
import http.client
import inspect
import socket
import ssl
from types import ModuleType

import pytest

from hkex_ops.errors import HkexOpsError, PluginError, Rejected, RemoteError, TimedOut, Unreachable
from hkex_ops_basic.translation import printable, translated


def exceptions_of(module: ModuleType) -> set[type[Exception]]:
    return {
        kind
        for name, kind in vars(module).items()
        if not name.startswith("_") and inspect.isclass(kind) and issubclass(kind, Exception)
    }


NETWORK = exceptions_of(ssl) | exceptions_of(http.client) | exceptions_of(socket)
SYSTEM = {kind for kind in exceptions_of(builtins) if issubclass(kind, OSError)}
STREAMS = {asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.TimeoutError}
KINDS = sorted(NETWORK | SYSTEM | STREAMS, key=lambda kind: kind.__qualname__)


def made(kind: type[Exception]) -> Exception:
    """An instance without its constructor, each of which asks for something else."""
    error = kind.__new__(kind, "a reason")
    if isinstance(error, ssl.SSLCertVerificationError):
        error.verify_message = "a reason"
    if isinstance(error, http.client.IncompleteRead):
        error.partial, error.expected = b"", None
    return error


def test_there_are_exceptions_to_enumerate() -> None:
    assert {ssl.SSLEOFError, http.client.BadStatusLine, ConnectionResetError} < set(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__qualname__)
def test_every_class_is_an_error_of_the_other_side(kind: type[Exception]) -> None:
    error = translated(made(kind), "asking")
    assert isinstance(error, RemoteError)
    assert str(error).startswith("asking: ")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), Unreachable),
        (ConnectionResetError(errno.ECONNRESET, "reset"), Unreachable),
        (socket.gaierror(socket.EAI_NONAME, "no such name"), Unreachable),
        (TimeoutError(), TimedOut),
        (asyncio.IncompleteReadError(b"", 1), Unreachable),
        (asyncio.LimitOverrunError("long", 1), Rejected),
        (http.client.LineTooLong("header line"), Rejected),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), Rejected),
        (ValueError("a bug"), PluginError),
    ],
    ids=repr,
)
def test_errors_are_sorted_by_who_must_act(error: Exception, expected: type[HkexOpsError]) -> None:
    assert expected is type(translated(error, "asking"))


def test_our_own_errors_pass_through() -> None:
    ours = Rejected("no")
    assert ours is translated(ours, "asking")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("plain", "plain"),
        ("two\nlines\x1b[31m", "two lines [31m"),
        ("", "no reason given"),
        ("x" * 1000, "x" * 119 + "…"),
    ],
)
def test_the_far_sides_words_are_made_safe(said: str, expected: str) -> None:
    assert expected == printable(said)
