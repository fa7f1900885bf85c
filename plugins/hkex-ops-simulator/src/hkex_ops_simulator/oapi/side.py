"""The clearing house in a rehearsal: whether it can be spoken to here, and the steps of a session.

It needs two things of this machine: a C compiler, to build the library that stands in, and the
adapter of hkex-ops-oapi. Where either is missing, its steps are *unavailable*, each with what to
install, and everything else of the rehearsal goes on. What is done at a step is :mod:`~.acts`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from attrs import define, field

from hkex_ops.clock import Clock
from hkex_ops.config.settings import Settings
from hkex_ops.errors import ConfigError, StoreError
from hkex_ops.model import Connection, JsonObject, RecordKind, Session, SiteRole, Step, StepAction
from hkex_ops.plugins import OAPI_GATEWAYS, Plugins
from hkex_ops.rundown import RundownStep, StepResult, StepState
from hkex_ops_simulator.addresses import CLEARING_SERVICE
from hkex_ops_simulator.oapi.acts import ClearingActs
from hkex_ops_simulator.oapi.back_office import DeskFiles, configuration_lines, write_desk
from hkex_ops_simulator.oapi.build import build_library
from hkex_ops_simulator.oapi.gateways import Exchange
from hkex_ops_simulator.oapi.house import ClearingHouse
from hkex_ops_simulator.oapi.listening import GatewayListener
from hkex_ops_simulator.planning import Planned, instant
from hkex_ops_simulator.stand_ins import Speaker, StandIn, StandIns

__all__ = ["ADAPTER", "ClearingSide"]

# Of hkex-ops-oapi.
ADAPTER = "oapi"
SPEECH = (
    "a SYNTHETIC clearing house stands in, spoken to by hkex-ops-oapi through a library of ours"
)

# So long after the last step the next one is done.
_EACH = timedelta(minutes=1)
_SERVED = (StepAction.LOG_IN, StepAction.LOG_OUT)

_Act = Callable[[ClearingActs, SiteRole], Awaitable[StepResult]]

_STEPS: tuple[tuple[str, str, _Act], ...] = (
    (
        "enquiries-only",
        "what changes anything is refused by the enquiry gate before it is sent",
        lambda acts, site: acts.refuse(site),
    ),
    (
        "verify-trades",
        "the trades at the clearing house are those of our books",
        lambda acts, site: acts.verify(RecordKind.TRADES, site),
    ),
    (
        "verify-positions",
        "the positions at the clearing house are those of our books",
        lambda acts, site: acts.verify(RecordKind.POSITIONS, site),
    ),
)


@define
class ClearingSide:
    """The clearing house of one rehearsal. ``lacking`` says what is missing here, if anything is.

    :meth:`set_up` comes before any step.
    """

    house: ClearingHouse
    library: Path | None
    lacking: str
    _exchange: Exchange = field(init=False)
    _files: DeskFiles | None = field(default=None, init=False)
    _acts: ClearingActs | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._exchange = Exchange(self.house)

    @classmethod
    async def of(
        cls, plugins: Plugins, clock: Clock, dates: Sequence[date], seed: int, folder: Path
    ) -> ClearingSide:
        """The side with a house of ``seed`` and ``dates``; the library is built now.

        It is kept in the user's cache, or in ``folder`` where that cannot be written.
        """
        house = ClearingHouse.made(seed, dates=dates, clock=clock)
        if ADAPTER not in plugins.offers(OAPI_GATEWAYS):
            lacking = "no adapter speaks OAPI here: install hkex-ops-oapi"
            return cls(house, None, lacking)
        try:
            return cls(house, await asyncio.to_thread(_built, folder), "")
        except ConfigError as error:
            return cls(house, None, str(error))

    @property
    def speaker(self) -> Speaker | None:
        """What stands in for the service; nothing where it cannot be spoken to."""
        if self.lacking:
            return None

        def made(host: str, site: SiteRole) -> GatewayListener:
            return GatewayListener(self._exchange, host, site)

        return Speaker(made, SPEECH)

    def set_up(self, folder: Path, *, differ: bool) -> None:
        """Write the desk's files; with ``differ`` its books are not the house's."""
        if not self.lacking:
            self._files = write_desk(self.house, folder, differ=differ)

    def configuration_lines(self, stand_ins: StandIns) -> list[str]:
        """The configuration's tables for the gateways that are up; none where nothing is."""
        if self._files is None or self.library is None:
            return []
        gateways = [(one.site, one.listener.endpoint) for one in _of(stand_ins)]
        return configuration_lines(self.library, self._files, gateways)

    def begin(
        self,
        stand_ins: StandIns,
        settings: Callable[[], Settings],
        plugins: Plugins,
        named: Callable[[str], Sequence[Connection]],
        keep: Callable[[str, JsonObject], None],
    ) -> None:
        """Be ready for steps; see :class:`~.acts.ClearingActs`. ``named`` is of a service."""
        if self._files is None:
            return
        stated = {str(one.listener.endpoint): _stated(one) for one in _of(stand_ins)}
        self._acts = ClearingActs(
            house=self.house,
            ours=self._files.ours,
            settings=settings,
            plugins=plugins,
            clock=self.house.clock,
            named=lambda: [stand_ins.stands_for(one) for one in named(CLEARING_SERVICE)],
            stated=lambda gateway: stated.get(gateway, ""),
            crossed=lambda: sum(
                one.listener.visits for one in _of(stand_ins) if one.site is SiteRole.SECONDARY
            ),
            keep=keep,
        )

    def told(self) -> JsonObject:
        """What speaks to what, as a document of evidence."""
        return {
            "service": CLEARING_SERVICE,
            "adapter": ADAPTER,
            "speech": SPEECH if not self.lacking else None,
            "unavailable": self.lacking or None,
            "business_date": self.house.business_date.isoformat(),
            "seed": self.house.seed,
        }

    # -- steps -----------------------------------------------------------------------------------

    def serves(self, step: Step) -> bool:
        """Whether a step of the paper is done here, and by no person."""
        return step.service == CLEARING_SERVICE and step.action in _SERVED

    async def do(self, step: Step, site: SiteRole) -> StepResult:
        """Do a step of the paper."""
        log_in = step.action is StepAction.LOG_IN
        return await self._done(
            lambda acts, site: acts.log_in(site) if log_in else acts.log_out(), site
        )

    def steps(self, session: Session, site: SiteRole) -> Iterator[Planned]:
        """The steps of the rehearsal's own in a session at ``site``, after the log-in."""
        if CLEARING_SERVICE not in session.services:
            return
        start, until = instant(session.window.start), instant(session.window.until)
        for place, (id, text, act) in enumerate(_STEPS, start=1):
            yield self._planned(session, id, text, start + place * _EACH, act, site)
        yield self._planned(
            session,
            "nothing-changed",
            "the clearing house was asked and not changed",
            until,
            lambda acts, _: acts.unchanged(),
            site,
        )

    def _planned(
        self, session: Session, id: str, text: str, at: datetime, act: _Act, site: SiteRole
    ) -> Planned:
        # Without a window of its own: the house is asked what it was told when all is over.
        step = RundownStep(
            session.id, id, f"{text} (a step of the rehearsal)", None, session.source
        )
        return Planned(step, at, partial(self._done, act, site))

    async def _done(self, act: _Act, site: SiteRole) -> StepResult:
        if self._acts is None:
            facts: JsonObject = {"unavailable": self.lacking}
            return StepResult(StepState.UNAVAILABLE, self.lacking, facts)
        return await act(self._acts, site)


def _built(folder: Path) -> Path:
    try:
        return build_library()
    except StoreError:
        return build_library(folder=folder)


def _of(stand_ins: StandIns) -> list[StandIn]:
    return [one for one in stand_ins.all if one.service == CLEARING_SERVICE]


def _stated(one: StandIn) -> str:
    return f"{one.stated.host}, here " if one.stated is not None else ""
