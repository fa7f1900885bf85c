"""Sequence Resets of a channel: which is a new one, and what was sent before it.

Both lines bring every reset, the number of its packet means nothing, and there can be several a
day. The arbiter's helper: it knows no packet, only lines and the times at which packets were sent.
"""

from __future__ import annotations

from collections.abc import Mapping

from hkex_ops.errors import UsageError
from hkex_ops.model import Json, JsonObject

__all__ = ["Restarts"]


class Restarts:
    """How often the numbers of one channel began anew, and what each line showed of it."""

    def __init__(self, window_ns: int) -> None:
        self.sent_ns: int = 0
        """When the last reset was sent: what was sent before belongs to numbers that are void."""
        self._window_ns = window_ns
        self._total = 0
        self._by_line: dict[str, tuple[int, int]] = {}

    def is_copy(self, line: str, sent_ns: int) -> bool:
        """Whether a reset, sent at ``sent_ns`` by ``line``, is one that is known already.

        It is when the line repeats itself, or lags behind the other by one that was sent about
        the same time. Anything else is a new one.
        """
        shown, last_ns = self._by_line.get(line, (0, -1))
        if sent_ns == last_ns:
            return True
        if shown < self._total and abs(sent_ns - self.sent_ns) <= self._window_ns:
            self._by_line[line] = (shown + 1, sent_ns)
            return True
        return False

    def begin(self, line: str, sent_ns: int) -> None:
        """A new one came first by ``line``."""
        self._total += 1
        self._by_line[line] = (self._total, sent_ns)
        self.sent_ns = sent_ns

    def snapshot(self) -> JsonObject:
        """What was seen, to be kept and given to :meth:`restore`."""
        shown = {line: [number, sent_ns] for line, (number, sent_ns) in self._by_line.items()}
        return {"total": self._total, "sent_ns": self.sent_ns, "lines": shown}

    def restore(self, snapshot: JsonObject) -> None:
        """Know what ``snapshot`` knew; `UsageError` when it says what it cannot mean."""
        match snapshot:
            case {"total": int(total), "sent_ns": int(sent_ns), "lines": Mapping() as lines}:
                self._by_line = {line: _shown(one) for line, one in lines.items()}
                self._total, self.sent_ns = total, sent_ns
            case _:
                raise UsageError("the snapshot says nothing that sequence resets could mean")


def _shown(snapshot: Json) -> tuple[int, int]:
    match snapshot:
        case [int(number), int(sent_ns)]:
            return number, sent_ns
        case _:
            raise UsageError("the snapshot says nothing that sequence resets could mean")
