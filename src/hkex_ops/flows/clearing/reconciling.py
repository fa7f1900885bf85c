"""Two books compared from end to end: read, brought together, judged, aged, counted, written.

Nothing is concluded before both sides were read to their end, and the file of the result gets its
name when it is whole. Memory is bounded by a piece of lines, the breaks of the last time and the
groups that are counted; not by the books, nor by the breaks.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import cast

from attrs import Factory, define, frozen

from hkex_ops.clearing.ageing import Ages, Key
from hkex_ops.clearing.lines import LineForm, Placed
from hkex_ops.clearing.matching import Break, BreakKind, Matcher, Side, pair_late
from hkex_ops.clearing.results import (
    AgedBreak,
    Previous,
    ReadResult,
    Tally,
    break_document,
    break_row,
    key_of,
    result_columns,
)
from hkex_ops.clearing.rules import MatchRules
from hkex_ops.errors import ConfigError, Fault, UsageError
from hkex_ops.flows.clearing.joining import JOINS, Joined, Way, way_for
from hkex_ops.flows.clearing.spool import scratch_folder, sorted_lines, spooled, written_lines
from hkex_ops.flows.outputs import growing_file
from hkex_ops.flows.store.disk import translating
from hkex_ops.model import JsonObject

__all__ = [
    "RESULT_ENDINGS",
    "Book",
    "Comparison",
    "Reconciled",
    "read_previous",
    "reconcile",
    "require_result_ending",
]

SHOWN = 20
"""Breaks of each kind that are told beside the tally; a file holds all of them."""

RESULT_ENDINGS = (".jsonl", ".csv")

_DATED = "business_date"

WRITTEN_BYTES = 1 << 16
"""How much of a result is gathered before it is written."""


@frozen
class Book:
    """One side: its records as they are read, and what is told of where they are from."""

    records: Iterable[Placed]
    told: JsonObject


@frozen
class Comparison:
    """What a comparison is to do beside comparing."""

    as_of: date
    previous: Previous | None = None
    business_days: Callable[[date, date], int] = lambda since, until: (until - since).days
    way: Way = Way.AUTO
    out: tuple[Path, ...] = ()
    shown: int = SHOWN
    business_date: date | None = None

    def judges(self, rules: MatchRules) -> Callable[[Key], bool]:
        """Whether a record is looked at: where one business date is compared, only what is of it.

        What the last result says of other dates is carried on as it was.
        """
        if self.business_date is None or _DATED not in rules.key:
            return lambda key: True
        place, day = rules.key.index(_DATED), self.business_date.isoformat()
        return lambda key: key[place] == day


@define
class Reconciled:
    """How a comparison came out. ``examples`` are the first breaks of each kind."""

    rules: MatchRules
    as_of: date
    way: Way
    ours: JsonObject
    theirs: JsonObject
    tally: Tally = Factory(Tally)
    examples: dict[BreakKind, list[AgedBreak]] = Factory(dict[BreakKind, list[AgedBreak]])
    resolved: list[tuple[Key, date]] = Factory(list[tuple[Key, date]])
    previous: date | None = None
    shown: int = SHOWN

    def head(self) -> JsonObject:
        """The first line of a result: what was compared, and how."""
        rules = self.rules
        return {
            "reconciled": rules.kind.value,
            "as_of": self.as_of.isoformat(),
            "key": list(rules.key),
            "compare": list(rules.compare),
            "tolerances": {name: str(one) for name, one in rules.tolerances.items()},
            "late_by": rules.late_by or None,
            "late_within_days": rules.late_within_days if rules.late_by else None,
            "previous": None if self.previous is None else self.previous.isoformat(),
            "ours": self.ours,
            "theirs": self.theirs,
        }

    def document(self) -> JsonObject:
        """The whole as one document, with the examples alone of the breaks."""
        return {
            **self.head(),
            "tally": self.tally.document(self.rules),
            "examples": [
                break_document(self.rules, one) for many in self.examples.values() for one in many
            ],
        }


def reconcile(rules: MatchRules, ours: Book, theirs: Book, comparison: Comparison) -> Reconciled:
    """Compare two books. ``rules`` state what is compared.

    Raises what reading a side raises, before anything is written; `StoreError` for a file of the
    result that cannot be, or is there already.
    """
    form, previous = LineForm(rules), comparison.previous
    found = Reconciled(rules, comparison.as_of, Way.PLAIN, ours.told, theirs.told)
    found.previous = None if previous is None else previous.as_of
    found.shown = comparison.shown
    with ExitStack() as stack:
        outputs = [stack.enter_context(_output(path, found)) for path in comparison.out]
        folder = stack.enter_context(scratch_folder())
        left, right = folder / "ours.lines", folder / "theirs.lines"
        found.tally.ours = spooled((form.line(*one) for one in ours.records), left)
        found.tally.theirs = spooled((form.line(*one) for one in theirs.records), right)
        found.way = way_for(comparison.way, found.tally.ours + found.tally.theirs)
        for output in outputs:
            output.begin()
        matcher = Matcher(rules, form)
        known = _NOTHING if previous is None else previous.breaks
        judged = comparison.judges(rules)
        ages = Ages(comparison.as_of, known, comparison.business_days, judged)
        joined = JOINS[found.way](left, right, folder)
        with closing(_breaks(rules, matcher, joined, folder)) as breaks:
            for one in breaks:
                aged = AgedBreak(one, *ages.of(key_of(rules, one.row)))
                _tell(found, aged, outputs, comparison.shown)
        found.tally.matched = matcher.matched + joined.agreeing
        _tell_resolved(found, ages, outputs, comparison.shown)
    return found


_NOTHING: Mapping[Key, date] = MappingProxyType({})


def _breaks(rules: MatchRules, matcher: Matcher, joined: Joined, folder: Path) -> Generator[Break]:
    """Every break: of keys that both sides have as they come, then what is missing or late."""
    form = matcher.form
    if not rules.late_by:
        for group in joined.groups:
            yield from matcher.judge(*group)
        return
    missing = folder / "missing.lines"
    with (
        translating(missing, "write temporary lines"),
        missing.open("w", encoding="utf-8", newline="\n") as file,
    ):
        for group in joined.groups:
            for one in matcher.judge(*group):
                if one.kind is BreakKind.MISSING_THERE and one.ours is not None:
                    file.write(form.late_line(form.line(*one.ours), Side.HERE))
                elif one.kind is BreakKind.MISSING_HERE and one.theirs is not None:
                    file.write(form.late_line(form.line(*one.theirs), Side.THERE))
                else:
                    yield one
    late = sorted_lines(written_lines(missing), folder, "late")
    yield from pair_late(matcher, form, late, rules.late_within_days)


def _tell(found: Reconciled, aged: AgedBreak, outputs: Iterable[_Output], shown: int) -> None:
    found.tally.count(found.rules, aged)
    examples = found.examples.setdefault(aged.found.kind, [])
    if len(examples) < shown:
        examples.append(aged)
    for output in outputs:
        output.add(aged)


def _tell_resolved(found: Reconciled, ages: Ages, outputs: Iterable[_Output], shown: int) -> None:
    for key, since in ages.resolved():
        found.tally.resolved += 1
        if len(found.resolved) < shown:
            found.resolved.append((key, since))
        for output in outputs:
            output.gone("resolved", key, since)
    for key, since in ages.carried():
        found.tally.carried += 1
        for output in outputs:
            output.gone("carried", key, since)
    for output in outputs:
        output.end()


# -- the file of a result ------------------------------------------------------------------------


def require_result_ending(path: Path) -> None:
    """`UsageError` for a name that does not say in which form a result is to be written."""
    if path.suffix.lower() not in RESULT_ENDINGS:
        known = " or ".join(RESULT_ENDINGS)
        raise UsageError(f"{path.name} must end in {known}: that is its format")


class _Output:
    """A file of a result that grows; its lines go out in pieces."""

    def __init__(self, found: Reconciled, write: Callable[[bytes], None], *, as_csv: bool) -> None:
        self._found = found
        self._write = write
        self._text = io.StringIO()
        self._rows = csv.writer(self._text, lineterminator="\n") if as_csv else None

    def begin(self) -> None:
        """What was compared, or the heads of the columns."""
        if self._rows is None:
            self._line(self._found.head())
        else:
            self._rows.writerow(result_columns(self._found.rules))

    def add(self, aged: AgedBreak) -> None:
        """One break."""
        if self._rows is None:
            self._line(break_document(self._found.rules, aged))
        else:
            self._rows.writerow(break_row(self._found.rules, aged))
        if self._text.tell() > WRITTEN_BYTES:
            self._flush()

    def gone(self, how: str, key: Key, since: date) -> None:
        """A break of the last time that was not met again; a table has no row for it."""
        if self._rows is None:
            names = self._found.rules.key
            told = dict(zip(names, key, strict=True))
            self._line({how: told, "since": since.isoformat()})

    def end(self) -> None:
        """The tally, without which the lines are no result."""
        if self._rows is None:
            self._line({"tally": self._found.tally.document(self._found.rules)})
        self._flush()

    def _line(self, document: JsonObject) -> None:
        self._text.write(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")

    def _flush(self) -> None:
        self._write(self._text.getvalue().encode())
        self._text.seek(0)
        self._text.truncate()


@contextmanager
def _output(path: Path, found: Reconciled) -> Generator[_Output]:
    require_result_ending(path)
    with growing_file(path) as write:
        yield _Output(found, write, as_csv=path.suffix.lower() == ".csv")


def read_previous(path: Path, rules: MatchRules) -> Previous:
    """What the result in ``path`` remembers; `ConfigError` for a file that is none, or not whole.

    Its comparison must have been of the same kind, and its records known by the same key.
    """
    if path.suffix.lower() != ".jsonl":
        raise UsageError(f"{path.name} must end in .jsonl: only such a result remembers all it was")
    reading, number = ReadResult(rules), 0
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):  # noqa: B007 - told below
                document: object = json.loads(line)
                if not isinstance(document, dict):
                    raise ValueError("is no line of a result of clearing reconcile")
                reading.take(cast("JsonObject", document))
        number = 0
        return reading.end()
    except FileNotFoundError:
        raise ConfigError(f"there is no result at {path}: name the last one") from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error}", document=str(path)) from error
    except (ValueError, RecursionError) as error:
        where = f"line {number}" if number else ""
        raise ConfigError(Fault(where, str(error)), document=str(path)) from None
