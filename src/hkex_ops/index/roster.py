"""The engines as the gateway sees them: who lives, who is late, whose ticks may win.

Called by the gateway alone. Time is an argument; being silent counts only while ticks are due.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import cast

from hkex_ops.errors import UsageError
from hkex_ops.index.gateway_events import (
    EngineDied,
    EngineLate,
    EnginePunctual,
    EngineReturned,
    GatewayEvent,
)
from hkex_ops.model import JsonObject, SiteRole

__all__ = ["Roster", "Standing", "Trust"]


class Trust(StrEnum):
    """Whether an engine's ticks may win: ``wrong`` was found out, ``probation`` has yet to show."""

    TRUSTED = "trusted"
    PROBATION = "probation"
    WRONG = "wrong"


class Standing:
    """One engine."""

    def __init__(self, name: str, site: SiteRole) -> None:
        self.name = name
        self.site = site
        self.alive = True
        self.finished = False
        self.late = False
        self.trust = Trust.TRUSTED
        self.proven = 0
        self.heard: datetime | None = None
        self.last_ns = 0


class Roster:
    """All engines by name."""

    def __init__(self, engines: Mapping[str, SiteRole]) -> None:
        if not engines:
            raise UsageError("a gateway without engines publishes nothing: name at least one")
        self._engines = {name: Standing(name, site) for name, site in engines.items()}

    def __iter__(self) -> Iterator[Standing]:
        """The engines in the order in which they were named."""
        return iter(self._engines.values())

    def __getitem__(self, name: str) -> Standing:
        """The engine of that name; `UsageError` when there is none."""
        try:
            return self._engines[name]
        except KeyError:
            known = ", ".join(self._engines)
            raise UsageError(f"there is no engine {name!r}; known: {known}") from None

    @property
    def candidates(self) -> list[Standing]:
        """Whose ticks may win now: the trusted that live, or else those not found to be wrong."""
        alive = [one for one in self if one.alive]
        trusted = [one for one in alive if one.trust is Trust.TRUSTED]
        return trusted or [one for one in alive if one.trust is Trust.PROBATION]

    @property
    def awaited(self) -> list[Standing]:
        """The candidates that may still say something."""
        return [one for one in self.candidates if not one.finished]

    def eligible(self, names: Iterable[str]) -> list[str]:
        """Those of ``names`` whose ticks may win; what a trusted engine said before it died may."""
        also = {one.name for one in self.candidates}
        return [name for name in names if name in also or self[name].trust is Trust.TRUSTED]

    def silent_since(self, due_since: datetime) -> datetime:
        """When the last engine was heard, or ticks fell due."""
        return max([due_since, *(one.heard for one in self if one.heard is not None)])

    def hear(self, engine: Standing, time_ns: int, now: datetime) -> Iterator[GatewayEvent]:
        """A tick of ``time_ns`` has come from ``engine``."""
        if not engine.alive:
            engine.alive, engine.late, engine.proven = True, False, 0
            if engine.trust is Trust.TRUSTED:
                engine.trust = Trust.PROBATION
            yield EngineReturned(now, engine.name, engine.site, time_ns)
        engine.heard, engine.finished = now, False
        engine.last_ns = max(engine.last_ns, time_ns)

    def punctual(self, engine: Standing, time_ns: int, now: datetime) -> Iterator[GatewayEvent]:
        """Its tick came in time."""
        if engine.late:
            engine.late = False
            yield EnginePunctual(now, engine.name, engine.site, time_ns)

    def late(
        self, engine: Standing, time_ns: int, late_ms: int, now: datetime
    ) -> Iterator[GatewayEvent]:
        """Its tick has not come in time; told once until it keeps time again."""
        if engine.alive and not engine.late and not engine.finished:
            engine.late = True
            yield EngineLate(now, engine.name, engine.site, time_ns, late_ms)

    def die(self, engine: Standing, reason: str, now: datetime) -> Iterator[GatewayEvent]:
        """It is gone; told once."""
        if engine.alive:
            engine.alive = False
            yield EngineDied(now, engine.name, engine.site, reason)

    def bury(
        self, due_since: datetime, longest: timedelta, now: datetime
    ) -> Iterator[GatewayEvent]:
        """Who has been silent for ``longest`` since due or heard is dead."""
        for engine in self:
            if engine.finished:
                continue
            since = due_since if engine.heard is None else max(engine.heard, due_since)
            if now - since >= longest:
                yield from self.die(engine, f"silent since {since.isoformat()}", now)

    def distrust_all(self) -> None:
        """Nobody wins before being proven right."""
        for engine in self:
            engine.proven = 0
            if engine.trust is Trust.TRUSTED:
                engine.trust = Trust.PROBATION

    def snapshot(self) -> JsonObject:
        """Who stands where, as plain data."""
        return {
            one.name: {"trust": one.trust.value, "alive": one.alive, "last_ns": one.last_ns}
            for one in self
        }

    def restore(self, snapshot: JsonObject) -> None:
        """Stand where ``snapshot`` stood; who is not in it stands as new."""
        for engine in self:
            row = cast("JsonObject | None", snapshot.get(engine.name))
            if row is not None:
                engine.trust = Trust(cast("str", row["trust"]))
                engine.alive = bool(row["alive"])
                engine.last_ns = cast("int", row["last_ns"])
