"""A process that enters notes into a log, one after the other, until it is killed.

Says on stdout which note is on the disk: what was said before the kill must be there afterwards.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from hkex_ops.clock import ManualClock
from hkex_ops.flows.incidents import IncidentStore
from hkex_ops.incidents import Given, Note, TimeTold

MOST = 100_000


def enter_without_end(work: Path, id: str) -> None:
    """Enter notes, each a line on stdout when it is kept."""
    now = datetime(2010, 1, 22, 3, tzinfo=UTC)
    store = IncidentStore(work, ManualClock(now))
    for number in range(MOST):
        with store.writing(id) as writer:
            writer.enter(Given(Note(), "child", TimeTold.exactly(now), f"note {number}"))
        print(number, flush=True)  # noqa: T201


if __name__ == "__main__":
    enter_without_end(Path(sys.argv[1]), sys.argv[2])
