"""``simulate(seed)``: the library keeps its promises, and who breaks one is found by some seed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from pathlib import Path

import pytest
from attrs import evolve

from hkex_ops import ManualClock
from hkex_ops.config.catalogues import structure_catalogue
from hkex_ops.errors import TimedOut, UsageError
from hkex_ops.flows.report_standing import held_reports
from hkex_ops.flows.store import Archive
from hkex_ops.flows.store.held import Held
from hkex_ops.index.ticks import TickComputed
from hkex_ops.model import IndexTick, ListedReport, Notification, Outcome, Receipt
from hkex_ops.notifications.deliveries import DeliveryInput
from hkex_ops.ports import Delivery, PacketBatch, ReportChunk, ReportEnd
from hkex_ops.testing import (
    FakeIndexPublisher,
    FakeIndexPublisherBench,
    FakeMarketFeed,
    FakeMarketFeedBench,
    FakeNotifier,
    FakeNotifierBench,
    FakeOapiGateway,
    FakeOapiGatewayBench,
    FakeProbeBench,
    FakeReportSource,
    FakeReportSourceBench,
    NotifierBench,
    ReportSourceBench,
    simulated_index,
)
from hkex_ops.testing.simulated import Part, Simulated, SimulationFailed
from hkex_ops.testing.simulated_house import CATALOGUE, SERVICE
from hkex_ops.testing.simulated_market import Market
from hkex_ops.testing.simulation import SimulatedBench, simulate
from tests.test_market_feed_contract import Judging, Lingering
from tests.test_notifier_contract import Forgetting, Optimistic
from tests.test_oapi_gateway_contract import Blind, Forgetting as ForgettingGateway
from tests.test_report_source_contract import Staying, Tidying

SEEDS = [*range(4), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 300))]


@pytest.mark.parametrize("seed", SEEDS)
async def test_bad_days_break_no_promise(seed: int) -> None:
    """Nothing missing untold, nothing kept that was never whole, nothing fetched twice; no index
    value wrong and unmarked; nobody told twice."""
    assert (await simulate(seed, days=2)).injected


async def test_the_same_seed_is_the_same_days() -> None:
    assert await simulate(11, days=2) == await simulate(11, days=2)


async def test_another_seed_is_other_days() -> None:
    assert (await simulate(11)).events != (await simulate(12)).events


async def test_what_is_injected_does_not_depend_on_the_adapter() -> None:
    """An adapter that delivers by the byte meets what one meets that delivers by the block."""

    class Slow(FakeReportSource):
        BLOCK_BYTES = 1000

    def injected(simulated: Simulated) -> list[str]:
        return [str(one) for one in simulated.injected]

    slow = await simulate(3, FakeReportSourceBench(Slow))
    assert injected(await simulate(3, FakeReportSourceBench())) == injected(slow)


async def test_everything_that_can_go_wrong_does_with_some_seed() -> None:
    told = "\n".join([str(await simulate(seed, days=2)) for seed in (0, 5)])
    for what in (
        "not whole:",
        "vanishes",
        "serves no more",
        "before the listing",
        "the line is cut after",
        "is stopped after",
        "the server refuses",
        "the server loses",
        "a byte short",
        "wrong way round",
        "comes twice",
        "second-version",
        "not-whole",
        "cut-short",
        "still-growing",
        "not-fetched",
        "CancelledError",
        "missing",
        "both 0;",
        "0 of them marked",
        "takes no connections",
        "says: not now",
        "refuses for good",
        "answers nothing",
        "loses the answer",
        "is stopped once a message is out",
        "the line is cut when one value is out",
        "refuses these values",
        "the values go out twice",
        "fails, and tries again",
        "gives up the values",
        "the session is lost",
        "is given up after",
        "the clearing house refuses it",
        "every page comes twice",
        "pages come out of turn",
        "goes down for good",
        "desk: taken",
        "desk: deferred",
        "desk: unknown",
        "desk: refused",
    ):
        assert what in told, what


async def test_a_simulation_is_told_so_that_a_person_can_read_it() -> None:
    simulated = await simulate(4)
    first, *rest = str(simulated).splitlines()
    assert f"seed 4, business date {simulated.days[0]}" == first
    assert len(simulated.events) == len(rest)
    assert {Part.FAR_SIDE, Part.FAULT, Part.DESK} == {one.part for one in simulated.events}
    times = [one.at for one in simulated.events]
    assert sorted(times) == times


async def test_the_archive_can_be_looked_at_afterwards(tmp_path: Path) -> None:
    simulated = await simulate(5, FakeReportSourceBench(), folder=tmp_path / "desk")
    [day] = simulated.days
    clock = ManualClock(simulated.events[-1].at)
    catalogue = structure_catalogue(CATALOGUE, document="the simulation's catalogue")
    with Archive.open(tmp_path / "desk/archive", clock=clock, read_only=True) as archive:
        assert held_reports(archive, catalogue, SERVICE, day, None)


@pytest.mark.parametrize("days", [0, 31])
async def test_a_number_of_days_that_is_none_is_refused(days: int) -> None:
    with pytest.raises(UsageError, match="give one from 1 to 30"):
        await simulate(1, days=days)


async def test_a_bench_of_another_port_is_refused() -> None:
    with pytest.raises(UsageError, match=r"with a FakeProbeBench: give one of ReportSourceBench"):
        await simulate(1, FakeProbeBench())  # type: ignore[arg-type]


class BareBench(FakeReportSourceBench):
    """A bench that can do no more than it must."""

    take_down = ReportSourceBench.take_down
    sessions = ReportSourceBench.sessions


async def test_a_bench_that_can_do_little_is_simulated_all_the_same() -> None:
    for seed in range(3):
        await simulate(seed, BareBench())


class BareNotifierBench(FakeNotifierBench):
    """A bench whose far side has no bad days."""

    take_down = NotifierBench.take_down
    bring_up = NotifierBench.bring_up
    fill_up = NotifierBench.fill_up
    refuse = NotifierBench.refuse
    fall_silent = NotifierBench.fall_silent
    take_and_hang_up = NotifierBench.take_and_hang_up
    visitors = NotifierBench.visitors


async def test_a_notifier_whose_far_side_has_no_bad_days_tells_everybody() -> None:
    bench = BareNotifierBench()
    simulated = await simulate(1, bench)
    handed_in = [one for one in simulated.events if "hands in" in one.what]
    assert {Part.DESK, Part.FAULT} == {one.part for one in simulated.events}
    assert len(bench.exchange.arrived) == len(handed_in) * len(bench.receivers())


async def test_days_of_a_record_are_added_to_it() -> None:
    bench = FakeMarketFeedBench(is_live=False)
    assert 3 == len((await simulate(2, bench, days=3)).injected)


# -- adapters that break a promise -----------------------------------------------------------------


class Hiding(FakeReportSource):
    """Ends a report that came short as if it had been so."""

    async def fetch(self, reports: Iterable[ListedReport]) -> AsyncGenerator[Delivery]:
        async for delivery in super().fetch(reports):
            if isinstance(delivery, ReportChunk):
                delivery = delivery._replace(data=delivery.data.replace(b"5", b"6"))
            yield delivery


class AllOrNothing(FakeReportSource):
    """Fails as a whole where one report has vanished."""

    async def fetch(self, reports: Iterable[ListedReport]) -> AsyncGenerator[Delivery]:
        for report in reports:
            content = self.site.reports[report.name].content
            yield ReportChunk(report, 0, content)
            yield ReportEnd(report, len(content), report.modified)


class Overlooking(FakeReportSource):
    """Does not list what has a name of two alphabets."""

    async def list_reports(self) -> AsyncGenerator[ListedReport]:
        async for report in super().list_reports():
            if report.name.isascii():
                yield report


class Sorting(FakeMarketFeed):
    """Believes that it knows better in which order packets were sent."""

    async def packets(self) -> AsyncGenerator[PacketBatch]:
        held: PacketBatch | None = None
        async for batch in super().packets():
            if held is not None and held.channel == batch.channel and held.line == batch.line:
                yield batch
                yield held
                held = None
                continue
            if held is not None:
                yield held
            held = batch
        if held is not None:
            yield held


class Rounding(FakeIndexPublisher):
    """Publishes whole points."""

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        await super().publish([evolve(tick, value=tick.value.to_integral()) for tick in ticks])


class Hoarding(FakeIndexPublisher):
    """Says that everything is out, and has the first half of it still."""

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        await super().publish(ticks[len(ticks) // 2 :])


class Backwards(FakeIndexPublisher):
    """Puts the newest first."""

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        held = list(self.tape.ticks)
        self.tape.ticks.clear()
        try:
            await super().publish(ticks)
        finally:
            self.tape.ticks += held


class Despairing(FakeIndexPublisher):
    """Once something failed, everything fails."""

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        if not self.tape.is_up:
            self.tape.is_silent = True
        if self.tape.is_silent:
            raise TimedOut("it failed before")
        await super().publish(ticks)


class SilentBench(FakeIndexPublisherBench):
    """What failed there once fails for ever."""

    time_limit_s = 0.05

    async def bring_up(self) -> None:
        self.tape.is_up, self.tape.is_full = True, False


class LingeringBench(FakeIndexPublisherBench):
    """Its adapter never hangs up."""

    def visitors(self) -> int:
        return self.tape.visitors + 1


def gateways_of(kind: type[FakeOapiGateway]) -> Callable[[], FakeOapiGatewayBench]:
    return lambda: FakeOapiGatewayBench(lambda options, place: kind(options.house, place))


class LoggedInBench(FakeOapiGatewayBench):
    """Its adapter never logs out."""

    def sessions(self) -> int:
        return super().sessions() + 1


class ChangingBench(FakeOapiGatewayBench):
    """Its adapter enquires by something that changes."""

    def changed(self) -> Sequence[str]:
        return self.received()


class Certain(FakeNotifier):
    """Believes that what nobody knows of never arrived."""

    async def inquire(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        receipts = await super().inquire(notification, receivers)
        return tuple(evolve(one, outcome=Outcome.DEFERRED) for one in receipts)


class Resigned(FakeNotifier):
    """Takes everything for refused."""

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        at = notification.at
        return tuple(Receipt("", one, at, Outcome.REFUSED) for one in receivers)


async def failure_of(bench: Callable[[], SimulatedBench]) -> SimulationFailed:
    """The first failure, with whichever seed."""
    for seed in range(30):
        try:
            await simulate(seed, bench())
        except SimulationFailed as failed:
            return failed
    pytest.fail("no seed found it")


@pytest.mark.parametrize(
    ("bench", "broken"),
    [
        (lambda: FakeReportSourceBench(Hiding), "kept, and never whole on the server"),
        (lambda: FakeReportSourceBench(Tidying), "something on the server was changed"),
        (lambda: FakeReportSourceBench(Staying), "a session at the primary site was left open"),
        (lambda: FakeReportSourceBench(AllOrNothing), "for which nothing in its way is a reason"),
        (lambda: FakeReportSourceBench(Overlooking), "whole on the server, and not fetched"),
        (lambda: FakeMarketFeedBench(Sorting), "packets were not heard as they were sent"),
        (lambda: FakeMarketFeedBench(Judging), "packets were not heard as they were sent"),
        (lambda: FakeMarketFeedBench(Lingering), "a line was left open"),
        (lambda: FakeIndexPublisherBench(Rounding), "published, and was not offered so"),
        (lambda: FakeIndexPublisherBench(Hoarding), "neither published nor given up"),
        (lambda: FakeIndexPublisherBench(Backwards), "published in another order"),
        (lambda: SilentBench(Despairing), "nothing is in the way, and 1 moments wait"),
        (LingeringBench, "a connection was left open"),
        (gateways_of(ForgettingGateway), "the answer is not what is held"),
        (gateways_of(Blind), "the status says nothing of it"),
        (LoggedInBench, "a session was left open"),
        (ChangingBench, "something was changed at the clearing house"),
        (lambda: FakeNotifierBench(Forgetting), "has simulated-00"),
        (lambda: FakeNotifierBench(Optimistic), "which stands as taken"),
        (lambda: FakeNotifierBench(Certain), "has simulated-00"),
        (lambda: FakeNotifierBench(Resigned), "nothing was in the way"),
    ],
    ids=[
        *("Hiding", "Tidying", "Staying", "AllOrNothing", "Overlooking"),
        *("Sorting", "Judging", "Lingering"),
        *("Rounding", "Hoarding", "Backwards", "Despairing", "LingeringBench"),
        *("ForgettingGateway", "Blind", "LoggedInBench", "ChangingBench"),
        *("Forgetting", "Optimistic", "Certain", "Resigned"),
    ],
)
async def test_an_adapter_that_breaks_a_promise_is_found(
    bench: Callable[[], SimulatedBench], broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hkex_ops.testing.market_feed_heard.NOTICE_TIMEOUT_S", 0.05)
    monkeypatch.setattr(FakeMarketFeedBench, "time_limit_s", 0.3)
    monkeypatch.setattr(FakeIndexPublisherBench, "time_limit_s", 0.3)
    assert broken in (await failure_of(bench)).broken


async def test_a_failure_names_its_seed_and_what_had_happened() -> None:
    failed = await failure_of(lambda: FakeReportSourceBench(Tidying))
    assert isinstance(failed, AssertionError)
    assert f"seed {failed.seed}: " in str(failed)
    assert failed.events
    assert str(failed.events[-1]) in str(failed)
    with pytest.raises(SimulationFailed, match="something on the server was changed") as again:
        await simulate(failed.seed, FakeReportSourceBench(Tidying))
    assert failed.events == again.value.events


# -- a library that breaks one ---------------------------------------------------------------------


async def test_a_desk_that_forgets_what_it_holds_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgets(self: Held, listed: ListedReport) -> bool:
        return False

    monkeypatch.setattr(Held, "__contains__", forgets)
    assert "fetched again" in (await failure_of(FakeReportSourceBench)).broken


def nothing_expected(*of_whatever: object) -> tuple[()]:
    return ()


async def test_a_desk_that_is_told_of_nothing_missing_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hkex_ops.flows.report_standing.expected_reports", nothing_expected)
    assert "told as missing: []" in (await failure_of(FakeReportSourceBench)).broken


async def test_an_archive_that_is_damaged_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Archive.place

    def spoil(self: Archive, *arguments: object) -> object:
        placed = place(self, *arguments)  # type: ignore[arg-type]
        for one in placed:
            path = self.folder / one.path
            path.chmod(0o600)
            path.write_bytes(b"")
        return placed

    monkeypatch.setattr(Archive, "place", spoil)
    assert "archive and ledger are damaged" in (await failure_of(FakeReportSourceBench)).broken


@pytest.mark.parametrize(
    ("stale", "broken"),
    [
        pytest.param((), "wrong and unmarked", id="nothing"),
        pytest.param((5,), "nothing was lost by both lines", id="without a reason"),
    ],
)
async def test_an_engine_that_marks_at_will_is_found(
    monkeypatch: pytest.MonkeyPatch, stale: tuple[int, ...], broken: str
) -> None:
    """What was lost by both lines makes values wrong; not to say so is the fault."""
    ticks_of = simulated_index.ticks_of

    def at_will(market: Market, heard: Sequence[PacketBatch]) -> list[TickComputed]:
        return [one._replace(stale=stale) for one in ticks_of(market, heard)]

    monkeypatch.setattr(simulated_index, "ticks_of", at_will)
    assert broken in (await failure_of(FakeMarketFeedBench)).broken


async def test_a_mailroom_that_sends_again_what_nobody_knows_of_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of = DeliveryInput.of

    def hopeful(outcome: Outcome) -> DeliveryInput:
        return of(Outcome.DEFERRED if outcome is Outcome.UNKNOWN else outcome)

    monkeypatch.setattr(DeliveryInput, "of", hopeful)
    assert "has simulated-00" in (await failure_of(FakeNotifierBench)).broken
