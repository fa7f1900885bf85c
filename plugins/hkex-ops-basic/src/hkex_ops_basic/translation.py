"""Every exception of the standard library's network modules as an error of this house.

Sorted by who must act; a test enumerates the classes and holds this module to it. Words that come
from the far side are shortened and stripped of control characters before they enter a sentence.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import ssl

from hkex_ops.errors import HkexOpsError, PluginError, Rejected, TimedOut, Unreachable

__all__ = ["DISTRIBUTION", "printable", "translated"]

DISTRIBUTION = "hkex-ops-basic"

MAX_WORDS_CHARACTERS = 120


def translated(error: BaseException, doing: str) -> HkexOpsError:
    """``error`` as one of ours; ``doing`` opens the sentence ("HOST:PORT, shaking hands").

    What is neither the standard library's nor the operating system's comes back as `PluginError`.
    """
    match error:
        case HkexOpsError():
            return error
        case TimeoutError():
            return TimedOut(f"{doing}: no answer in time")
        case ssl.SSLCertVerificationError():
            reason = printable(error.verify_message)
            return Rejected(f"{doing}: its certificate is not accepted: {reason}; nothing was sent")
        case ssl.SSLError():
            return Rejected(f"{doing}: it does not speak TLS with us: {_tls_reason(error)}")
        case ssl.CertificateError():
            return Rejected(f"{doing}: its certificate is not accepted: {printable(str(error))}")
        case asyncio.IncompleteReadError():
            return Unreachable(f"{doing}: the connection was closed before the answer ended")
        case asyncio.LimitOverrunError():
            return Rejected(f"{doing}: it answers without end: this is not HTTP")
        case http.client.HTTPException():
            return Rejected(f"{doing}: this is not HTTP: {printable(str(error))}")
        case UnicodeError():
            return Unreachable(f"{doing}: this can be no host's name")
        case OSError():
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else ""
            return Unreachable(f"{doing}: {reason or printable(str(error))}")
        case _:
            return PluginError(
                f"{doing} failed with {type(error).__name__}: {printable(str(error))}",
                distribution=DISTRIBUTION,
            )


def printable(text: str) -> str:
    """The far side's words made safe for a sentence: one line, no control characters, short."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    plain = " ".join(plain.split())
    if len(plain) > MAX_WORDS_CHARACTERS:
        return plain[: MAX_WORDS_CHARACTERS - 1] + "…"
    return plain or "no reason given"


def _tls_reason(error: ssl.SSLError) -> str:
    # The class is made by hand, too: a bare one knows no reason.
    reason: str | None = getattr(error, "reason", None)
    return printable((reason or str(error)).replace("_", " ").lower())
