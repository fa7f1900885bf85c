"""Market data in a rehearsal: the services that are spoken to, and the steps of each session.

At a site: both lines, heartbeats, a line that is lost, a gap made up by retransmission, a refresh,
the recovery channel. Between the sites: the signal that the exchange moves, and that it has. What
is done at a step is :mod:`~hkex_ops_simulator.backbone.acts`'s.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from attrs import define

from hkex_ops.model import Json, JsonObject, Rollout, Session, SiteRole, StepAction
from hkex_ops.plugins import MARKET_FEEDS, Plugins
from hkex_ops.rundown import RundownStep, StepResult
from hkex_ops_simulator.backbone.acts import EACH, SPEECH, MarketActs
from hkex_ops_simulator.backbone.service import OMD_C, OMD_CC, MarketService
from hkex_ops_simulator.planning import Planned, instant

__all__ = ["ADAPTER", "MarketSide", "spoken_services"]

# Of hkex-ops-omd; without it a listener stands in as ever.
ADAPTER = "omd-multicast"

_Act = Callable[[MarketService, datetime], Awaitable[StepResult]]


def spoken_services(rollout: Rollout, plugins: Plugins) -> tuple[str, ...]:
    """The services of ``rollout`` that are market data, where an adapter speaks to them."""
    if ADAPTER not in plugins.offers(MARKET_FEEDS):
        return ()
    return tuple(one for one in rollout.services if one in (OMD_C, OMD_CC))


@define
class MarketSide:
    """The market data services of one rehearsal, and what its client does with them.

    Every market that was opened has ended when ``async with`` is left.
    """

    services: Mapping[str, MarketService]
    acts: MarketActs

    @classmethod
    def of(
        cls, names: tuple[str, ...], folder: Path, plugins: Plugins, seed: int, acts: MarketActs
    ) -> MarketSide:
        """The side with the services called ``names``; their files are written to ``folder``."""
        return cls({name: MarketService(name, folder, plugins, seed) for name in names}, acts)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for service in self.services.values():
            await service.close()

    async def take_down(self, site: SiteRole) -> None:
        """Nothing is sent from a site any more; a market that is there falls silent."""
        self.acts.down.add(site)
        for service in self.services.values():
            if service.market is not None and service.market.site is site:
                await service.market.go_silent()

    def bring_up(self, site: SiteRole) -> None:
        """The site sends again, from the next session on."""
        self.acts.down.discard(site)

    def told(self) -> JsonObject:
        """What speaks to what, as a row of evidence each."""
        rows: list[Json] = [
            {
                "service": one.name,
                "adapter": ADAPTER,
                "channels": list(one.channels),
                "speech": SPEECH,
            }
            for one in self.services.values()
        ]
        return {"market_data": rows}

    # -- which steps there are ---------------------------------------------------------------

    def steps(self, session: Session, site: SiteRole) -> Iterator[Planned]:
        """The steps of a session at a site, for each of its services that is market data."""
        start = instant(session.window.start)
        for name in self._of(session):
            rows: tuple[tuple[str, str, _Act], ...] = (
                (
                    f"{StepAction.CHECK_CONNECTION}-{name.casefold()}",
                    f"{name} is heard on lines A and B at the {site} site, every message",
                    partial(self.acts.hear, site=site),
                ),
                (
                    f"heartbeats-{name.casefold()}",
                    f"every channel of {name} says by heartbeats how far it is",
                    self.acts.heartbeats,
                ),
                (
                    f"one-line-{name.casefold()}",
                    f"line B of {name} is lost and comes back; nothing is missed",
                    self.acts.one_line,
                ),
                (
                    f"gap-{name.casefold()}",
                    f"what both lines of {name} lose is told as a gap and sent again",
                    self.acts.gap,
                ),
                (
                    f"refresh-{name.casefold()}",
                    f"a late-comer learns the state of a channel of {name} from its refresh",
                    self.acts.refresh,
                ),
                (
                    f"recovery-channel-{name.casefold()}",
                    f"the recovery channel of {name} is heard and says that nothing is moving",
                    self.acts.recovery_channel,
                ),
            )
            for place, (id, text, act) in enumerate(rows):
                yield self._planned(session, id, text, start + place * EACH, name, act)

    def failover(self, session: Session) -> Iterator[Planned]:
        """The steps of a session in which the exchange moves from one site to the other."""
        start, until = instant(session.window.start), instant(session.window.until)
        for name in self._of(session):
            yield self._planned(
                session,
                f"signal-started-{name.casefold()}",
                f"signal 105 of {name}: the exchange is moving, and what is known is void",
                start + EACH,
                name,
                self.acts.signal_started,
            )
            yield self._planned(
                session,
                f"signal-completed-{name.casefold()}",
                f"signal 105 of {name}: the exchange has moved",
                until - EACH,
                name,
                partial(self.acts.signal_completed, resumes=until),
            )

    def _of(self, session: Session) -> list[str]:
        return [name for name in session.services if name in self.services]

    def _planned(
        self, session: Session, id: str, text: str, at: datetime, name: str, act: _Act
    ) -> Planned:
        step = RundownStep(
            session.id, id, f"{text} (a step of the rehearsal)", session.window, session.source
        )
        return Planned(step, at, partial(act, self.services[name], at))
