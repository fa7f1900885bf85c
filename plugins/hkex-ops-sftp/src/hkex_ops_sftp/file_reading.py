"""One file read over one or several conversations, in order and with flat memory.

For a small file three requests go out together as soon as it is open: its bytes, and behind them
its size and time once more, so that a file which changed under the reader is found out without a
round trip of its own. Ranges of a large file are asked for ahead, on every conversation there is,
and handed on in ascending order. An answer shorter than its question is asked for again, because
servers may answer short. Decides only; called by :mod:`hkex_ops_sftp.fetching`, which says how many
files there are at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from operator import attrgetter

from attrs import define, field

from hkex_ops.model import HONG_KONG, ListedReport
from hkex_ops.ports import Delivery, ReportChunk, ReportEnd
from hkex_ops_sftp.conversation import Conversation
from hkex_ops_sftp.wire import (
    EOF,
    Attributes,
    Broken,
    Kind,
    Status,
    attributes_in,
    status_in,
    string,
    string_in,
    u32,
    u64,
)

__all__ = ["Allowance", "FileReading", "Waiting", "modified"]

# How often a file that grew while it was read is followed to its new end. One that is still
# growing then is delivered as far as it was read, and its end says that there is more.
GROWTH_ROUNDS = 4

# A file of which more than this is left is read over every conversation there is.
LARGE_BYTES = 4 * 1024 * 1024

# While answers are still to come, no less than this is asked for: two questions in one packet cost
# both sides little more than one.
ASKED_AT_ONCE_BYTES = 512 * 1024

# No server's block is smaller; one that answers a file with nothing but such goes on for days.
TINY_ANSWER_BYTES = 512
MOST_TINY_ANSWERS = 1000
_TOO_TINY = Status(4, f"it answers with fewer than {TINY_ANSWER_BYTES} bytes at a time")

_READ_ONLY, _NO_ATTRIBUTES = u32(1), u32(0)


@define(eq=False)
class Allowance:
    """How many bytes one conversation may still have on their way or waiting to be taken."""

    conversation: Conversation
    left: int

    @property
    def is_worth_a_question(self) -> bool:
        """Whether to ask for more of a file now, or when more of what is on its way has come."""
        least = ASKED_AT_ONCE_BYTES if self.conversation.waiting else 1
        return self.left >= least


_left = attrgetter("left")

Waiting = deque[tuple[Delivery, Allowance | None]]
"""Deliveries that nobody has taken yet, each with the allowance that gets its bytes back."""


@define(eq=False)
class _Range:
    """A stretch of the file, asked for by one READ, or by more where a server answers short."""

    offset: int
    length: int
    allowance: Allowance
    got: int = 0
    answer: int = 0  # bytes of the answer that is coming in
    parts: list[bytes] = field(factory=list[bytes])
    is_done: bool = False


class FileReading:
    """One file from ``start`` on. Its chunks are put into ``waiting`` in order, and then its end.

    Where a server refuses something, ``failure`` says what, and there is no end; ``is_opened``
    tells whether it was refused before the first byte.
    """

    def __init__(
        self,
        report: ListedReport,
        path: bytes,
        start: int,
        allowances: Sequence[Allowance],
        waiting: Waiting,
    ) -> None:
        self.report = report
        self.start = start
        self.failure: Status | None = None
        self.is_opened = False
        self._path = path
        self._allowances = allowances
        self._home = max(allowances, key=_left)
        self._waiting = waiting
        self._handles: dict[Allowance, bytes] = {}
        self._asked_to_open: set[Allowance] = set()
        self._opening = self._closing = 0
        self._ranges: deque[_Range] = deque()
        self._asked = self._offset = start  # up to where it was asked for, and handed on
        self._stop = report.size_bytes
        self._unanswered = self._reads = self._reads_before_look = 0
        self._is_looking = self._is_over = self._ends_early = self._is_out_of_turn = False
        self._found: Attributes | None = None
        self._rounds = self._tiny = 0
        self._open_on(self._home)
        # Its bytes are counted from now on: whoever is let in must be able to be read.
        self._first = self._plan(self._home)

    @property
    def is_ended(self) -> bool:
        """Whether it has been told, and every handle of it is given back."""
        return self._is_over and not self._opening

    @property
    def is_gone(self) -> bool:
        """Whether it has ended and the server has said that it holds no handle of it any more."""
        return self.is_ended and not self._closing

    def go_on(self) -> None:
        """Ask for more, as far as the allowances go."""
        if self._is_over or not self.is_opened:
            return
        if self._asked < self._stop and not self._ends_early and not self._ask_on():
            return
        # Over one conversation an answer comes after those to earlier questions, so a look that is
        # asked for now is a look behind the last byte.
        if not self._unanswered or (len(self._handles) == 1 and not self._is_out_of_turn):
            self._look()

    def _ask_on(self) -> bool:
        """Ask for what is not asked for yet; whether that was all of it."""
        if self._stop - self._asked > LARGE_BYTES:
            for one in self._allowances:
                if one not in self._asked_to_open:
                    self._open_on(one)
        ready = [one for one in self._handles if one.is_worth_a_question]
        while self._asked < self._stop:
            allowance = max(ready, key=_left, default=None)
            if allowance is None or allowance.left <= 0:
                return False
            self._send(self._plan(allowance))
        return True

    def leave(self) -> None:
        """Tell nothing more and give every handle back."""
        if self._is_over:
            return
        self._is_over = True
        self._give_back()
        for allowance, handle in self._handles.items():
            self._close(allowance, handle)
        self._handles.clear()

    # -- opening -----------------------------------------------------------------------------

    def _open_on(self, allowance: Allowance) -> None:
        self._opening += 1
        self._asked_to_open.add(allowance)
        body = string(self._path) + _READ_ONLY + _NO_ATTRIBUTES
        allowance.conversation.ask(Kind.OPEN, body, partial(self._opened, allowance))

    def _opened(self, allowance: Allowance, kind: Kind, body: bytes, _: bool) -> None:
        self._opening -= 1
        if kind is not Kind.HANDLE:
            status = _status(kind, body)
            if allowance is self._home:
                self._fail(status)
            return
        handle = string_in(body)
        if self._is_over:
            self._close(allowance, handle)
            return
        self._handles[allowance] = handle
        if allowance is self._home:
            self.is_opened = True
            if self._first is not None:
                self._send(self._first)
        self.go_on()

    def _close(self, allowance: Allowance, handle: bytes) -> None:
        self._closing += 1
        allowance.conversation.ask(Kind.CLOSE, string(handle), self._closed)

    def _closed(self, _kind: Kind, _body: bytes, _is_last: bool) -> None:
        self._closing -= 1

    # -- reading -----------------------------------------------------------------------------

    def _plan(self, allowance: Allowance) -> _Range | None:
        """The next stretch, counted."""
        length = min(allowance.conversation.read_bytes, self._stop - self._asked)
        if length <= 0:
            return None
        one = _Range(self._asked, length, allowance)
        self._asked += length
        allowance.left -= length
        self._ranges.append(one)
        return one

    def _send(self, one: _Range | None) -> None:
        if one is None:
            return
        one.answer = 0
        self._reads += 1
        self._unanswered += 1
        handle = self._handles[one.allowance]
        body = string(handle) + u64(one.offset + one.got) + u32(one.length - one.got)
        one.allowance.conversation.ask(Kind.READ, body, partial(self._answered, one))

    def _answered(self, one: _Range, kind: Kind, body: bytes, is_last: bool) -> None:
        if kind is Kind.DATA:
            if self._is_over:
                self._unanswered -= is_last
                return
            if one.got + len(body) > one.length:
                raise Broken("more bytes came than were asked for")
            if body:
                self._take(one, body)
            if not is_last:
                return
            self._unanswered -= 1
            self._came(one)
        else:
            self._unanswered -= 1
            if self._is_over:
                return
            status = _status(kind, body)
            if status.code != EOF:
                self._fail(status)
                return
            self._finish(one)
        self.go_on()
        self._settle()

    def _take(self, one: _Range, piece: bytes) -> None:
        if self._ranges and one is self._ranges[0]:
            self._hand_on(one, piece)
        elif one in self._ranges:
            one.parts.append(piece)  # else it lies beyond the end of a file that was cut meanwhile
        one.got += len(piece)
        one.answer += len(piece)

    def _came(self, one: _Range) -> None:
        """One answer is complete: the stretch is done, or the rest of it is asked for."""
        if one.got == one.length or not one.answer or one not in self._ranges:
            self._finish(one)
            return
        conversation = one.allowance.conversation
        if one.answer >= TINY_ANSWER_BYTES:
            conversation.read_bytes = min(conversation.read_bytes, one.answer)
        else:
            self._tiny += 1
            if self._tiny > MOST_TINY_ANSWERS:
                self._fail(_TOO_TINY)
                return
        self._send(one)

    def _finish(self, one: _Range) -> None:
        if one not in self._ranges:
            return
        one.is_done = True
        while self._ranges and self._ranges[0].is_done and not self._ends_early:
            done = self._ranges.popleft()
            if done.got < done.length:
                done.allowance.left += done.length - done.got
                self._cut()
            elif self._ranges:
                head = self._ranges[0]
                for piece in head.parts:
                    self._hand_on(head, piece)
                head.parts.clear()

    def _cut(self) -> None:
        """The file ends before where it should: what lies beyond is not a part of it."""
        self._ends_early = True
        self._give_back()

    def _give_back(self) -> None:
        """What nobody will take: of a stretch, all of it or all but what was handed on."""
        for one in self._ranges:
            one.allowance.left += one.length - (0 if one.parts else one.got)
            one.parts.clear()
        self._ranges.clear()

    def _hand_on(self, one: _Range, piece: bytes) -> None:
        self._waiting.append((ReportChunk(self.report, self._offset, piece), one.allowance))
        self._offset += len(piece)

    # -- the end -----------------------------------------------------------------------------

    def _look(self) -> None:
        """Ask for size and time, behind the last byte that was asked for."""
        if self._is_looking or (self._found and self._reads_before_look == self._reads):
            return
        self._is_looking, self._reads_before_look = True, self._reads
        handle = self._handles[self._home]
        self._home.conversation.ask(Kind.FSTAT, string(handle), self._looked)

    def _looked(self, kind: Kind, body: bytes, _: bool) -> None:
        self._is_looking = False
        if self._is_over:
            return
        if kind is not Kind.ATTRS:
            self._fail(_status(kind, body))
            return
        # A server that answers out of turn may have looked before it read: it is asked again.
        self._is_out_of_turn = self._unanswered > 0
        self._found = None if self._is_out_of_turn else attributes_in(body)[0]
        self._settle()

    def _settle(self) -> None:
        """Tell the end once everything has come and the last look was behind it."""
        if self._is_over or self._ranges or self._unanswered or self._is_looking:
            return
        if self._asked < self._stop and not self._ends_early:
            return
        found = self._found
        if found is None or self._reads_before_look != self._reads:
            self._look()
            return
        size = self._offset if found.size_bytes is None else found.size_bytes
        if self._ends_early or size <= self._stop or self._rounds == GROWTH_ROUNDS:
            self._waiting.append((ReportEnd(self.report, size, modified(found)), None))
            self.leave()
            return
        self._stop, self._rounds = size, self._rounds + 1
        self.go_on()

    def _fail(self, status: Status) -> None:
        self.failure = status
        self.leave()


def modified(attributes: Attributes) -> datetime | None:
    """The server's modification time in Hong Kong's zone; none when untold or out of range."""
    if attributes.modified_s is None:
        return None
    try:
        return datetime.fromtimestamp(attributes.modified_s, HONG_KONG)
    except (ValueError, OverflowError, OSError):
        return None


def _status(kind: Kind, body: bytes) -> Status:
    if kind is not Kind.STATUS:
        raise Broken(f"an answer of type {kind.name} to a question about a file")
    return status_in(body)
