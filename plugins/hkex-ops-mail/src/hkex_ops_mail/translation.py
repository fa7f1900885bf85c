"""Every exception of the mail library and of the sockets below it, as an error of this house.

Sorted by who must act; a test enumerates the library's classes and holds this module to it. An
answer of the server is told by its code: 4xx may pass, 5xx will not (RFC 5321, section 4.2.1). Its
words are shortened and stripped of control characters, and of our secrets should it repeat them.
"""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Iterable, Iterator

import aiosmtplib

from hkex_ops.errors import (
    AuthRefused,
    Busy,
    HkexOpsError,
    PluginError,
    Rejected,
    TimedOut,
    Unreachable,
)

__all__ = ["DISTRIBUTION", "is_for_good", "printable", "repeats", "translated"]

DISTRIBUTION = "hkex-ops-mail"

MAX_WORDS_CHARACTERS = 160

# The codes that say "I do not know you": authentication required, invalid, too weak.
_UNKNOWN = frozenset({530, 534, 535, 538})


def translated(error: BaseException, doing: str, secrets: Iterable[str] = ()) -> HkexOpsError:
    """``error`` as one of ours; ``doing`` opens the sentence ("sending by H:P").

    What is neither the library's nor the operating system's comes back as `PluginError`.
    """
    secrets = tuple(secrets)
    # The library wraps what TLS says of a certificate into an error of connecting.
    cause = error.__cause__ if isinstance(error, aiosmtplib.SMTPConnectError) else None
    match cause if isinstance(cause, ssl.SSLError) else error:
        case HkexOpsError() as ours:
            return ours
        case TimeoutError():
            return TimedOut(f"{doing}: no answer in time")
        case ssl.SSLCertVerificationError() as refused:
            reason = printable(str(getattr(refused, "verify_message", "")))
            return Rejected(f"{doing}: its certificate is not accepted: {reason}; nothing was sent")
        case ssl.SSLError() as refused:
            reason = printable(str(getattr(refused, "reason", "")).replace("_", " ").lower())
            return Rejected(f"{doing}: it does not speak TLS with us: {reason}")
        case aiosmtplib.SMTPRecipientsRefused():
            return Rejected(f"{doing}: it takes mail for none of the recipients")
        case aiosmtplib.SMTPResponseException() as answer:
            return _answered(answer, doing, secrets)
        case aiosmtplib.SMTPServerDisconnected() | aiosmtplib.SMTPConnectError():
            return Unreachable(f"{doing}: the connection was lost or never made")
        case aiosmtplib.SMTPException() as refused:
            return Rejected(f"{doing}: {printable(str(refused), secrets)}")
        case OSError() as failed:
            said = os.strerror(failed.errno) if failed.errno and failed.errno > 0 else str(failed)
            return Unreachable(f"{doing}: {printable(said, secrets)}")
        case _:
            return PluginError(
                f"{doing} failed with {type(error).__name__}: {printable(str(error), secrets)}",
                distribution=DISTRIBUTION,
            )


def is_for_good(code: int) -> bool:
    """Whether an answer will be the same next time: anything but 4xx."""
    return not 400 <= code < 500


def printable(text: str, secrets: Iterable[str] = ()) -> str:
    """The server's words made safe for a sentence: one line, no control characters, short."""
    for spelling in _spellings(secrets):
        text = text.replace(spelling, "…")
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    plain = " ".join(plain.split())
    if len(plain) > MAX_WORDS_CHARACTERS:
        return plain[: MAX_WORDS_CHARACTERS - 1] + "…"
    return plain or "no reason given"


def repeats(text: str, secrets: Iterable[str]) -> bool:
    """Whether ``text`` holds one of ``secrets``, as it is or as it goes over the line."""
    return any(spelling in text for spelling in _spellings(secrets))


def _spellings(secrets: Iterable[str]) -> Iterator[str]:
    for secret in secrets:
        yield secret
        yield base64.b64encode(secret.encode()).decode()


def _answered(
    answer: aiosmtplib.SMTPResponseException, doing: str, secrets: tuple[str, ...]
) -> HkexOpsError:
    # The classes are made by hand, too: a bare one knows neither code nor words.
    code: int = getattr(answer, "code", 0)
    words = printable(str(getattr(answer, "message", "")), secrets)
    if isinstance(answer, aiosmtplib.SMTPAuthenticationError) or code in _UNKNOWN:
        if not is_for_good(code):
            return Busy(f"{doing}: it cannot look at our login now (code {code}): try again")
        return AuthRefused(
            f"{doing}: it knows neither this user nor this secret (code {code}): check user and "
            "the file that the options name"
        )
    if code < 0:
        return Rejected(f"{doing}: this is no mail server: {words}")
    if is_for_good(code):
        return Rejected(f"{doing}: refused: {words} (code {code})")
    return Busy(f"{doing}: not now: {words} (code {code})")
