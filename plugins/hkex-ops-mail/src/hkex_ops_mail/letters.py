"""The contingency mail: what it says, to a person and to a program.

One letter for one moment: subject and first lines say that the values are the contingency system's
and the moment they stand for; a table of plain text has a line for each index, columns two spaces
apart, unknown figures as '-'; the attached CSV has every field, spelt as in JSON. The Message-ID
follows from what is said, so that a letter sent twice is known to be the same. Pure; called by
:mod:`hkex_ops_mail.publisher`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from hkex_ops.errors import UsageError
from hkex_ops.evidence.canonical import digest
from hkex_ops.model import (
    HONG_KONG,
    IndexStatus,
    IndexTick,
    TickKind,
    tick_document,
    tick_identity,
)
from hkex_ops_mail.options import MailPublisherOptions

__all__ = ["letter_for", "letter_identity", "read_attachment"]

# How many stale securities a line of the table names; the CSV names them all.
STALE_NAMED = 8

# A subject that is broken into two lines is shown oddly by some programs, and 998 is the limit.
_POLICY = SMTP.clone(max_line_length=900)

NOBODY = "undisclosed-recipients:;"

_TITLES = {
    TickKind.CONTINGENCY: "CONTINGENCY",
    TickKind.REAL_TIME: "REAL-TIME",
    TickKind.RECALCULATED: "RECALCULATED",
}
_EXPLANATIONS = {
    TickKind.CONTINGENCY: (
        "These values were computed by the contingency system, because no engine\n"
        "publishes. They come by e-mail until the ordinary publication resumes."
    ),
    TickKind.REAL_TIME: "These values were computed by an engine in its ordinary course.",
    TickKind.RECALCULATED: "These values were computed afterwards, from what was recorded.",
}
_STATUSES = {
    IndexStatus.CLOSING: "closing value",
    IndexStatus.INDICATIVE: "indicative",
    IndexStatus.OPENING: "opening value",
    IndexStatus.PREVIOUS_CLOSE: "close of the previous session",
    IndexStatus.PRELIMINARY_CLOSE: "preliminary close",
    IndexStatus.STOP_LOSS: "stop loss",
    IndexStatus.REAL_TIME: "real-time",
}
_COLUMNS = ("Index", "Value", "High", "Low", "Opening", "Previous", "St", "Stale securities")


def letter_for(
    ticks: Sequence[IndexTick], options: MailPublisherOptions, *, sent: datetime
) -> EmailMessage:
    """The letter that says ``ticks``, all of one moment and one kind; ``sent`` is its date.

    Raises `UsageError` for ticks of several moments or kinds, and for none at all.
    """
    moments = {(tick.at, tick.kind) for tick in ticks}
    if len(moments) != 1:
        raise UsageError("a mail says the values of one moment and one kind: publish others apart")
    ((at, kind),) = moments
    letter = EmailMessage(policy=_POLICY)
    letter["From"] = options.sender
    letter["To"] = ", ".join(options.recipients) or NOBODY
    letter["Subject"] = _subject(ticks, at, kind, options.notice)
    letter["Date"] = format_datetime(sent)
    letter["Message-ID"] = letter_identity(ticks, options.sender)
    letter["Auto-Submitted"] = "auto-generated"
    letter["Importance"] = "high"
    letter.set_content(_text(ticks, at, kind, options.notice), charset="utf-8")
    name = f"index-{kind}-{at.astimezone(HONG_KONG):%Y%m%dT%H%M%S}.csv"
    letter.add_attachment(
        _csv(ticks).encode(),
        maintype="text",
        subtype="csv",
        filename=name,
        disposition="attachment",
    )
    return letter


def letter_identity(ticks: Iterable[IndexTick], sender: str) -> str:
    """The Message-ID of the letter about these indexes at their moment, whoever sends it when."""
    said = sorted(map(tick_identity, ticks))
    _, _, domain = sender.rpartition("@")
    return f"<index.{digest(chr(10).join(said).encode())[:32]}@{domain}>"


def read_attachment(text: str) -> list[dict[str, object]]:
    """The documents of the ticks that the CSV of a letter spells, as
    :func:`hkex_ops.model.parse_tick` reads them from JSON."""
    documents: list[dict[str, object]] = []
    for row in csv.DictReader(io.StringIO(text, newline="")):
        document: dict[str, object] = {
            key: value if value or key in ("status", "engine") else None
            for key, value in row.items()
        }
        document["version"] = int(row["version"])
        document["stale"] = [int(code) for code in row["stale"].split()]
        documents.append(document)
    return documents


def _subject(ticks: Sequence[IndexTick], at: datetime, kind: TickKind, notice: str) -> str:
    what = "1 index" if len(ticks) == 1 else f"{len(ticks)} indexes"
    lead = f"[{notice}] " if notice else ""
    return f"{lead}{_TITLES[kind]} index values for {_clock(at)} ({what})"


def _text(ticks: Sequence[IndexTick], at: datetime, kind: TickKind, notice: str) -> str:
    computed = sorted({_printable(tick.engine) or "-" for tick in ticks})
    sites = sorted({tick.site.value for tick in ticks if tick.site is not None})
    statuses = [status for status in IndexStatus if any(tick.status is status for tick in ticks)]
    meanings = [f"{status.value}  {_STATUSES[status]}" for status in statuses if status.value]
    lines = [
        *([notice, ""] if notice else []),
        f"{_TITLES[kind]} INDEX VALUES",
        "",
        _EXPLANATIONS[kind],
        "",
        f"Values stand for:  {_clock(at)}  ({at.astimezone(HONG_KONG).isoformat()})",
        f"Computed by:       {', '.join(computed)}",
        f"Site:              {', '.join(sites) or '-'}",
        "",
        *_table([_COLUMNS, *map(_row, ticks)]),
        "",
        *meanings,
        "",
        "The attached CSV file says the same, with every field.",
    ]
    return "\n".join(lines) + "\n"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(_COLUMNS))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _row(tick: IndexTick) -> tuple[str, ...]:
    document = tick_document(tick)
    figures = [str(document[key] or "-") for key in ("value", "high", "low", "opening")]
    stale = " ".join(map(str, tick.stale[:STALE_NAMED])) or "-"
    more = len(tick.stale) - STALE_NAMED
    return (
        _printable(tick.index),
        *figures,
        str(document["previous_close"] or "-"),
        tick.status.value or "-",
        f"{stale} and {more} more" if more > 0 else stale,
    )


def _csv(ticks: Sequence[IndexTick]) -> str:
    documents = [tick_document(tick) for tick in ticks]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(documents[0])
    for document, tick in zip(documents, ticks, strict=True):
        spelt = {**document, "stale": " ".join(map(str, tick.stale))}
        writer.writerow(["" if value is None else value for value in spelt.values()])
    return text.getvalue()


def _clock(at: datetime) -> str:
    """A moment as a person in Hong Kong reads it."""
    there = at.astimezone(HONG_KONG)
    fraction = f".{there:%f}".rstrip("0") if there.microsecond else ""
    return f"{there:%Y-%m-%d %H:%M:%S}{fraction} HKT"


def _printable(text: str) -> str:
    """A name from elsewhere, made safe for a line of a table: no line end, no double space."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(plain.split())
