"""Every exception of sockets, streams and files has its place in our error tree."""

from __future__ import annotations

import asyncio
import builtins
import errno
import inspect
import os
import socket
from types import ModuleType

import pytest

from hkex_ops.errors import (
    ConfigError,
    HkexOpsError,
    PluginError,
    Rejected,
    RemoteError,
    TimedOut,
    Unreachable,
)
from hkex_ops_omd.translation import misconfigured, translated


def exceptions_of(module: ModuleType) -> set[type[Exception]]:
    return {
        kind
        for name, kind in vars(module).items()
        if not name.startswith("_") and inspect.isclass(kind) and issubclass(kind, Exception)
    }


SYSTEM = {kind for kind in exceptions_of(builtins) if issubclass(kind, OSError)}
STREAMS = {asyncio.IncompleteReadError, asyncio.TimeoutError}
KINDS = sorted(exceptions_of(socket) | SYSTEM | STREAMS, key=lambda kind: kind.__qualname__)

# What a socket operation of this distribution can fail with; each is said in the system's words.
NUMBERS = (
    *(errno.EACCES, errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.ECONNREFUSED, errno.ECONNRESET),
    *(errno.EHOSTUNREACH, errno.EIO, errno.EMFILE, errno.ENETDOWN, errno.ENETUNREACH),
    *(errno.ENOBUFS, errno.ENODEV, errno.EPERM, errno.EPIPE),
)


def made(kind: type[Exception]) -> Exception:
    """An instance without its constructor, each of which asks for something else."""
    error = kind.__new__(kind, "a reason")
    assert isinstance(error, Exception)
    return error


def test_there_are_exceptions_to_enumerate() -> None:
    assert {socket.gaierror, ConnectionResetError, BlockingIOError} < set(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__qualname__)
def test_every_class_is_an_error_of_the_other_side(kind: type[Exception]) -> None:
    error = translated(made(kind), "asking")
    assert isinstance(error, RemoteError)
    assert str(error).startswith("asking: ")


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: errno.errorcode[number])
def test_every_number_is_said_in_words(number: int) -> None:
    error = translated(OSError(number, "[Errno] whatever the loop says"), "asking")
    told = f"asking: {os.strerror(number)}"
    assert (Unreachable, told) == (type(error), str(error))
    mending = misconfigured(OSError(number, ""), "asking", "mend it")
    assert f"{told}: mend it" == str(mending)
    assert isinstance(mending, ConfigError)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TimeoutError(), TimedOut),
        (TimeoutError(errno.ETIMEDOUT, "Connection timed out"), TimedOut),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), Unreachable),
        (asyncio.IncompleteReadError(b"", 1), Unreachable),
        (UnicodeError("label empty or too long"), Unreachable),
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
        ("two\nlines\x1b[31m", "asking: two lines [31m"),
        ("", "asking: no reason given"),
        ("x" * 1000, "asking: " + "x" * 119 + "…"),
    ],
)
def test_words_from_elsewhere_are_made_safe(said: str, expected: str) -> None:
    assert expected == str(translated(OSError(said), "asking"))
