"""A rollout's checklist worked: answers and files go into the journal, what is open comes out.

The checklist machine judges; the journal keeps. An attached file is copied beside the journal
under its SHA-256, so that it is the same file later, whatever becomes of the original.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from hkex_ops.errors import ConfigError
from hkex_ops.evidence import Record, digest
from hkex_ops.flows.journal import Journal
from hkex_ops.flows.rundown import event_kind
from hkex_ops.flows.store.names import refusal
from hkex_ops.model import JsonObject, Rollout, plain
from hkex_ops.rundown import (
    AnswerNo,
    AnswerYes,
    Attach,
    Attached,
    Checklist,
    ChecklistEvent,
)

__all__ = ["LARGEST_ATTACHMENT_BYTES", "answer_items", "attach_file", "checklist_of"]

LARGEST_ATTACHMENT_BYTES = 64 << 20
"""A file beyond this is no evidence of a tick, and would make every evidence folder as large."""


def checklist_of(
    rollout: Rollout, entries: Iterable[Record], at: datetime | None = None
) -> Checklist:
    """The checklist as ``entries`` leave it, or as it was when nothing after ``at`` was said.

    The last entry counts, whatever time it states: a correction is entered later.
    """
    checklist = Checklist(rollout)
    for entry in entries:
        given = _given(entry)
        if given is not None and (at is None or given.at <= at):
            checklist.handle(given, given.at)
    return checklist


def answer_items(
    journal: Journal, rollout: Rollout, given: Sequence[AnswerYes | AnswerNo], now: datetime
) -> None:
    """Take answers and keep them: all, or, when the machine refuses one (`UsageError`), none."""
    checklist = checklist_of(rollout, journal.entries())
    for told in [checklist.handle(one, now) for one in given]:
        journal.record(event_kind(told), _body(told))


def attach_file(
    journal: Journal,
    rollout: Rollout,
    number: int,
    file: Path,
    *,
    by: str,
    at: datetime,
    now: datetime,
) -> None:
    """Copy ``file`` beside the journal and put it to item ``number``.

    Raises `ConfigError` for a file that cannot be read or is too large.
    """
    checklist = checklist_of(rollout, journal.entries())
    data = _content(file)
    sealed = digest(data)
    suffix = file.suffix if refusal(f"{sealed}{file.suffix}") is None else ""
    path = f"attachments/{sealed}{suffix}"
    attached = Attached(file.name, path, len(data), sealed)
    given = Attach(number, by, at, attached)
    # Judged before anything is written: a copy that no entry speaks of is nobody's.
    told = checklist.handle(given, now)
    journal.keep(path, data)
    journal.record(event_kind(told), _body(told))


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST_ATTACHMENT_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{file} cannot be attached: {error.strerror}") from error
    if len(data) > LARGEST_ATTACHMENT_BYTES:
        raise ConfigError(f"{file} is larger than {LARGEST_ATTACHMENT_BYTES} bytes: attach less")
    return data


def _given(entry: Record) -> AnswerYes | AnswerNo | Attach | None:
    match entry.kind, entry.body:
        case "item-answered", {
            "number": int(number),
            "answer": str(answer),
            "by": str(by),
            "at": str(at),
            "remark": str(remark),
        }:
            kind = AnswerYes if answer == "yes" else AnswerNo
            return kind(number, by, datetime.fromisoformat(at), remark)
        case "item-attached", {
            "number": int(number),
            "by": str(by),
            "at": str(at),
            "file": {
                "name": str(name),
                "path": str(path),
                "size_bytes": int(size),
                "sha256": str(sealed),
            },
        }:
            attached = Attached(name, path, size, sealed)
            return Attach(number, by, datetime.fromisoformat(at), attached)
        case _:
            return None


def _body(told: ChecklistEvent) -> JsonObject:
    body = plain(told)
    assert isinstance(body, dict), "an event has keys"
    return body
