"""Numbers that the library gives for a call, as errors that say who must act. Pure.

Two numbers come with a call: the completion is the library's, the transaction status the central
system's. What is written here of each is this project's own sentence for a public number; a number
that nobody has documented is never taken for success.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from hkex_ops.errors import (
    AuthRefused,
    Busy,
    ConfigError,
    HkexOpsError,
    PermanentError,
    Rejected,
    TimedOut,
    TransientError,
    Unreachable,
)

__all__ = [
    "COLLECTED",
    "EVENTS_OVERFLOW",
    "LINK_LOST",
    "NEVER_RETRY",
    "NOT_FOUND",
    "NOT_READY",
    "PASSWORD_ADVISED",
    "PASSWORD_REQUIRED",
    "RECONNECTED",
    "SESSION_LOST",
    "TRUNCATED",
    "Told",
    "failure",
]

EVENTS_OVERFLOW = 3
COLLECTED = 4
RECONNECTED = 2000
PASSWORD_REQUIRED = 2027
PASSWORD_ADVISED = 2028
NOT_READY = -2
TRUNCATED = -13
NOT_FOUND = -26
LINK_LOST = -53

SESSION_LOST: frozenset[int] = frozenset(
    {-5, -9, -10, -22, -35, -53, -54, -2001, -2005, -2019, *range(-2015, -2007)}
)
"""After one of these the session is no more: log in again, with every subscription."""

NEVER_RETRY: frozenset[int] = frozenset({-2024, -2033, -2034, -2037, -40, -41})
"""Trying these again may lock the user out."""

_UNKNOWN_OUTCOME = -21
_ABORTED = -12

_MEANING: Mapping[int, tuple[type[HkexOpsError], str]] = {
    5: (TransientError, "it is still in progress, and its answer is not there: ask again"),
    2000: (TransientError, "the library has connected again meanwhile: ask again"),
    2027: (AuthRefused, "the password must be changed first, by a person"),
    -1: (PermanentError, "the library says no more than that it failed"),
    -2: (Busy, "it is not ready yet: try again"),
    -3: (Rejected, "the facility is out of range: correct its offset in the configuration"),
    -5: (Unreachable, "nobody is logged in any more: log in again"),
    -9: (Unreachable, "the session is not initialised: log in again"),
    -10: (Unreachable, "the gateway has no network information: try again later"),
    -11: (Unreachable, "the gateway has no back end to send it to: try again later"),
    -12: (Rejected, "the central system aborted it"),
    -13: (PermanentError, "the answer was cut short: it is no answer"),
    -17: (Rejected, "the type of the message is not valid: compare layouts and release"),
    -18: (Rejected, "a field is not valid"),
    -19: (Rejected, "the message was not accepted as it is: compare layouts and release"),
    -20: (Rejected, "the message was not accepted as it is: compare layouts and release"),
    -21: (TimedOut, "the central system did not answer in time: what became of it is unknown"),
    -22: (Unreachable, "the session's set-up failed: log in again"),
    -23: (TransientError, "the transaction failed"),
    -24: (TransientError, "the library has no memory"),
    -25: (PermanentError, "the library refuses an argument: report this adapter's fault"),
    -26: (Rejected, "nothing of that kind is there"),
    -28: (ConfigError, "user or password is missing: state both"),
    -29: (Unreachable, "there is no network path: ask the network's keeper"),
    -30: (Rejected, "the type of event is not valid"),
    -32: (Rejected, "the type of the message is not valid: compare layouts and release"),
    -35: (Unreachable, "the library failed for good: log in again"),
    -36: (PermanentError, "there is no order id"),
    -39: (Rejected, "this user may not subscribe to it: ask HKEX for the right"),
    -40: (AuthRefused, "the password has expired: have it reset, and do not try again before"),
    -41: (AuthRefused, "the password is not valid: do not try again before it is put right"),
    -42: (Busy, "the gateway is full: try again later, or the other gateway"),
    -50: (PermanentError, "the library does not know the order of bytes of this machine"),
    -53: (Unreachable, "the link to the gateway failed: log in again"),
    -54: (TimedOut, "the gateway stopped answering, and the link is lost: log in again"),
    -55: (PermanentError, "a second connection for broadcasts is not to be had"),
    -56: (PermanentError, "a second connection for broadcasts is not to be had"),
    -57: (PermanentError, "a second connection for broadcasts is not to be had"),
    -2000: (PermanentError, "the library says no more than that there is a problem"),
    -2001: (TransientError, "the library failed inside: log in again"),
    -2003: (PermanentError, "the library refuses an argument: report this adapter's fault"),
    -2004: (PermanentError, "the library refuses an argument: report this adapter's fault"),
    -2005: (Unreachable, "there is no network: ask the network's keeper"),
    -2006: (PermanentError, "this machine is not set up for the library: ask its keeper"),
    -2007: (TransientError, "the library has a problem with its gateway"),
    -2008: (Unreachable, "the gateway is not connected: log in again"),
    -2009: (Unreachable, "no gateway listens at that port: correct host and port"),
    -2010: (Unreachable, "the host is not known: correct it in the configuration"),
    -2011: (Unreachable, "no socket could be made"),
    -2012: (Unreachable, "the gateway cannot be reached: correct host and port, or try later"),
    -2013: (Unreachable, "no socket could be bound"),
    -2014: (Unreachable, "the session was aborted: log in again"),
    -2015: (Unreachable, "nothing can be sent: log in again"),
    -2016: (TransientError, "the library has no memory"),
    -2017: (PermanentError, "the library is too old for this gateway: install the current kit"),
    -2019: (Busy, "the session is in use: end the other one first"),
    -2020: (PermanentError, "the gateway refuses compression: correct that option"),
    -2021: (PermanentError, "the gateway refuses encryption: correct that option"),
    -2022: (PermanentError, "no secure session could be made: ask HKEX"),
    -2023: (AuthRefused, "logging in is disabled: ask HKEX"),
    -2024: (AuthRefused, "user or password is wrong: do not try again before it is put right"),
    -2025: (Busy, "the back end is busy: try again later"),
    -2026: (TransientError, "the log-in failed at the central system: try again later"),
    -2029: (ConfigError, "the password has a character that is not allowed"),
    -2030: (PermanentError, "a text is not ended: report this adapter's fault"),
    -2031: (PermanentError, "a message has the wrong size: compare layouts and release"),
    -2032: (Rejected, "the exchange does not support this call"),
    -2033: (AuthRefused, "the account is locked: have it unlocked, and do not try again before"),
    -2034: (AuthRefused, "the account is suspended: ask HKEX, and do not try again before"),
    -2035: (Rejected, "a second log-in of this user is not allowed: end the other session first"),
    -2036: (Rejected, "it does not apply here"),
    -2037: (AuthRefused, "the account is inactive: ask HKEX, and do not try again before"),
    -2038: (AuthRefused, "the password must be changed first, by a person"),
    -2043: (TransientError, "a partition was not found: the answer would not be whole"),
    -2044: (TransientError, "a partition cannot be reached: the answer would not be whole"),
    -2045: (PermanentError, "a second connection for broadcasts is not to be had"),
    -2046: (PermanentError, "a second connection for broadcasts is not to be had"),
    -2047: (Busy, "this user has as many sessions as it may: end another one first"),
    -2048: (Busy, "this user is logged in from elsewhere: end that session first"),
}

# Of the parts of the central system, by the range of its numbers.
_CENTRAL = (
    (200_000, 205_999, "the central system's transport"),
    (300_000, 330_999, "the central database"),
    (700_001, 709_003, "clearing"),
    (900_000, 910_999, "risk"),
)


@frozen
class Told:
    """What came of a call: completion, transaction status, and the central system's text."""

    completion: int
    transaction: int = 0
    text: str = ""

    @property
    def is_good(self) -> bool:
        """Whether a question was answered in full. Both numbers have to say so."""
        return self.completion == 0 and self.transaction >= 0


def failure(doing: str, told: Told) -> HkexOpsError:
    """The error for a call that did not go as it should. ``doing`` says what was tried."""
    numbers = f"completion {told.completion}, status {told.transaction}"
    text = f", {told.text!r}" if told.text else ""
    kind, sentence = _meaning(told)
    return kind(f"{doing}: {sentence} ({numbers}{text})")


def _meaning(told: Told) -> tuple[type[HkexOpsError], str]:
    if told.completion == _ABORTED or (told.completion >= 0 and told.transaction < 0):
        kind, sentence = _MEANING.get(told.transaction, (Rejected, _central(told.transaction)))
        if told.transaction == _UNKNOWN_OUTCOME or told.transaction in NEVER_RETRY:
            return kind, sentence
        return kind, sentence if told.transaction else _MEANING[_ABORTED][1]
    if told.completion == -18:
        return Rejected, f"the field at byte {told.transaction} of the message is not valid"
    known = _MEANING.get(told.completion)
    if known is not None:
        return known
    return (
        PermanentError,
        f"status {told.completion} is not known here, and is not taken for success: ask HKEX what "
        "it means",
    )


def _central(status: int) -> str:
    number = abs(status)
    for first, last, part in _CENTRAL:
        if first <= number <= last:
            return f"{part} refused it"
    return "the central system refused it"
