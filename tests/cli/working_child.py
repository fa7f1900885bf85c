"""``hkex-ops`` as a process whose clock begins at a stated time: ``working_child.py AT WORDS...``.

No option of the program can say this, because a session is worked when it is held. The clock runs
on from there as fast as any other.
"""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta
from unittest.mock import patch

from attrs import field, frozen

from hkex_ops.cli.main import run
from hkex_ops.clock import SystemClock

__all__ = ["RunningClock", "main"]


@frozen
class RunningClock:
    """A clock that shows ``start`` now and runs on."""

    start: datetime
    _since: float = field(factory=time.monotonic)

    def now(self) -> datetime:
        """The time it has become."""
        return self.start + timedelta(seconds=time.monotonic() - self._since)


def main(at: str, *arguments: str) -> int:
    """Run one command line at ``at``; its exit code."""
    clock = RunningClock(datetime.fromisoformat(at))
    with patch.object(SystemClock, "now", lambda _: clock.now()):
        return run(arguments)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
