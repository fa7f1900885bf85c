"""What a simulation is told by: its events in their order, and the promise that one did not keep.

Chance is drawn anew for each question from the seed and the name of the question, never from how
far things have come. So the same seed puts the same in the way of every adapter, however quick it
is and in whatever order it delivers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from random import Random

from attrs import define, field, frozen

from hkex_ops.clock import ManualClock

__all__ = ["Chronicle", "Part", "Simulated", "SimulatedEvent", "SimulationFailed"]


class Part(StrEnum):
    """Whose doing an event of a simulation is."""

    FAR_SIDE = "far side"  # the bench was made to do it
    FAULT = "fault"  # it was put between the adapter and the desk
    DESK = "desk"  # the library's own flows made this of it


@frozen
class SimulatedEvent:
    """One thing that happened in a simulation, ``at`` a time of its clock."""

    at: datetime
    part: Part
    what: str

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}  {self.part:<8}  {self.what}"


@frozen
class Simulated:
    """A simulation in which every promise was kept: what happened, in its order."""

    seed: int
    days: tuple[date, ...]
    events: tuple[SimulatedEvent, ...]

    @property
    def injected(self) -> tuple[SimulatedEvent, ...]:
        """What was done to the desk: by the far side, and by faults."""
        return tuple(one for one in self.events if one.part is not Part.DESK)

    def __str__(self) -> str:
        days = ", ".join(map(str, self.days))
        return "\n".join([f"seed {self.seed}, business date {days}", *map(str, self.events)])


class SimulationFailed(AssertionError):
    """A promise was not kept. The text names the seed and tells what had happened until then."""

    def __init__(self, seed: int, broken: str, events: Sequence[SimulatedEvent]) -> None:
        self.seed: int = seed
        self.broken: str = broken
        self.events: tuple[SimulatedEvent, ...] = tuple(events)
        told = "".join(f"\n  {event}" for event in self.events)
        super().__init__(
            f"seed {seed}: {broken}\nsimulate({seed}) with the same bench does it again; until "
            f"then:{told}"
        )


@define
class Chronicle:
    """What a simulation goes by: its seed, its clock, and all that has happened so far."""

    seed: int
    clock: ManualClock
    events: list[SimulatedEvent] = field(factory=list[SimulatedEvent])

    def chance(self, *question: object) -> Random:
        """Chance for one question, the same whenever it is asked."""
        return Random(" ".join(map(str, (self.seed, *question))))

    def tell(self, part: Part, what: str, at: datetime | None = None) -> None:
        """Something happened: ``at`` some time since the event before, or now."""
        self.events.append(SimulatedEvent(at or self.clock.now(), part, what))

    def require(self, kept: bool, broken: str) -> None:
        """End the simulation, unless the promise was kept."""
        if not kept:
            raise SimulationFailed(self.seed, broken, self.events)
