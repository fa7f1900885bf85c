"""The checklist machine: an answer and the time go in, events come out; what is open is asked.

Items are the paper's yes-or-no questions, in groups, each group with the window in which it is to
be ticked off. A "no" is an answer and leaves the item open. A correction is a later answer; the
earlier one stays on record with whoever keeps the events. Knows no file and no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from attrs import frozen

from hkex_ops.errors import UsageError
from hkex_ops.model import ChecklistGroup, ChecklistItem, Holding, Rollout

__all__ = [
    "CHECKLIST_TRANSITIONS",
    "AnswerNo",
    "AnswerYes",
    "Attach",
    "Attached",
    "Checklist",
    "ChecklistEvent",
    "ChecklistInput",
    "ItemAnswered",
    "ItemAttached",
    "ItemStanding",
    "Progress",
    "Tick",
]


class Tick(StrEnum):
    """What was answered last."""

    UNANSWERED = "unanswered"
    YES = "yes"
    NO = "no"


class Progress(StrEnum):
    """How far an item is at an instant."""

    COMING = "coming"  # its phase has not begun
    OPEN = "open"  # to be ticked off by the end of its phase
    OVERDUE = "overdue"  # its phase is over and it was not ticked off
    DONE = "done"  # answered with yes


@frozen
class AnswerYes:
    """It is so. ``at`` is when the person found it so."""

    number: int
    by: str
    at: datetime
    remark: str = ""


@frozen
class AnswerNo:
    """It is not so, or not yet."""

    number: int
    by: str
    at: datetime
    remark: str = ""


@frozen
class Attached:
    """A file that shows something: its own name, where it is kept, and its SHA-256."""

    name: str
    path: str
    size_bytes: int
    sha256: str


@frozen
class Attach:
    """Put a file to an item."""

    number: int
    by: str
    at: datetime
    file: Attached


ChecklistInput: TypeAlias = AnswerYes | AnswerNo

CHECKLIST_TRANSITIONS: Mapping[tuple[Tick, type[ChecklistInput]], Tick] = MappingProxyType(
    {
        (Tick.UNANSWERED, AnswerYes): Tick.YES,
        (Tick.UNANSWERED, AnswerNo): Tick.NO,
        (Tick.YES, AnswerYes): Tick.YES,
        (Tick.YES, AnswerNo): Tick.NO,
        (Tick.NO, AnswerYes): Tick.YES,
        (Tick.NO, AnswerNo): Tick.NO,
    }
)


@frozen
class ItemAnswered:
    """An item was answered; ``before`` is the answer that this one follows."""

    at: datetime
    number: int
    answer: Tick
    before: Tick
    by: str
    remark: str


@frozen
class ItemAttached:
    """A file was put to an item."""

    at: datetime
    number: int
    by: str
    file: Attached


ChecklistEvent: TypeAlias = ItemAnswered | ItemAttached


@frozen
class ItemStanding:
    """An item with where it stands, and who said so last."""

    item: ChecklistItem
    group: ChecklistGroup | None
    progress: Progress
    answered: ItemAnswered | None
    attached: tuple[ItemAttached, ...]


class Checklist:
    """The items of one rollout and what was answered so far."""

    def __init__(self, rollout: Rollout) -> None:
        """`UsageError` when the rollout has no checklist."""
        if not rollout.checklist:
            raise UsageError(f"{rollout.id} states no checklist")
        self._rollout = rollout.id
        self._groups = {group.letter: group for group in rollout.checklist_groups}
        self._items = {item.number: item for item in rollout.checklist}
        self._answered: dict[int, ItemAnswered] = {}
        self._attached: dict[int, list[ItemAttached]] = {}

    def handle(self, given: ChecklistInput | Attach, now: datetime) -> ChecklistEvent:
        """Take an answer or a file; the event of it. `UsageError` says what is wrong with it."""
        if given.number not in self._items:
            numbers = sorted(self._items)
            raise UsageError(
                f"{self._rollout} has no checklist item {given.number}; "
                f"items {numbers[0]} to {numbers[-1]}"
            )
        if not given.by.strip():
            raise UsageError(f"item {given.number} is answered by a person: say who")
        if given.at > now:
            raise UsageError(f"item {given.number} cannot be answered ahead of time, at {given.at}")
        if isinstance(given, Attach):
            attached = ItemAttached(given.at, given.number, given.by, given.file)
            self._attached.setdefault(given.number, []).append(attached)
            return attached
        before = self._tick(given.number)
        after = CHECKLIST_TRANSITIONS[before, type(given)]
        told = ItemAnswered(given.at, given.number, after, before, given.by, given.remark)
        self._answered[given.number] = told
        return told

    def items(self, at: datetime, group: str | None = None) -> tuple[ItemStanding, ...]:
        """Every item, or those of one ``group``, as they stand at ``at``. Unknown: `UsageError`."""
        if group is not None and group not in self._groups:
            known = ", ".join(self._groups)
            raise UsageError(f"{self._rollout} has no checklist group {group!r}; groups: {known}")
        return tuple(
            ItemStanding(
                item,
                self._groups.get(item.group),
                self._progress(item, at),
                self._answered.get(number),
                tuple(self._attached.get(number, ())),
            )
            for number, item in sorted(self._items.items())
            if group is None or item.group == group
        )

    def snapshot(self) -> Mapping[int, str]:
        """The last answer to every item, as a plain word."""
        return {number: self._tick(number).value for number in sorted(self._items)}

    def _tick(self, number: int) -> Tick:
        answered = self._answered.get(number)
        return Tick.UNANSWERED if answered is None else answered.answer

    def _progress(self, item: ChecklistItem, at: datetime) -> Progress:
        if self._tick(item.number) is Tick.YES:
            return Progress.DONE
        group = self._groups.get(item.group)
        holding = Holding.UNKNOWN if group is None else group.window.holds(at)
        return {Holding.BEFORE: Progress.COMING, Holding.AFTER: Progress.OVERDUE}.get(
            holding, Progress.OPEN
        )
