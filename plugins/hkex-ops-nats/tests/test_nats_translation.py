"""Every exception of the NATS client and of the sockets below has its place in our error tree."""

from __future__ import annotations

import asyncio
import errno
import json
import socket
import ssl
from collections.abc import Iterator

import nats.aio.errors
import nats.errors
import nats.js.errors
import nkeys
import pytest

from hkex_ops.errors import (
    AuthRefused,
    Busy,
    ConfigError,
    HkexOpsError,
    PluginError,
    Rejected,
    RemoteError,
    TimedOut,
    Unreachable,
)
from hkex_ops_nats.translation import error_code, printable, translated

JS = nats.js.errors


def engine_exceptions(root: type[Exception] = Exception) -> Iterator[type[Exception]]:
    for kind in root.__subclasses__():
        if kind.__module__.partition(".")[0] in ("nats", "nkeys"):
            yield kind
        yield from engine_exceptions(kind)


def made(kind: type[Exception]) -> Exception:
    """An instance without its constructor, each of which asks for something else."""
    error = kind.__new__(kind, "a reason")
    for name in ("description", "err_code", "code", "key", "subject", "sid", "sub", "_msg"):
        if not hasattr(error, name):
            setattr(error, name, None)
    if isinstance(error, JS.ConsumerSequenceMismatchError):
        error.last_consumer_sequence = error.consumer_sequence = 1
        error.stream_resume_sequence = 1
    if isinstance(error, JS.KeyNotFoundError):
        error.message = None
    return error


KINDS = sorted(set(engine_exceptions()), key=lambda kind: f"{kind.__module__}.{kind.__qualname__}")


def test_the_library_has_exceptions_to_enumerate() -> None:
    known = {JS.NotFoundError, nats.errors.NoServersError, nats.aio.errors.ErrTimeout}
    assert known | {nkeys.ErrInvalidSeed} < set(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_every_class_of_the_library_is_translated(kind: type[Exception]) -> None:
    error = translated(made(kind), "publishing")
    assert isinstance(error, RemoteError | ConfigError)
    assert str(error).startswith("publishing: ")
    assert str(error).isprintable()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (nats.errors.AuthorizationError(), AuthRefused),
        (nats.errors.Error("nats: 'Authorization Violation'"), AuthRefused),
        (nats.errors.Error("nats: 'User Authentication Expired'"), AuthRefused),
        (nats.errors.Error("nats: 'maximum connections exceeded'"), Busy),
        (nats.errors.Error("nats: 'Unknown Protocol Operation'"), Rejected),
        (nats.errors.SecureConnWantedError(), Rejected),
        (nats.errors.TimeoutError(), TimedOut),
        (JS.FetchTimeoutError(), TimedOut),
        (nats.errors.NoServersError(), Unreachable),
        (nats.errors.UnexpectedEOF(), Unreachable),
        (nats.errors.ConnectionClosedError(), Unreachable),
        (nats.errors.NoRespondersError(), Busy),
        (JS.NoStreamResponseError(), Busy),
        (nats.errors.MaxPayloadError(), Rejected),
        (nats.errors.BadSubjectError(), Rejected),
        (JS.ServiceUnavailableError(503, "insufficient resources", 10023), Busy),
        (JS.ServerError(500, "insufficient storage resources", 10047), Busy),
        (JS.APIError(503, "maximum messages exceeded", 10077), Busy),
        (JS.ServiceUnavailableError(503, "not enabled for account", 10039), Rejected),
        (JS.ServiceUnavailableError(), Busy),
        (JS.NotFoundError(404, "stream not found", 10059), Rejected),
        (JS.BadRequestError(400, "expected stream does not match", 10060), Rejected),
        (nkeys.ErrInvalidSeed(), ConfigError),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), Unreachable),
        (ConnectionResetError(errno.ECONNRESET, "reset"), Unreachable),
        (socket.gaierror(socket.EAI_NONAME, "no such name"), Unreachable),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), Rejected),
        (asyncio.IncompleteReadError(b"", 1), Unreachable),
        (TimeoutError(), TimedOut),
        (json.JSONDecodeError("?", "", 0), Rejected),
        (ValueError("a bug"), PluginError),
    ],
    ids=repr,
)
def test_errors_are_sorted_by_who_must_act(error: Exception, expected: type[HkexOpsError]) -> None:
    assert expected is type(translated(error, "doing it"))


def test_our_own_errors_pass_through() -> None:
    ours = Rejected("no")
    assert ours is translated(ours, "doing it")


def test_the_code_of_an_answer_is_told() -> None:
    assert 10059 == error_code(JS.NotFoundError(404, "stream not found", 10059))
    assert None is error_code(TimeoutError())


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
