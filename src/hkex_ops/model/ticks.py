"""The one spelling of a tick, and of an event, as JSON: for files, messages and ``--json`` alike.

One line of ASCII each, versioned: figures as decimal strings with every digit they were published
with, times in Hong Kong's zone, unknown as null. A text that is no tick is a `WireError` that names
the key; a key that this version does not know is passed over, so that a later one may add some.
Called by publishers, feeds and the command line; knows no file and no network.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NoReturn, TypeVar, cast

from attrs import frozen

from hkex_ops.errors import UsageError, WireError
from hkex_ops.model.json import JsonObject
from hkex_ops.model.market import IndexStatus, IndexTick, TickKind
from hkex_ops.model.moments import HONG_KONG
from hkex_ops.model.sites import SiteRole

__all__ = [
    "LONGEST_DOCUMENT_CHARACTERS",
    "TICK_VERSION",
    "format_event",
    "format_tick",
    "parse_published",
    "parse_tick",
    "tick_document",
    "tick_identity",
]

E = TypeVar("E", bound=StrEnum)

TICK_VERSION = 1
"""The version that is written, and the only one that is read."""

# A tick on which every listed security is stale has about 16 kB.
LONGEST_DOCUMENT_CHARACTERS = 256 * 1024
"""A longer text is no tick and no event, and is refused before it is read."""

# ASCII: a line that any terminal, log and carrier takes, whatever an engine is called.
_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, allow_nan=False)

_SPEC = f"index tick version {TICK_VERSION}"
_DECIMAL = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?", re.ASCII)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)


def tick_identity(tick: IndexTick) -> str:
    """What tells a published tick from every other: ``0000100@2010-01-22T10:00:15+08:00``.

    Whoever publishes the value of that index at that moment uses the same text, so a carrier that
    is asked twice can see it. A value that the contingency system or a recalculation computed is
    another statement about the same moment, and bears its kind: ``…+08:00/contingency``.
    Raises `UsageError` for a moment without a zone.
    """
    suffix = "" if tick.kind is TickKind.REAL_TIME else f"/{tick.kind}"
    return f"{tick.index}@{_instant_text(tick.at)}{suffix}"


def tick_document(tick: IndexTick) -> JsonObject:
    """``tick`` as plain data, its version first.

    Raises `UsageError` for what no tick can hold: a moment without a zone, a figure that is no
    number.
    """
    # Spelt out rather than taken from the class: a day has half a million of them.
    return {
        "version": TICK_VERSION,
        "index": tick.index,
        "at": _instant_text(tick.at),
        "value": _figure_text("value", tick.value),
        "high": _figure_text("high", tick.high),
        "low": _figure_text("low", tick.low),
        "status": tick.status.value,
        "kind": tick.kind.value,
        "opening": _figure_text("opening", tick.opening),
        "closing": _figure_text("closing", tick.closing),
        "previous_close": _figure_text("previous_close", tick.previous_close),
        "stale": tick.stale,
        "engine": tick.engine,
        "site": None if tick.site is None else tick.site.value,
    }


def format_tick(tick: IndexTick) -> str:
    """``tick`` as one line of JSON, without the line end. Raises as :func:`tick_document` does."""
    return _one_line(tick_document(tick))


def parse_tick(text: str | bytes) -> IndexTick:
    """The tick that ``text`` spells. Raises `WireError` that says which key is wrong and how."""
    reading = _Reading.of(text)
    return _tick_in(reading)


def format_event(event: JsonObject) -> str:
    """An event of operation as one line of JSON; it is told from a tick by its key ``event``.

    Raises `UsageError` when it has no name, or no ``at`` with a zone.
    """
    name, at = event.get("event"), event.get("at")
    if not isinstance(name, str) or not name.strip():
        raise UsageError("an event to be published has no name: give it the key 'event'")
    if not isinstance(at, str) or not _INSTANT.fullmatch(at):
        raise UsageError(f"event {name} has no moment with a zone: give it the key 'at'")
    return _one_line({"version": TICK_VERSION, **event})


def parse_published(text: str | bytes) -> IndexTick | JsonObject:
    """The tick or the event that ``text`` spells, as it was given to whoever published it.

    Raises `WireError` for anything else.
    """
    reading = _Reading.of(text)
    if "event" not in reading.table:
        return _tick_in(reading)
    reading.text_of("event")
    reading.instant("at")
    return {key: value for key, value in reading.table.items() if key != "version"}


@frozen
class _Reading:
    """A document being read: its table, and its text to say where in it a fault stands."""

    text: str
    table: JsonObject

    @classmethod
    def of(cls, text: str | bytes) -> _Reading:
        if len(text) > LONGEST_DOCUMENT_CHARACTERS:
            raise WireError(
                f"a document of {len(text)} characters is no tick: {LONGEST_DOCUMENT_CHARACTERS} "
                "is the most",
                offset=0,
                spec=_SPEC,
            )
        try:
            read = text.decode() if isinstance(text, bytes) else text
            table: object = json.loads(read, parse_float=_no_float, parse_constant=_no_float)
        except json.JSONDecodeError as error:
            raise WireError(f"is not JSON: {error.msg}", offset=error.pos, spec=_SPEC) from None
        except UnicodeDecodeError as error:
            raise WireError("is not UTF-8", offset=error.start, spec=_SPEC) from None
        # ValueError: a float, or a whole number of thousands of digits.
        except (RecursionError, ValueError) as error:
            reason = str(error) if str(error).startswith("holds") else "nested or long beyond sense"
            raise WireError(f"is no tick: {reason}", offset=0, spec=_SPEC) from None
        if not isinstance(table, dict):
            raise WireError("is not a JSON object", offset=0, spec=_SPEC)
        reading = cls(read, cast("JsonObject", table))
        version = reading.table.get("version")
        if version != TICK_VERSION or isinstance(version, bool):
            raise reading.fault("version", f"is not {TICK_VERSION}, the only one read here")
        return reading

    def fault(self, key: str, message: str) -> WireError:
        """What to say of ``key``, with where it stands in the text."""
        offset = max(self.text.find(f'"{key}"'), 0)
        return WireError(f"{key} {message}", offset=offset, spec=_SPEC)

    def text_of(self, key: str, default: str | None = None) -> str:
        value = self.table.get(key, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self.fault(key, "is missing or no text")
        return value

    def word(self, key: str, words: type[E], default: E) -> E:
        value = self.text_of(key, default.value)
        try:
            return words(value)
        except ValueError:
            known = ", ".join(repr(word.value) for word in words)
            raise self.fault(key, f"is none of {known}") from None

    def instant(self, key: str) -> datetime:
        value = self.text_of(key)
        if not _INSTANT.fullmatch(value):
            raise self.fault(key, "is no date and time with a zone, to microseconds at most")
        try:
            return datetime.fromisoformat(value).astimezone(HONG_KONG)
        except (ValueError, OverflowError):
            raise self.fault(key, "is a moment that no calendar has") from None

    def figure(self, key: str) -> Decimal | None:
        value = self.table.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
            raise self.fault(key, "is no decimal number, written as a text")
        return Decimal(value)

    def securities(self, key: str) -> tuple[int, ...]:
        value = self.table.get(key, ())
        if not isinstance(value, list | tuple) or any(
            type(code) is not int or code < 0 for code in value
        ):
            raise self.fault(key, "is no list of security codes")
        return tuple(cast("list[int]", value))


def _tick_in(reading: _Reading) -> IndexTick:
    value = reading.figure("value")
    if value is None:
        raise reading.fault("value", "is missing")
    is_placed = reading.table.get("site") is not None
    return IndexTick(
        index=reading.text_of("index"),
        at=reading.instant("at"),
        value=value,
        high=reading.figure("high"),
        low=reading.figure("low"),
        status=reading.word("status", IndexStatus, IndexStatus.REAL_TIME),
        kind=reading.word("kind", TickKind, TickKind.REAL_TIME),
        opening=reading.figure("opening"),
        closing=reading.figure("closing"),
        previous_close=reading.figure("previous_close"),
        stale=reading.securities("stale"),
        engine=reading.text_of("engine", ""),
        site=reading.word("site", SiteRole, SiteRole.PRIMARY) if is_placed else None,
    )


def _no_float(text: str) -> NoReturn:
    raise ValueError(f"holds the number {text[:40]}, and figures are written as texts")


def _one_line(document: JsonObject) -> str:
    return _ENCODER.encode(document)


def _instant_text(at: datetime) -> str:
    if at.tzinfo is None:
        raise UsageError(f"a tick at {at.isoformat()} has no zone: give an aware datetime")
    return at.astimezone(HONG_KONG).isoformat()


def _figure_text(key: str, figure: Decimal | None) -> str | None:
    if figure is None:
        return None
    if not figure.is_finite():
        raise UsageError(f"a tick whose {key} is {figure} cannot be published")
    return format(figure, "f")
