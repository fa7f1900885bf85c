"""Entries of an incident's log as plain data, and back: what a line of the journal says.

The kind of a line is what was entered, in the past tense; its body is the entry. Knows no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import cast

from attrs import evolve
from cattrs import BaseValidationError, Converter

from hkex_ops.config.structuring import make_converter
from hkex_ops.evidence import Record
from hkex_ops.incidents import (
    Act,
    Assess,
    Attach,
    BeginContingency,
    Close,
    Conclude,
    Content,
    Correct,
    Enquire,
    Given,
    IssueReport,
    LogEntry,
    Measure,
    Note,
    OpenIncident,
    Recover,
    Reopen,
    Resume,
    Tell,
    TimeTold,
    TornLine,
)
from hkex_ops.model import Bound, Certainty, JsonObject, plain

__all__ = ["KINDS", "entry_of", "kind_of", "spelt"]

KINDS: Mapping[str, type[Content]] = {
    "incident-opened": OpenIncident,
    "contingency-begun": BeginContingency,
    "service-recovered": Recover,
    "service-resumed": Resume,
    "incident-closed": Close,
    "incident-reopened": Reopen,
    "noted": Note,
    "assessed": Assess,
    "told": Tell,
    "enquiries-received": Enquire,
    "figure-stated": Measure,
    "action-agreed": Act,
    "action-concluded": Conclude,
    "event-attached": Attach,
    "report-issued": IssueReport,
    "entry-corrected": Correct,
    # The journal's own word for what a killed writer left.
    "torn-line-dropped": TornLine,
}
"""What each kind of line enters."""

_NAMES = {what: kind for kind, what in KINDS.items()}


def kind_of(what: Content) -> str:
    """The kind of the line that enters ``what``."""
    return _NAMES[type(what)]


def spelt(given: Given) -> JsonObject:
    """The body of a line that enters ``given``."""
    body = plain(given)
    assert isinstance(body, dict), "an attrs class is an object"
    return body


def entry_of(record: Record) -> LogEntry:
    """The entry that a line of the journal spells; ValueError for one that this version cannot."""
    kind = KINDS.get(record.kind)
    if kind is None:
        raise ValueError(f"is of a kind that this version does not know, {record.kind!r}")
    recorded = datetime.fromisoformat(record.at)
    if kind is TornLine:
        size = record.body.get("size_bytes")
        torn = TornLine(size if isinstance(size, int) else 0)
        return LogEntry(
            record.sequence,
            recorded,
            Given(torn, "store", TimeTold.exactly(recorded), teller="store"),
        )
    try:
        stated = _converter().structure({**record.body, "what": {}}, Given)
        what = _converter().structure(record.body.get("what"), kind)
    except (BaseValidationError, ValueError):
        raise ValueError(f"does not say what an entry {record.kind!r} has to say") from None
    return LogEntry(record.sequence, recorded, evolve(stated, what=what))


@cache
def _converter() -> Converter:
    converter = make_converter()
    converter.register_structure_hook(date, lambda value, _: date.fromisoformat(_text(value)))
    converter.register_structure_hook(
        datetime, lambda value, _: datetime.fromisoformat(_text(value))
    )
    converter.register_structure_hook(Decimal, lambda value, _: _decimal(_text(value)))
    converter.register_structure_hook(Bound, lambda value, _: _bound(value))
    # The content is structured apart; a placeholder stands for it meanwhile.
    converter.register_structure_hook_func(lambda kind: kind == Content, lambda value, _: Note())
    return converter


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    return value


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("is no number") from None


def _bound(value: object) -> Bound:
    stated = cast("Mapping[str, object]", value if isinstance(value, dict) else {})
    at = stated.get("at")
    return Bound(
        None if at is None else datetime.fromisoformat(_text(at)),
        Certainty(_text(stated.get("certainty"))),
        _text(stated.get("stated") or ""),
    )
