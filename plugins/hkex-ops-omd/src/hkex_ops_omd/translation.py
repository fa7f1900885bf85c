"""Every exception of sockets and streams as an error of this house, sorted by who must act.

A test enumerates the classes and holds this module to it.
"""

from __future__ import annotations

import os

from hkex_ops.errors import (
    ConfigError,
    HkexOpsError,
    PluginError,
    TimedOut,
    Unreachable,
)

__all__ = ["DISTRIBUTION", "misconfigured", "translated"]

DISTRIBUTION = "hkex-ops-omd"

MAX_WORDS_CHARACTERS = 120


def translated(error: BaseException, doing: str) -> HkexOpsError:
    """``error`` as one of ours; ``doing`` opens the sentence ("HOST port PORT, logging on").

    What is neither a socket's nor the operating system's comes back as `PluginError`.
    """
    match error:
        case HkexOpsError():
            return error
        case TimeoutError():
            return TimedOut(f"{doing}: no answer in time: try again, or ask the exchange")
        case EOFError():  # asyncio.IncompleteReadError
            return Unreachable(f"{doing}: the connection was closed in the midst of an answer")
        case UnicodeError():
            return Unreachable(f"{doing}: this can be no host's name")
        case OSError():
            return Unreachable(f"{doing}: {_reason(error)}")
        case _:
            return PluginError(
                f"{doing} failed with {type(error).__name__}: {_printable(str(error))}",
                distribution=DISTRIBUTION,
            )


def misconfigured(error: OSError, doing: str, advice: str) -> ConfigError:
    """``error`` where the machine refuses what the operator wrote; ``advice`` says what to mend."""
    return ConfigError(f"{doing}: {_reason(error)}: {advice}")


def _reason(error: OSError) -> str:
    # The event loop words its own refusals; the system's word for the number is plainer.
    said = os.strerror(error.errno) if error.errno and error.errno > 0 else ""
    return said or _printable(str(error))


def _printable(text: str) -> str:
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    plain = " ".join(plain.split())
    if len(plain) > MAX_WORDS_CHARACTERS:
        return plain[: MAX_WORDS_CHARACTERS - 1] + "…"
    return plain or "no reason given"
