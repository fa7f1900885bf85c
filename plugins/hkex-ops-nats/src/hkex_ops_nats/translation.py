"""Every exception of the NATS client and of the sockets below it, as an error of this house.

The tables sort the classes of nats-py, and JetStream's error codes, by who must act; a test
enumerates the classes and holds the tables to it. Words come from the server, so they are shortened
and stripped of control characters before they enter a sentence; nothing that holds a secret is ever
among them.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl

import nats.errors
import nats.js.errors

from hkex_ops.errors import (
    AuthRefused,
    Busy,
    ConfigError,
    HkexOpsError,
    PluginError,
    Rejected,
    TimedOut,
    Unreachable,
)

__all__ = [
    "CONSUMER_NOT_FOUND",
    "DISTRIBUTION",
    "NAME_IN_USE",
    "NOT_CLUSTERED",
    "STREAM_NOT_FOUND",
    "SUBJECTS_OVERLAP",
    "WRONG_LAST_SEQUENCE",
    "error_code",
    "printable",
    "translated",
]

DISTRIBUTION = "hkex-ops-nats"

MAX_WORDS_CHARACTERS = 200

# JetStream's codes (server/errors.json of nats-server) that somebody here asks for.
CONSUMER_NOT_FOUND = 10014
NAME_IN_USE = 10058
STREAM_NOT_FOUND = 10059
SUBJECTS_OVERLAP = 10065
WRONG_LAST_SEQUENCE = 10071
NOT_CLUSTERED = 10074

# No JetStream at all, or none for this account: nobody's waiting helps.
_NOT_ENABLED = frozenset({10039, 10076})

# Out of room or of servers for now: insufficient resources, no peers, temporarily unavailable,
# storage resources exceeded, message not stored because a limit is reached.
_NO_ROOM = frozenset({10002, 10005, 10008, 10009, 10023, 10028, 10047, 10054, 10077})

_GONE = (
    nats.errors.StaleConnectionError,
    nats.errors.ConnectionClosedError,
    nats.errors.ConnectionDrainingError,
    nats.errors.ConnectionReconnectingError,
    nats.errors.NoServersError,
    nats.errors.OutboundBufferLimitError,
    nats.errors.SlowConsumerError,
    nats.js.errors.ConsumerSequenceMismatchError,
)
_UNANSWERED = (
    nats.errors.NoRespondersError,
    nats.js.errors.NoStreamResponseError,
    nats.js.errors.TooManyStalledMsgsError,
)
_NO_TLS = (
    nats.errors.SecureConnRequiredError,
    nats.errors.SecureConnWantedError,
    nats.errors.SecureConnFailedError,
)
_WHO_ARE_YOU = (nats.errors.AuthorizationError, nats.errors.InvalidUserCredentialsError)

# The server's own words where the library has no class: it hands them on as a bare error.
_WORDS = {
    "authorization violation": AuthRefused,
    "authentication": AuthRefused,
    "account": AuthRefused,
    "maximum connections": Busy,
    "maximum account active connections": Busy,
    "stale connection": Unreachable,
    "slow consumer": Unreachable,
    "empty response from server": Unreachable,
}


def translated(error: BaseException, doing: str) -> HkexOpsError:
    """``error`` as one of ours; ``doing`` opens the sentence ("publishing on H port P").

    What is neither the library's nor the operating system's comes back as `PluginError`: this
    adapter drove its engine wrongly, or met a case it does not know.
    """
    match error:
        case HkexOpsError():
            return error
        # asyncio's own error is the built-in one; the library's are subclasses of it.
        case TimeoutError():
            return TimedOut(f"{doing}: no answer in time")
        case ssl.SSLCertVerificationError():
            reason = printable(str(getattr(error, "verify_message", "")))
            return Rejected(f"{doing}: its certificate is not accepted: {reason}; nothing was sent")
        case ssl.SSLError():
            reason = printable(str(getattr(error, "reason", "")).replace("_", " ").lower())
            return Rejected(f"{doing}: it does not speak TLS with us: {reason}")
        case OSError():
            said = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            return Unreachable(f"{doing}: {printable(said)}")
        case asyncio.IncompleteReadError() | asyncio.LimitOverrunError():
            return Unreachable(f"{doing}: the connection was closed before the answer ended")
        case nats.js.errors.APIError():
            return _translated_answer(error, doing)
        case nats.errors.Error():
            return _translated_client(error, doing)
        case json.JSONDecodeError() | UnicodeDecodeError():
            return Rejected(f"{doing}: the answer is none of a NATS server")
        case _ if type(error).__module__.partition(".")[0] == "nkeys":
            return ConfigError(f"{doing}: the seed is not valid: have it made again")
        case _:
            return PluginError(
                f"{doing} failed with {type(error).__name__}: {printable(str(error))}",
                distribution=DISTRIBUTION,
            )


def error_code(error: BaseException) -> int | None:
    """JetStream's code of an answer; ``None`` for anything else."""
    return error.err_code if isinstance(error, nats.js.errors.APIError) else None


def printable(text: str) -> str:
    """The server's words made safe for a sentence: one line, no control characters, short."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    plain = " ".join(plain.split())
    if len(plain) > MAX_WORDS_CHARACTERS:
        return plain[: MAX_WORDS_CHARACTERS - 1] + "…"
    return plain or "no reason given"


def _translated_answer(error: nats.js.errors.APIError, doing: str) -> HkexOpsError:
    reason = printable(str(getattr(error, "description", None) or ""))
    code: int | None = getattr(error, "err_code", None)
    if code in _NOT_ENABLED:
        return Rejected(f"{doing}: the servers keep no streams for this user: enable JetStream")
    if code in _NO_ROOM:
        return Busy(f"{doing}: the servers have no room now: {reason}")
    if isinstance(error, nats.js.errors.ServiceUnavailableError):
        return Busy(
            f"{doing}: no server keeps streams just now ({reason}): wait for the cluster, or "
            "enable JetStream"
        )
    return Rejected(f"{doing}: refused: {reason} (code {code})")


def _translated_client(error: nats.errors.Error, doing: str) -> HkexOpsError:
    if isinstance(error, _WHO_ARE_YOU):
        return _unknown(doing)
    if isinstance(error, _NO_TLS):
        return Rejected(f"{doing}: it offers no TLS, so no secret was sent")
    if isinstance(error, _UNANSWERED):
        return Busy(f"{doing}: no server is in charge of it now")
    if isinstance(error, _GONE):
        return Unreachable(f"{doing}: the connection was lost")
    words = printable(str(error)).removeprefix("nats: ").strip("'")
    for known, kind in _WORDS.items():
        if known in words.lower():
            return _unknown(doing) if kind is AuthRefused else kind(f"{doing}: {words}")
    return Rejected(f"{doing}: {words}")


def _unknown(doing: str) -> AuthRefused:
    return AuthRefused(
        f"{doing}: the server knows neither this user nor this secret: check the files that the "
        "options name, or have the user entered"
    )
