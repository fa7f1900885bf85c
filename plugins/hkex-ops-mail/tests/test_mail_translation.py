"""Every exception of the mail library and of the sockets below has its place in our error tree."""

from __future__ import annotations

import base64
import errno
import socket
import ssl
from collections.abc import Iterator

import aiosmtplib
import pytest

from hkex_ops.errors import (
    AuthRefused,
    Busy,
    HkexOpsError,
    PluginError,
    Rejected,
    RemoteError,
    TimedOut,
    Unreachable,
)
from hkex_ops_mail.translation import is_for_good, printable, repeats, translated


def engine_exceptions(root: type[Exception] = Exception) -> Iterator[type[Exception]]:
    for kind in root.__subclasses__():
        if kind.__module__.partition(".")[0] == "aiosmtplib":
            yield kind
        yield from engine_exceptions(kind)


KINDS = sorted(set(engine_exceptions()), key=lambda kind: kind.__qualname__)


def test_the_library_has_exceptions_to_enumerate() -> None:
    assert {aiosmtplib.SMTPDataError, aiosmtplib.SMTPConnectTimeoutError} < set(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__qualname__)
def test_every_class_of_the_library_is_translated(kind: type[Exception]) -> None:
    error = translated(kind.__new__(kind, "a reason"), "sending")
    assert isinstance(error, RemoteError)
    assert str(error).startswith("sending: ")
    assert str(error).isprintable()


def wrapped(cause: Exception) -> Exception:
    error = aiosmtplib.SMTPConnectError("Error connecting to mail.example on port 465")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (aiosmtplib.SMTPAuthenticationError(535, "5.7.8 wrong"), AuthRefused),
        (aiosmtplib.SMTPAuthenticationError(454, "4.7.0 later"), Busy),
        (aiosmtplib.SMTPSenderRefused(530, "5.7.0 log in", "a@b"), AuthRefused),
        (aiosmtplib.SMTPSenderRefused(550, "5.7.1 not you", "a@b"), Rejected),
        (aiosmtplib.SMTPRecipientsRefused([]), Rejected),
        (aiosmtplib.SMTPDataError(452, "4.3.1 full"), Busy),
        (aiosmtplib.SMTPDataError(554, "5.7.1 no"), Rejected),
        (aiosmtplib.SMTPConnectResponseError(421, "too many"), Busy),
        (aiosmtplib.SMTPConnectResponseError(554, "no service"), Rejected),
        (aiosmtplib.SMTPConnectResponseError(-1, "Malformed SMTP response line"), Rejected),
        (aiosmtplib.SMTPHeloError(501, "who?"), Rejected),
        (aiosmtplib.SMTPServerDisconnected("gone"), Unreachable),
        (aiosmtplib.SMTPConnectError("refused"), Unreachable),
        (wrapped(ssl.SSLCertVerificationError(1, "certificate verify failed")), Rejected),
        (wrapped(ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")), Rejected),
        (wrapped(ConnectionRefusedError(errno.ECONNREFUSED, "refused")), Unreachable),
        (aiosmtplib.SMTPConnectTimeoutError("slow"), TimedOut),
        (aiosmtplib.SMTPReadTimeoutError("slow"), TimedOut),
        (aiosmtplib.SMTPNotSupported("no"), Rejected),
        (aiosmtplib.SMTPException("SMTP STARTTLS extension not supported by server."), Rejected),
        (ConnectionResetError(errno.ECONNRESET, "reset"), Unreachable),
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
    ("expected", "code"), [(False, 450), (False, 421), (True, 550), (True, 250), (True, 0)]
)
def test_an_answer_is_for_good_unless_it_says_that_it_may_pass(expected: bool, code: int) -> None:
    assert expected is is_for_good(code)


@pytest.mark.parametrize("spelling", ["open sesame", base64.b64encode(b"open sesame").decode()])
def test_a_secret_that_a_server_repeats_goes_no_further(spelling: str) -> None:
    words = f"no {spelling} here"
    assert repeats(words, ["open sesame"])
    assert "no … here" == printable(words, ["open sesame"])
    error = translated(aiosmtplib.SMTPDataError(554, words), "sending", ["open sesame"])
    assert "sending: refused: no … here (code 554)" == str(error)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("plain", "plain"),
        ("two\nlines\x1b[31m", "two lines [31m"),
        ("", "no reason given"),
        ("x" * 1000, "x" * 159 + "…"),
    ],
)
def test_the_servers_words_are_made_safe(said: str, expected: str) -> None:
    assert expected == printable(said)
