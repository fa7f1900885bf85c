"""The phases of a simulated day, each a generator of what the exchange sends during it.

Definitions, the opening auction, continuous trading, the close. All of them work on a
:class:`~hkex_ops_simulator.market.floor.Floor` and draw from a generator of their own, so that a
longer auction does not change what trades later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from attrs import define, field

from hkex_ops.omd.messages import (
    IndicativeEquilibriumPrice,
    OrderImbalance,
    ReferencePrice,
    SecurityStatus,
    SequenceReset,
)
from hkex_ops_simulator.market.channels import INDEX, RECOVERY, REFERENCE, STATUS
from hkex_ops_simulator.market.dealing import Dealt, Fact
from hkex_ops_simulator.market.definitions import index_definitions, market_definitions
from hkex_ops_simulator.market.floor import Floor, Picks, Sending, Stand
from hkex_ops_simulator.market.lines import MILLION
from hkex_ops_simulator.market.packing import Sent
from hkex_ops_simulator.market.timetable import NS, Span, Timetable

__all__ = [
    "CLOSING_DELAY_S",
    "OPENING_DELAY_S",
    "Trading",
    "auction",
    "closing",
    "definitions",
    "indications",
]

# From the matching indicator to the opening values, from the close to the closing values: a value
# stands for the first moment of the grid more than so long after.
OPENING_DELAY_S = 30
CLOSING_DELAY_S = 10

_FIRST_SEQUENCE = 1
_SUSPENDED, _RESUMED = 2, 3
_MS_NS = 1_000_000

# The share of stocks that are dealt in at an auction.
_OPENS_SHARE = 0.7

# Messages that go out together: about so many, and never more.
_MEAN_BURST = 5
_LONGEST_BURST = 24
_ENDS_SHARE = 0.24


def definitions(
    floor: Floor, channels: Sequence[int], at_ns: int, rng: Random, suspended: int = 3
) -> Sending:
    """Numbers begin anew on every channel; markets, securities, indexes.

    The last ``suspended`` stocks are not dealt in all day.
    """
    for place, channel in enumerate((*channels, RECOVERY)):
        yield Sent(at_ns + place, channel, SequenceReset(_FIRST_SEQUENCE))
    at_ns += NS
    for definition in market_definitions(floor.universe, rng):
        yield Sent(at_ns, REFERENCE, definition)
    for index in index_definitions(floor.universe.indexes):
        yield Sent(at_ns + 1, INDEX, index)
    for stand in floor.stands[len(floor.stands) - suspended :]:
        yield from _suspend(stand, at_ns + 2)


def indications(floor: Floor, span: Span, budget: int, rng: Random) -> Sending:
    """Late reports of yesterday, then where the auction would be matched, until it is."""
    stands = list(floor.open_stands)
    picks = Picks(stands, rng)
    for _ in range(len(stands) // 20):
        stand = picks.one()
        yield from floor.tell(stand, stand.dealing.late(rng), span.start_ns)
    for after_ns in sorted(rng.randrange(span.length_ns) for _ in range(budget // 2)):
        stand, at_ns = picks.one(), span.start_ns + after_ns
        price, quantity = stand.dealing.indication(rng)
        surplus = rng.choice((b"N", b"B", b"S"))
        indicated = IndicativeEquilibriumPrice(stand.code, price, quantity)
        imbalance = OrderImbalance(stand.code, surplus, b" ", quantity // 3, b"  ")
        yield Sent(at_ns, stand.channel, indicated)
        yield Sent(at_ns, stand.channel, imbalance)


def auction(floor: Floor, at_ns: int, interval_ns: int, rng: Random) -> Sending:
    """The opening auction is matched: reference prices, trades, and the opening values."""
    for stand in sorted(floor.stands, key=lambda one: one.channel):
        close = stand.dealing.stock.previous_close_3dp
        reference = ReferencePrice(stand.code, close, close * 9 // 10, close * 11 // 10)
        yield Sent(at_ns, stand.channel, reference)
    yield from _matched(floor, at_ns + _MS_NS, rng)
    yield from floor.publish(_moment_after(at_ns + OPENING_DELAY_S * NS, interval_ns), "O")


def closing(floor: Floor, table: Timetable, interval_ns: int, rng: Random) -> Sending:
    """Preliminary values, the closing auction, every closing price, and the closing values."""
    ended_ns = table.trading[-1].until_ns
    yield from floor.publish(_moment_after(ended_ns, interval_ns), "R")
    yield from _matched(floor, table.closing_ns + _MS_NS, rng)
    yield from floor.close(table.closing_ns + NS)
    closed_ns = table.closed_ns + CLOSING_DELAY_S * NS
    yield from floor.publish(_moment_after(closed_ns, interval_ns), "C")


def _matched(floor: Floor, at_ns: int, rng: Random) -> Sending:
    for stand in sorted(floor.open_stands, key=lambda one: one.channel):
        if rng.random() < _OPENS_SHARE:
            price, quantity = stand.dealing.indication(rng)
            yield from floor.tell(stand, stand.dealing.auction(price, quantity), at_ns)


def _moment_after(at_ns: int, interval_ns: int) -> int:
    """The first moment of the grid after ``at_ns``."""
    return (at_ns // interval_ns + 1) * interval_ns


def _suspend(stand: Stand, at_ns: int) -> Sending:
    stand.dealing.suspended = True
    yield Sent(at_ns, STATUS, SecurityStatus(stand.code, _SUSPENDED, b"   "))


def _resume(stand: Stand, at_ns: int) -> Sending:
    stand.dealing.suspended = False
    yield Sent(at_ns, STATUS, SecurityStatus(stand.code, _RESUMED, b"   "))


@define
class Trading:
    """Continuous trading on ``floor``, an index value of each every ``interval_ns``.

    Of a million trades the records of ``late_ppm`` come after the stock's next one.
    """

    floor: Floor
    interval_ns: int
    late_ppm: int
    rng: Random
    _held: dict[int, tuple[Stand, Dealt]] = field(
        factory=dict[int, tuple[Stand, Dealt]], init=False
    )

    def during(self, span: Span, budget: int) -> Sending:
        """About ``budget`` messages in bursts at random moments; for a third a stock is halted."""
        picks = Picks(list(self.floor.open_stands), self.rng)
        halted = picks.one()
        moments = [(after_ns, 1) for after_ns in self._moments(span, budget)]
        moments += [(span.length_ns // 3, 0), (2 * span.length_ns // 3, 2)]
        next_ns = _moment_after(span.start_ns, self.interval_ns)
        for after_ns, what in sorted(moments):
            at_ns = span.start_ns + after_ns
            while next_ns <= at_ns:
                yield from self.floor.publish(next_ns, "T")
                next_ns += self.interval_ns
            if what == 1:
                yield from self._burst(at_ns, picks)
            else:
                yield from (_resume if what else _suspend)(halted, at_ns)
        yield from self._let_go(span.until_ns - 1)
        while next_ns <= span.until_ns:
            yield from self.floor.publish(next_ns, "T")
            next_ns += self.interval_ns
        self.floor.end_session()

    def _moments(self, span: Span, budget: int) -> Iterator[int]:
        return (self.rng.randrange(span.length_ns) for _ in range(budget // _MEAN_BURST))

    def _burst(self, at_ns: int, picks: Picks) -> Sending:
        """Some stocks of one channel, and what happens in each."""
        stand, size = picks.one(), 0
        while size < _LONGEST_BURST:
            if not stand.dealing.suspended:
                for fact in stand.dealing.act(self.rng):
                    told = list(self._tell(stand, fact, at_ns))
                    size += len(told)
                    yield from told
            if self.rng.random() < _ENDS_SHARE:
                return
            stand = picks.beside(stand)

    def _tell(self, stand: Stand, fact: Fact, at_ns: int) -> Sending:
        """What is told of a fact; a trade's record may be held back until the stock's next one."""
        if not isinstance(fact, Dealt):
            yield from self.floor.tell(stand, fact, at_ns)
            return
        held = self._held.pop(stand.code, None)
        if held is None and self.rng.randrange(MILLION) < self.late_ppm:
            self._held[stand.code] = stand, fact
            return
        yield from self.floor.tell(stand, fact, at_ns)
        if held is not None:
            yield from self.floor.tell(*held, at_ns)

    def _let_go(self, at_ns: int) -> Sending:
        """What is still held back comes when trading ends."""
        for stand, dealt in self._held.values():
            yield from self.floor.tell(stand, dealt, at_ns)
        self._held.clear()
