"""The trading floor of a simulated day: a stand for each stock, and the index compiler.

Whatever happens is told here: a fact of a stock becomes messages of its channel, a moment becomes
index values. Who decides what happens is :mod:`~hkex_ops_simulator.market.phases`, or a script.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from random import Random

from attrs import define, field, frozen

from hkex_ops.omd.messages import TradingSessionStatus
from hkex_ops_simulator.market.channels import INDEX, STATUS, Feed, trading_channel
from hkex_ops_simulator.market.compiler import IndexCompiler, Published
from hkex_ops_simulator.market.dealing import Dealing, Dealt, Fact
from hkex_ops_simulator.market.definitions import BOARDS
from hkex_ops_simulator.market.feeds import Teller, teller
from hkex_ops_simulator.market.packing import Sent
from hkex_ops_simulator.market.stocks import Universe
from hkex_ops_simulator.market.timetable import State

__all__ = ["Floor", "Picks", "Sending", "Stand"]

Sending = Iterator[Sent]

# How many picks are drawn at once.
_DRAWN = 4096


@frozen
class Stand:
    """Where one stock is dealt in and told of."""

    dealing: Dealing
    teller: Teller
    channel: int

    @property
    def code(self) -> int:
        """The code of the stock."""
        return self.dealing.stock.code


@define
class Floor:
    """The floor of ``universe``; what ``feed`` cannot tell is not told.

    ``published`` has every index value told so far.
    """

    universe: Universe
    feed: Feed
    published: list[Published] = field(factory=list[Published], init=False)
    stands: tuple[Stand, ...] = field(init=False)
    _compiler: IndexCompiler = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._compiler = IndexCompiler(self.universe)
        dealings = [Dealing(stock) for stock in self.universe.stocks]
        self.stands = tuple(
            Stand(one, teller(self.feed, one), trading_channel(self.feed, one.stock.group))
            for one in dealings
        )

    @property
    def open_stands(self) -> Iterator[Stand]:
        """The stands of stocks that are not suspended."""
        return (stand for stand in self.stands if not stand.dealing.suspended)

    def tell(self, stand: Stand, fact: Fact, at_ns: int) -> Sending:
        """The messages of a fact; from now on the compiler knows it."""
        if isinstance(fact, Dealt):
            self._compiler.take(stand.code, fact)
        for message in stand.teller.tell(fact, at_ns):
            yield Sent(at_ns, stand.channel, message)

    def close(self, at_ns: int) -> Sending:
        """The closing price of every stock: the one of its last trade."""
        for stand in self.stands:
            for message in stand.teller.close():
                yield Sent(at_ns, stand.channel, message)
        self._compiler.close({one.code: one.dealing.last_3dp for one in self.stands})

    def publish(self, at_ns: int, status: str) -> Sending:
        """The value of every index at a moment."""
        for told, message in self._compiler.publish(at_ns, status):
            self.published.append(told)
            yield Sent(at_ns, INDEX, message)

    def end_session(self) -> None:
        """Morning or afternoon is over."""
        self._compiler.end_session()

    def state(self, state: State) -> Sending:
        """Every market segment is in a new session state."""
        at_ns, sub_id, status, until_ns = state
        for name, _ in BOARDS:
            board = name.encode("ascii").ljust(4)
            told = TradingSessionStatus(
                board, b" ", sub_id, status, b"0", b" " * 4, at_ns, until_ns
            )
            yield Sent(at_ns, STATUS, told)


class Picks:
    """Stands by chance, those of interest more often."""

    def __init__(self, stands: Sequence[Stand], rng: Random) -> None:
        self._rng = rng
        self._all = _Pool(stands, rng)
        channels = sorted({stand.channel for stand in stands})
        self._of_channel = {
            channel: _Pool([one for one in stands if one.channel == channel], rng)
            for channel in channels
        }

    def one(self) -> Stand:
        """Any stand."""
        return self._all.draw()

    def beside(self, stand: Stand) -> Stand:
        """Another stand of the same channel, or the same."""
        return self._of_channel[stand.channel].draw()


class _Pool:
    def __init__(self, stands: Sequence[Stand], rng: Random) -> None:
        self._stands = stands
        self._weights = list(accumulate(one.dealing.stock.interest for one in stands))
        self._rng = rng
        self._drawn: list[Stand] = []

    def draw(self) -> Stand:
        if not self._drawn:
            self._drawn = self._rng.choices(self._stands, cum_weights=self._weights, k=_DRAWN)
        return self._drawn.pop()
