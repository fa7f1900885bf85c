"""What the engine's own log tells of a message that failed: refused, not now, or nobody knows.

Apprise answers yes or no. Its log says more, with addresses and secrets in it: here it is read
while one message is sent, kept from everybody else, and boiled down to an outcome and a sentence
that repeats nothing.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Generator, Iterable
from contextlib import contextmanager

from hkex_ops.model import Outcome

__all__ = ["Overheard", "judged", "overhearing"]

LOGGER_NAME = "apprise"

MOST_RECORDS = 200

_STATUS = re.compile(r"\berror[=: ]+([1-5]\d\d)\b")
_NEVER_CONNECTED = re.compile(
    r"NewConnectionError|ConnectTimeout|NameResolutionError|Connection refused"
    r"|CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError"
)
_NOT_NOW = frozenset({408, 425, 429, 503})


class Overheard(logging.Handler):
    """The texts of the engine's log while one message was sent."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one text."""
        if len(self.texts) < MOST_RECORDS:
            self.texts.append(record.getMessage())


@contextmanager
def overhearing() -> Generator[Overheard]:
    """Hear what the engine logs, and keep it from other logs. One at a time."""
    logger = logging.getLogger(LOGGER_NAME)
    before = (logger.level, logger.propagate)
    heard = Overheard()
    logger.addHandler(heard)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        yield heard
    finally:
        logger.removeHandler(heard)
        logger.setLevel(before[0])
        logger.propagate = before[1]


def judged(texts: Iterable[str]) -> tuple[Outcome, str]:
    """What became of a message that the engine says failed, and a sentence about it."""
    heard = list(texts)
    statuses = [int(found[1]) for text in heard if (found := _STATUS.search(text))]
    # Some services are sent a message in pieces: one that arrived may be half of it.
    if any(text.startswith("Sent ") for text in heard):
        return Outcome.UNKNOWN, "a part of the message was taken, and a part was not"
    if statuses:
        status = statuses[-1]
        if status in _NOT_NOW:
            return Outcome.DEFERRED, f"the service says: not now (status {status})"
        if status >= 500:
            return Outcome.UNKNOWN, f"the service failed (status {status}): it may have taken it"
        return Outcome.REFUSED, f"the service refuses it (status {status})"
    if any(_NEVER_CONNECTED.search(text) for text in heard):
        return Outcome.DEFERRED, "the service could not be reached"
    return Outcome.UNKNOWN, "the service gave no clear answer: it may have taken it"
