"""A market day: every message that the exchange sends, in order, from one seed.

A pure generator of (time, channel, message): definitions, session states with the matching
indicator, the opening auction, continuous trading with orders and trades, some of whose records
come out of sequence, index values, closing prices. It knows nothing of packets or lines
(:mod:`~hkex_ops_simulator.market.lines`). Everything in it is SYNTHETIC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from random import Random
from typing import Protocol

from attrs import define, field

from hkex_ops.model import JsonObject, plain
from hkex_ops_simulator.market.channels import channels_of
from hkex_ops_simulator.market.compiler import Published
from hkex_ops_simulator.market.floor import Floor, Sending
from hkex_ops_simulator.market.phases import Trading, auction, closing, definitions, indications
from hkex_ops_simulator.market.shape import Shape
from hkex_ops_simulator.market.stocks import Universe
from hkex_ops_simulator.market.timetable import NS, State, Timetable

__all__ = ["Day", "MarketDay", "with_states"]

# The share of all messages that the opening auction has.
_AUCTION_SHARE = 0.05


class Day(Protocol):
    """A day that can be sent once, from a seed or by a script."""

    @property
    def seed(self) -> int:
        """What it was made from."""
        ...

    @property
    def business_date(self) -> date:
        """The day that it is."""
        ...

    @property
    def universe(self) -> Universe:
        """What is listed, and the indexes of it."""
        ...

    @property
    def channels(self) -> tuple[int, ...]:
        """The real-time channels, ascending."""
        ...

    @property
    def published(self) -> list[Published]:
        """Every index value told so far, in order."""
        ...

    def sent(self) -> Sending:
        """Every message of the day, in order of time."""
        ...

    def told(self) -> JsonObject:
        """How it was made, as plain data."""
        ...


@define
class MarketDay:
    """The day of ``shape``. :meth:`sent` is iterated once; ``published`` then has every value.

    Its ``timetable`` is that of a trading day unless another is given.
    """

    shape: Shape
    given: Timetable | None = None
    universe: Universe = field(init=False)
    timetable: Timetable = field(init=False)
    floor: Floor = field(init=False)

    def __attrs_post_init__(self) -> None:
        shape = self.shape
        self.universe = Universe.of(shape)
        self.timetable = self.given or Timetable.modern(
            shape.business_date, shape.minutes, self._rng("timetable")
        )
        self.floor = Floor(self.universe, shape.feed)

    @property
    def seed(self) -> int:
        """What it was made from."""
        return self.shape.seed

    @property
    def business_date(self) -> date:
        """The day that it is."""
        return self.shape.business_date

    @property
    def channels(self) -> tuple[int, ...]:
        """The real-time channels, ascending."""
        return channels_of(self.shape.feed, self.shape.groups)

    @property
    def published(self) -> list[Published]:
        """Every index value told so far, in order."""
        return self.floor.published

    def sent(self) -> Sending:
        """Every message of the day, in order of time."""
        return with_states(self.floor, self.timetable.states, self._phases())

    def told(self) -> JsonObject:
        """How it was made, as plain data."""
        return {"shape": plain(self.shape)}

    def _phases(self) -> Iterator[Sending]:
        table, floor, budget = self.timetable, self.floor, self.shape.messages
        yield definitions(floor, self.channels, table.definitions_ns, self._rng("definitions"))
        before = int(budget * _AUCTION_SHARE)
        yield indications(floor, table.auction, before, self._rng("auction"))
        interval_ns, late = self.shape.interval_s * NS, self.shape.out_of_sequence_ppm
        yield auction(floor, table.matching_ns, interval_ns, self._rng("matching"))
        length_ns = sum(span.length_ns for span in table.trading)
        for number, span in enumerate(table.trading):
            share = (budget - before) * span.length_ns // length_ns
            yield Trading(floor, interval_ns, late, self._rng(f"session {number}")).during(
                span, share
            )
        yield closing(floor, table, interval_ns, self._rng("closing"))

    def _rng(self, purpose: str) -> Random:
        """A generator of its own for each purpose, so that one does not disturb another."""
        return Random(f"{self.shape.seed}/{purpose}")


def with_states(floor: Floor, states: Iterable[State], phases: Iterable[Sending]) -> Sending:
    """What is sent in ``phases``, one after the other, each state told when its moment comes.

    A state and a message of one moment: the state is first.
    """
    waiting = list(states)
    for phase in phases:
        for one in phase:
            while waiting and waiting[0].at_ns <= one.time_ns:
                yield from floor.state(waiting.pop(0))
            yield one
    for state in waiting:
        yield from floor.state(state)
