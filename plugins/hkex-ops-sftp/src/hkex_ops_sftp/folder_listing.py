"""A folder listed with many requests on their way.

Most clients ask for the next hundred names when the last hundred has come, and so pay a round trip
for each. Here the number of questions on their way doubles with every answer. A server that takes
that badly, with an error or the same name twice, is asked again one question at a time. Decides
only; called by :mod:`hkex_ops_sftp.source`.
"""

from __future__ import annotations

from collections import deque
from enum import Enum, auto

from hkex_ops_sftp.conversation import Conversation
from hkex_ops_sftp.wire import (
    EOF,
    Broken,
    Kind,
    Named,
    Status,
    names_in,
    status_in,
    string,
    string_in,
)

__all__ = ["FolderListing"]

# Questions on their way at most. A server answers with about a hundred names, so this is a folder
# of six thousand in one round trip; more was measured to bring nothing.
MOST_QUESTIONS = 64

# Entries that may wait for whoever takes them before no more are asked for.
MOST_WAITING = 20_000

_DOTS = frozenset({b".", b".."})


class _State(Enum):
    OPENING = auto()
    ASKING = auto()
    DRAINING = auto()  # nothing more is asked; answers to what was asked are waited for
    ENDED = auto()


class FolderListing:
    """One listing. ``entries`` are taken from the left by whoever asked for it.

    Of a folder that cannot be read, or not to its end, ``failure`` is what the server said;
    ``twice`` is a name that it told twice, even when asked one question at a time.
    """

    def __init__(self, conversation: Conversation, folder: bytes) -> None:
        self.entries: deque[Named] = deque()
        self.failure: Status | None = None
        self.twice: bytes | None = None
        self._conversation = conversation
        self._folder = folder
        self._state = _State.OPENING
        self._handle = b""
        self._names: set[bytes] = set()
        self._known: set[bytes] = set()  # from a first reading that had to be begun again
        self._questions, self._most, self._on_their_way = 1, MOST_QUESTIONS, 0
        self._again = self._left = False
        self._open()

    @property
    def is_ended(self) -> bool:
        """Whether nothing more will come."""
        return self._state is _State.ENDED

    def go_on(self) -> None:
        """Ask for more, as far as is sensible now."""
        if self._state is _State.ASKING and len(self.entries) < MOST_WAITING:
            while self._on_their_way < self._questions:
                self._on_their_way += 1
                self._conversation.ask(Kind.READDIR, string(self._handle), self._answered)

    def leave(self) -> None:
        """Ask for nothing more; the folder is closed when what is on its way has come."""
        self._left = True
        if self._state is _State.ASKING:
            self._drain()

    # -- within ------------------------------------------------------------------------------

    def _open(self) -> None:
        self._state = _State.OPENING
        self._conversation.ask(Kind.OPENDIR, string(self._folder), self._opened)

    def _opened(self, kind: Kind, body: bytes, _: bool) -> None:
        if kind is not Kind.HANDLE:
            self.failure, self._state = _status(kind, body), _State.ENDED
            return
        self._handle, self._state = string_in(body), _State.ASKING
        if self._left:
            self._drain()
        self.go_on()

    def _answered(self, kind: Kind, body: bytes, _: bool) -> None:
        self._on_their_way -= 1
        if self._state is _State.DRAINING:
            self._drain()
        elif kind is Kind.NAME:
            self._take(names_in(body))
        else:
            status = _status(kind, body)
            if status.code != EOF:
                self._doubt(status)
            self._drain()
        self.go_on()

    def _take(self, found: list[Named]) -> None:
        for entry in found:
            name = entry.name
            if name in self._names:
                self._doubt(name)
                self._drain()
                return
            if name not in _DOTS:
                self._names.add(name)
                if name not in self._known:
                    self.entries.append(entry)
        self._questions = min(self._questions * 2, self._most)

    def _doubt(self, found: Status | bytes) -> None:
        """It may come of many questions at once; once it is known not to, it is what it is."""
        if self._most > 1 and self._questions > 1:
            self._again = True
        elif isinstance(found, Status):
            self.failure = found
        else:
            self.twice = found

    def _drain(self) -> None:
        self._state = _State.DRAINING
        if self._on_their_way:
            return
        self._conversation.ask(Kind.CLOSE, string(self._handle), _pass_over)
        self._state = _State.ENDED
        if self._again and not self._left:
            self._again, self._questions, self._most = False, 1, 1
            self._known, self._names = self._names | self._known, set()
            self._open()


def _status(kind: Kind, body: bytes) -> Status:
    if kind is not Kind.STATUS:
        raise Broken(f"an answer of type {kind.name} to a question about a folder")
    return status_in(body)


def _pass_over(_kind: Kind, _body: bytes, _is_last: bool) -> None:
    """Nothing depends on the answer to a CLOSE."""
