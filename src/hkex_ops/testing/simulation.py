"""``simulate(seed)``: business days of a desk in a moment, with faults that a seed draws.

Give it the bench of your adapter, the one that its contract has already::

    @pytest.mark.parametrize("seed", range(20))
    async def test_bad_days(bench, seed):
        await simulate(seed, bench)

The same seed puts the same in the adapter's way. A simulation that fails names its seed and tells
what had happened until then. Without a bench it is the kit's own fakes, one of each kind; in a
script, ``print(hkex_ops.run(simulate(7)))`` tells such days line by line.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol, TypeAlias, get_args

from hkex_ops.calendars import Calendar
from hkex_ops.clock import ManualClock
from hkex_ops.config.shipped import load_calendar
from hkex_ops.errors import UsageError
from hkex_ops.testing.benches import ReportSourceBench
from hkex_ops.testing.fakes import FakeReportSourceBench
from hkex_ops.testing.index_publisher_bench import IndexPublisherBench
from hkex_ops.testing.index_publisher_fakes import FakeIndexPublisherBench
from hkex_ops.testing.market_feed_bench import MarketFeedBench
from hkex_ops.testing.market_feed_fakes import FakeMarketFeedBench
from hkex_ops.testing.notifier_bench import NotifierBench
from hkex_ops.testing.notifier_fakes import FakeNotifierBench
from hkex_ops.testing.oapi_gateway_bench import OapiGatewayBench
from hkex_ops.testing.oapi_gateway_fakes import FakeOapiGatewayBench
from hkex_ops.testing.simulated import Chronicle, Simulated, SimulatedEvent
from hkex_ops.testing.simulated_enquiries import EnquiryDesk
from hkex_ops.testing.simulated_house import at_time
from hkex_ops.testing.simulated_index import IndexDesk
from hkex_ops.testing.simulated_publishing import PublishingDesk
from hkex_ops.testing.simulated_reports import ReportDesk
from hkex_ops.testing.simulated_telling import TellingDesk

__all__ = ["MOST_DAYS", "SimulatedBench", "simulate"]

MOST_DAYS = 30

MORNING = time(8, 45)

_FIRST, _LAST = date(2022, 1, 3), date(2026, 6, 30)

SimulatedBench: TypeAlias = (
    ReportSourceBench | MarketFeedBench | IndexPublisherBench | OapiGatewayBench | NotifierBench
)


class _Desk(Protocol):
    """Whoever lives through business dates."""

    async def live(self, day: date) -> None: ...


async def simulate(
    seed: int,
    bench: SimulatedBench | None = None,
    *,
    days: int = 1,
    folder: Path | None = None,
) -> Simulated:
    """Simulate ``days`` business days of a desk that uses the adapter of ``bench``.

    ``bench`` is as fresh and empty as a contract's. ``folder`` is where the desk keeps its
    ``archive`` or its ``outbox``, to be looked at afterwards; without one it is a temporary one.
    Raises `SimulationFailed`, an `AssertionError`, when a promise of the library or of the adapter
    was not kept, and `UsageError` for a number of days that is none and a bench of another port.
    """
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(f"{days} is no number of days to simulate: give one from 1 to {MOST_DAYS}")
    calendar = load_calendar()
    chosen = _days(seed, days, calendar)
    benches: list[SimulatedBench] = [bench] if bench is not None else _fakes()
    events: list[SimulatedEvent] = []
    with TemporaryDirectory(prefix="hkex-ops-simulation-") as temporary:
        place = folder or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        for one in benches:
            chronicle = Chronicle(seed, ManualClock(at_time(chosen[0], MORNING)))
            desk = _desk(one, chronicle, place, calendar)
            for day in chosen:
                await desk.live(day)
            events += chronicle.events
    return Simulated(seed, chosen, tuple(sorted(events, key=lambda event: event.at)))


def _fakes() -> list[SimulatedBench]:
    return [
        FakeReportSourceBench(),
        FakeMarketFeedBench(),
        FakeIndexPublisherBench(),
        FakeOapiGatewayBench(),
        FakeNotifierBench(),
    ]


def _days(seed: int, days: int, calendar: Calendar) -> tuple[date, ...]:
    """So many business days in a row, somewhere in the calendar."""
    chance = Chronicle(seed, ManualClock(at_time(_FIRST, MORNING))).chance("days")
    business: Sequence[date] = tuple(calendar.business_days(_FIRST, _LAST))
    first = chance.randrange(len(business) - days)
    return tuple(business[first : first + days])


def _desk(bench: object, chronicle: Chronicle, folder: Path, calendar: Calendar) -> _Desk:
    if isinstance(bench, ReportSourceBench):
        return ReportDesk(bench, chronicle, folder / "archive", calendar)
    if isinstance(bench, MarketFeedBench):
        return IndexDesk(bench, chronicle)
    if isinstance(bench, IndexPublisherBench):
        return PublishingDesk(bench, chronicle)
    if isinstance(bench, OapiGatewayBench):
        return EnquiryDesk(bench, chronicle)
    if isinstance(bench, NotifierBench):
        return TellingDesk(bench, chronicle, folder / "outbox")
    kinds = ", ".join(one.__name__ for one in get_args(SimulatedBench))
    raise UsageError(f"no days are simulated with a {type(bench).__name__}: give one of {kinds}")
