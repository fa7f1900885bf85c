"""Whether an engine is right: against other engines, and against the snapshot computation.

Where engines differ, nobody knows yet who errs. Where the snapshot computation and one engine agree
against another, that other one does, since the two are of different make. Called by the gateway
alone; it changes the standing of engines and tells what it found.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from hkex_ops.index.gateway_events import (
    EngineDisagreed,
    EngineDistrusted,
    EngineTrusted,
    GatewayEvent,
    ProofAdvanced,
    ProofFailed,
    SnapshotDiffers,
)
from hkex_ops.index.moments import MomentHeard
from hkex_ops.index.roster import Roster, Standing, Trust
from hkex_ops.index.rules import GatewayRules
from hkex_ops.index.ticks import TickComputed

__all__ = ["Judge"]


class Judge:
    """Judges the engines of one roster."""

    def __init__(self, roster: Roster, rules: GatewayRules, decimals: int) -> None:
        self._roster = roster
        self._rules = rules
        self._decimals = decimals

    def disagreements(
        self, engine: Standing, moment: MomentHeard, now: datetime
    ) -> Iterator[GatewayEvent]:
        """Each unmarked value that differs from the first unmarked one of another engine."""
        for index, tick in moment.reports[engine.name].items():
            for name, said in moment.reports.items():
                other = said.get(index)
                if name == engine.name or tick.marked or other is None or other.marked:
                    continue
                value, first = self._points(tick.value_cents), self._points(other.value_cents)
                if value != first:
                    yield EngineDisagreed(now, engine.name, index, tick.time_ns, value, name, first)
                break

    def judge(
        self, engine: Standing, moment: MomentHeard, now: datetime, *, proving: bool, idle: bool
    ) -> Iterator[GatewayEvent]:
        """Hold an engine's ticks of a moment against the snapshot computation, once.

        Before its values have come, an engine that is not trusted is held against what went out;
        that counts outside a hold only. While ``idle`` nobody is being proven.
        """
        if engine.name in moment.judged:
            return
        if moment.snapshot:
            moment.judged.add(engine.name)
            wrong = self._wrong(engine.name, moment)
            yield from self._tell_wrong(engine, moment, wrong, now, proving=proving)
            if not idle:
                yield from self._proof(engine, moment, not wrong, now, proving=proving)
            yield from self._single_out(moment, now)
        elif moment.published and engine.trust is not Trust.TRUSTED and not (proving or idle):
            moment.judged.add(engine.name)
            said = moment.reports[engine.name]
            right = all(
                said[index].value_cents == tick.value_cents
                for index, tick in moment.published.items()
                if index in said
            )
            yield from self._proof(engine, moment, right, now, proving=False)

    def _wrong(self, name: str, moment: MomentHeard) -> list[TickComputed]:
        """The engine's ticks that are not what the snapshot computation says."""
        return [
            tick
            for tick in moment.reports[name].values()
            if self._snapshot(moment, tick) != self._points(tick.value_cents)
        ]

    def _tell_wrong(
        self,
        engine: Standing,
        moment: MomentHeard,
        wrong: list[TickComputed],
        now: datetime,
        *,
        proving: bool,
    ) -> Iterator[GatewayEvent]:
        for tick in wrong:
            value, other = self._points(tick.value_cents), self._snapshot(moment, tick)
            out = moment.published.get(tick.index)
            published = out is not None and out.value_cents == tick.value_cents
            if not tick.marked:
                yield SnapshotDiffers(
                    now, engine.name, tick.index, tick.time_ns, value, other, published
                )
        if proving and wrong:
            tick = wrong[0]
            value, other = self._points(tick.value_cents), self._snapshot(moment, tick)
            yield ProofFailed(now, engine.name, moment.time_ns, tick.index, value, other)

    def _proof(
        self, engine: Standing, moment: MomentHeard, right: bool, now: datetime, *, proving: bool
    ) -> Iterator[GatewayEvent]:
        if engine.trust is Trust.TRUSTED:
            return
        needed = self._rules.proving_ticks
        engine.proven = engine.proven + 1 if right else 0
        if right and proving:
            yield ProofAdvanced(now, engine.name, moment.time_ns, engine.proven, needed)
        if engine.proven >= needed:
            engine.trust = Trust.TRUSTED
            yield EngineTrusted(now, engine.name, engine.proven)

    def _single_out(self, moment: MomentHeard, now: datetime) -> Iterator[GatewayEvent]:
        """An engine is wrong where the snapshot computation and another engine agree against it.

        Where all engines agree against the snapshot nobody is: it may be the one that errs.
        """
        faulty = {name: self._wrong(name, moment) for name in moment.reports}
        if all(faulty.values()):
            return
        for name, wrong in faulty.items():
            engine = self._roster[name]
            if engine.trust is Trust.TRUSTED and any(not tick.marked for tick in wrong):
                engine.trust, engine.proven = Trust.WRONG, 0
                yield EngineDistrusted(now, name, engine.site, moment.time_ns)

    def _points(self, cents: int) -> Decimal:
        return Decimal(cents).scaleb(-self._decimals)

    def _snapshot(self, moment: MomentHeard, tick: TickComputed) -> Decimal | None:
        found = moment.snapshot.get(tick.index)
        return None if found is None else found.value
