"""What a client of market data does in a rehearsal, act by act, and what it finds.

Every act is done with real packets on loopback by the adapter that an operator has configured; what
the client has is compared with what the market knows that it sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from attrs import define, field

from hkex_ops.cli.text import say_count
from hkex_ops.errors import RemoteError
from hkex_ops.index.ticks import time_ns_of
from hkex_ops.model import Json, JsonObject, SiteRole
from hkex_ops.omd.disaster import DisasterRecoveryBegan, DisasterRecoveryEnded
from hkex_ops.omd.events import GapClosed, GapOpened, LineReturned, LineSilent
from hkex_ops.ports import FeedLine
from hkex_ops.rollouts import Directions
from hkex_ops.rundown import StepResult, StepState
from hkex_ops_simulator.backbone.client import MarketClient
from hkex_ops_simulator.backbone.service import MarketService
from hkex_ops_simulator.faults import Fault
from hkex_ops_simulator.market.channels import LINES, RECOVERY
from hkex_ops_simulator.market.live import LiveMarket
from hkex_ops_simulator.market.servers import RetransmissionServer

__all__ = ["EACH", "SPEECH", "MarketActs"]

SPEECH = "spoken to by hkex-ops-omd over multicast on loopback; the market is SYNTHETIC"

# So long does the market go on in each act.
EACH = timedelta(minutes=1)
_ALONE = timedelta(seconds=40)
_LOST_PACKETS = 3


@define
class MarketActs:
    """The acts of one rehearsal's client.

    ``points_at`` says where the client points, ``where`` what the papers say of a service now.
    ``down`` are the sites from which nothing is sent.
    """

    points_at: Callable[[], SiteRole]
    where: Callable[[str], Directions]
    fault: Fault | None
    down: set[SiteRole] = field(factory=set[SiteRole], init=False)
    _unheard: set[str] = field(factory=set[str], init=False)

    # -- at a site ---------------------------------------------------------------------------

    async def hear(self, service: MarketService, at: datetime, site: SiteRole) -> StepResult:
        """Subscribe where the client points, and hear everything that is sent."""
        self._unheard.add(service.name)
        if self.points_at() is not site:
            found = f"the client points at the {self.points_at()} site, it must point at {site}"
            return StepResult(StepState.FAILED, found, {"site": self.points_at().value})
        told = self.where(service.name)
        if told.site is not site:
            return StepResult(StepState.FAILED, f"not the site to connect to: {told.why}")
        market = service.market
        if market is None or market.is_silent or market.site is SiteRole.PRIMARY:
            market = await service.open_market(at)
            market.site = site
        if self._is_down(site):
            await market.go_silent()
        client = await service.open_client(self.points_at())
        await market.play(time_ns_of(at + EACH))
        if not await client.until(lambda: _has_all(client, market)):
            silent = [
                channel for channel in client.channels if not client.next_sequence(channel) > 1
            ]
            found = f"nothing is heard on channels {', '.join(map(str, silent))}"
            return StepResult(StepState.FAILED, found, {"channels": list(silent)})
        self._unheard.discard(service.name)
        counts = {channel: len(client.received[channel]) for channel in client.channels}
        both = all(client.packets[channel, line.value] for channel in counts for line in LINES)
        found = (
            f"{len(counts)} channels on lines A and B, {sum(counts.values())} messages, each one "
            f"that was sent; {SPEECH}"
        )
        facts: JsonObject = {
            "service": service.name,
            "site": site.value,
            "messages": {str(channel): count for channel, count in counts.items()},
            "packets": _by_line(client),
        }
        return _judged(both, found if both else "a channel is heard on one line only", facts)

    async def heartbeats(self, service: MarketService, at: datetime) -> StepResult:
        """Go on hearing; every channel is quiet now and then, on both lines."""
        if (unheard := self._not_heard(service)) is not None:
            return unheard
        market, client = _both(service)
        before = client.heartbeats.copy()
        await market.play(time_ns_of(at + EACH))
        whole = await client.until(lambda: _has_all(client, market))
        since = client.heartbeats - before
        ways = [(channel, line.value) for channel in client.channels for line in LINES]
        quiet = [f"{channel} {line}" for channel, line in ways if not since[channel, line]]
        count = sum(since[way] for way in ways)
        found = (
            f"no heartbeat on {', '.join(quiet)}"
            if quiet
            else f"{count} heartbeats in a minute, on every channel and line"
        )
        told = {f"{channel} {line}": since[channel, line] for channel, line in ways}
        facts: JsonObject = {"heartbeats": told}
        return _judged(whole and not quiet, found, facts)

    async def one_line(self, service: MarketService, at: datetime) -> StepResult:
        """A component of one line fails: the other line has everything."""
        if (unheard := self._not_heard(service)) is not None:
            return unheard
        market, client = _both(service)
        known = len(client.health)
        market.lines.broken.add(FeedLine.B)
        await market.play(time_ns_of(at + _ALONE))
        whole = await client.until(lambda: _has_all(client, market))
        market.lines.broken.clear()
        await market.play(time_ns_of(at + EACH))
        whole = whole and await client.until(lambda: _has_all(client, market))
        told = client.health[known:]
        silent = {one.channel for one in told if isinstance(one, LineSilent) and one.line == "B"}
        back = {one.channel for one in told if isinstance(one, LineReturned) and one.line == "B"}
        found = (
            f"line B silent on {len(silent)} and back on {len(back)} of {len(client.channels)} "
            f"channels; {'nothing' if whole else 'something'} missed"
        )
        seen = set(client.channels) == silent == back
        facts: JsonObject = {"silent": sorted(silent), "returned": sorted(back)}
        return _judged(whole and seen, found, facts)

    async def gap(self, service: MarketService, at: datetime) -> StepResult:
        """Both lines lose packets: a gap is told, asked for by TCP, and closed."""
        if (unheard := self._not_heard(service)) is not None:
            return unheard
        market, client = _both(service)
        channel = _busy(service)
        market.lines.losing[channel] = _LOST_PACKETS
        await market.play(time_ns_of(at + EACH))
        await client.until(lambda: channel in client.missing)
        runs = client.missing.get(channel, ())
        calls = {one.host: one.calls for one in _servers(market)}
        try:
            packets = sum([await client.ask_again(channel, *run) for run in runs])
        except RemoteError as error:
            return StepResult(StepState.FAILED, f"not sent again: {error}", {"runs": _plain(runs)})
        whole = await client.until(lambda: _has_all(client, market))
        told = [type(one) for one in client.health if isinstance(one, GapOpened | GapClosed)]
        asked = ", ".join(one.host for one in _servers(market) if one.calls > calls[one.host])
        count = sum(end - begin + 1 for begin, end in runs)
        found = (
            f"{say_count(count, 'message')} of channel {channel} lost on both lines, told as a "
            f"gap, sent again in {say_count(packets, 'packet')} by {asked or 'nobody'}; now "
            f"{'whole' if whole else 'not whole'}"
        )
        facts: JsonObject = {"channel": channel, "runs": _plain(runs), "server": asked}
        return _judged(whole and bool(runs) and {GapOpened, GapClosed} == set(told), found, facts)

    async def refresh(self, service: MarketService, at: datetime) -> StepResult:
        """One whole cycle, ended by 203, and it is what the exchange knows."""
        if (unheard := self._not_heard(service)) is not None:
            return unheard
        market, client = _both(service)
        channel = _busy(service)
        await market.play(time_ns_of(at + EACH))
        last, state = await client.refreshed(channel)
        expected = [service.codec.encode_message(one) for one in market.snapshot(channel)]
        alike = state == expected and last == market.last_sequence(channel)
        found = (
            f"{len(state)} messages in one cycle of channel {channel}, ended by 203 as of message "
            f"{last}: {'the state at the exchange' if alike else 'not the state at the exchange'}"
        )
        facts: JsonObject = {"channel": channel, "messages": len(state), "last_sequence": last}
        return _judged(alike, found, facts)

    async def recovery_channel(self, service: MarketService, at: datetime) -> StepResult:
        """Heartbeats and no signal; or, after a move, the signal that it is done."""
        if (unheard := self._not_heard(service)) is not None:
            return unheard
        market, client = _both(service)
        way, moved = (RECOVERY, FeedLine.RECOVERY.value), market.site is SiteRole.SECONDARY
        before = client.heartbeats[way]
        await market.play(time_ns_of(at + EACH))
        await market.repeat_signal(time_ns_of(at + EACH))
        await client.until(
            lambda: bool(client.signals) if moved else client.heartbeats[way] > before
        )
        heard = client.heartbeats[way] - before
        signals = [type(one).__name__ for one in client.signals]
        said = ", ".join(signals) or "no signal"
        found = f"{heard} heartbeats on the recovery channel; {said}"
        expected = [DisasterRecoveryEnded.__name__] if moved else []
        return _judged(signals == expected and (moved or heard > 0), found, {"signals": signals})

    # -- between the sites -------------------------------------------------------------------

    async def signal_started(self, service: MarketService, at: datetime) -> StepResult:
        """The client hears that the exchange moves; its servers at the primary site are gone."""
        if (unheard := self._not_heard(service)) is not None:
            return unheard
        market, client = _both(service)
        await market.fail_over(time_ns_of(at))
        heard = await client.until(lambda: _has(client, DisasterRecoveryBegan))
        found = "DRStatus 1 heard: caches are void; real time and refresh have stopped"
        return _judged(heard, found if heard else "no signal was heard", {"status": 1})

    async def signal_completed(
        self, service: MarketService, at: datetime, resumes: datetime
    ) -> StepResult:
        """The client hears that the exchange has moved; what was known is to be rebuilt."""
        if (unheard := self._not_heard(service)) is not None:
            return unheard
        market, client = _both(service)
        await market.resume(time_ns_of(at), service.stream(resumes))
        heard = await client.until(lambda: _has(client, DisasterRecoveryEnded))
        asked = len(market.desk.requests)
        found = f"DRStatus 2 heard: the {market.site} site sends from now on"
        facts: JsonObject = {"status": 2, "site": market.site.value, "requests": asked}
        return _judged(heard, found if heard else "no signal was heard", facts)

    # -- inside ------------------------------------------------------------------------------

    def _not_heard(self, service: MarketService) -> StepResult | None:
        if service.name in self._unheard or service.client is None:
            return StepResult(StepState.SKIPPED, f"{service.name} is not heard")
        return None

    def _is_down(self, site: SiteRole) -> bool:
        if site in self.down:
            return True
        down = {Fault.PRIMARY_DOWN: SiteRole.PRIMARY, Fault.SECONDARY_DOWN: SiteRole.SECONDARY}
        return self.fault is not None and down.get(self.fault) is site


def _judged(passed: bool, found: str, facts: JsonObject) -> StepResult:
    return StepResult(StepState.PASSED if passed else StepState.FAILED, found, facts)


def _both(service: MarketService) -> tuple[LiveMarket, MarketClient]:
    assert service.market is not None, "heard before"
    assert service.client is not None, "heard before"
    return service.market, service.client


def _busy(service: MarketService) -> int:
    """The channel that trades: the one before the indexes', or the first of China Connect."""
    channels = sorted(service.channels)
    return channels[-2]


def _has_all(client: MarketClient, market: LiveMarket) -> bool:
    """Whether the client has every message as it was sent, and there were some."""
    sent = {channel: market.last_sequence(channel) for channel in client.channels}
    return any(sent.values()) and all(
        len(client.received[channel]) == last
        and client.next_sequence(channel) == last + 1
        and tuple(client.received[channel]) == market.bodies(channel, 1, last)
        for channel, last in sent.items()
        if last
    )


def _has(client: MarketClient, kind: type[object]) -> bool:
    return any(isinstance(one, kind) for one in client.signals)


def _servers(market: LiveMarket) -> Iterator[RetransmissionServer]:
    return (one for servers in market.servers.values() for one in servers)


def _by_line(client: MarketClient) -> JsonObject:
    return {
        f"{channel} {line.value}": client.packets[channel, line.value]
        for channel in client.channels
        for line in LINES
    }


def _plain(runs: tuple[tuple[int, int], ...]) -> list[Json]:
    return [list(run) for run in runs]
