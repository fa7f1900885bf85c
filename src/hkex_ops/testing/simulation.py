"""``simulate(seed)``: business days of a desk in a moment, with faults that a seed draws.

Give it the bench of your adapter, the one that its contract has already::

    @pytest.mark.parametrize("seed", range(20))
    async def test_bad_days(bench, seed):
        await simulate(seed, bench)

The same seed puts the same in the adapter's way. A simulation that fails names its seed and tells
what had happened until then. Without a bench it is the kit's own fake; in a script,
``print(hkex_ops.run(simulate(7)))`` tells such days line by line.
"""

from __future__ import annotations

from datetime import date, time
from pathlib import Path
from tempfile import TemporaryDirectory

from hkex_ops.clock import ManualClock
from hkex_ops.config.shipped import load_calendar
from hkex_ops.errors import UsageError
from hkex_ops.testing.benches import ReportSourceBench
from hkex_ops.testing.fakes import FakeReportSourceBench
from hkex_ops.testing.simulated import Chronicle, Simulated
from hkex_ops.testing.simulated_house import at_time
from hkex_ops.testing.simulated_reports import ReportDesk

__all__ = ["MOST_DAYS", "simulate"]

MOST_DAYS = 30

_FIRST, _LAST = date(2022, 1, 3), date(2026, 6, 30)


async def simulate(
    seed: int,
    bench: ReportSourceBench | None = None,
    *,
    days: int = 1,
    folder: Path | None = None,
) -> Simulated:
    """Simulate ``days`` business days of a report desk, and say what happened.

    ``bench`` is as fresh and empty as a contract's. ``folder`` is where the desk's archive is
    made, to be looked at afterwards; without one it is a temporary one. Raises `SimulationFailed`,
    an `AssertionError`, when a promise of the library or the adapter was not kept, and
    `UsageError` for a number of days that is none.
    """
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(f"{days} is no number of days to simulate: give one from 1 to {MOST_DAYS}")
    calendar = load_calendar()
    first = Chronicle(seed, ManualClock(at_time(_FIRST, time(0)))).chance("first day")
    business = list(calendar.business_days(_FIRST, _LAST))
    start = first.randrange(len(business) - days)
    chosen = tuple(business[start : start + days])
    chronicle = Chronicle(seed, ManualClock(at_time(chosen[0], time(8, 45))))
    with TemporaryDirectory(prefix="hkex-ops-simulation-") as temporary:
        desk = ReportDesk(
            bench or FakeReportSourceBench(),
            chronicle,
            folder or Path(temporary) / "archive",
            calendar,
        )
        for day in chosen:
            await desk.live(day)
    return Simulated(seed, chosen, tuple(chronicle.events))
