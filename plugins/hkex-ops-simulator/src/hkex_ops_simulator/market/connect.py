"""A China Connect day in small (OMD-CC): two markets, the best of each book, statistics.

The other market data service that the backbone circulars name; as much of it as a rehearsal of
lines and recovery needs. A pure generator from a seed; every name in it says SYNTHETIC.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random

from attrs import frozen

from hkex_ops.omd.messages import (
    ConnectMarketDefinition,
    ConnectSecurityDefinition,
    ConnectSecurityStatus,
    ConnectStatistics,
    Message,
    SequenceReset,
    TopOfBook,
)
from hkex_ops_simulator.market.channels import RECOVERY
from hkex_ops_simulator.market.floor import Sending
from hkex_ops_simulator.market.packing import FIRST_SEQUENCE, Sent
from hkex_ops_simulator.market.timetable import NS, Timetable

__all__ = ["CONNECT_CHANNELS", "CONNECT_SPEC", "ConnectDay"]

CONNECT_SPEC = "omd-cc-1.4"

# One pair of lines for each market; the numbers are invented.
_MARKETS = {41: ("ASHR", "SSE A SHARES"), 42: ("ASZR", "SZSE A SHARES")}
CONNECT_CHANNELS = tuple(_MARKETS)

_RENMINBI = b"CNY"
_RESUMED = 3
_STEP_3DP = 10


@frozen
class ConnectDay:
    """A test session of the two markets from ``start`` on, ``messages`` of them while it trades."""

    seed: int
    start: datetime
    securities: int = 20
    messages: int = 1500
    minutes: int = 12

    def sent(self) -> Sending:
        """Every message, in order of time."""
        rng = Random(f"{self.seed}/connect")
        table = Timetable.trial(self.start, self.minutes)
        at_ns = table.definitions_ns
        for place, channel in enumerate((*CONNECT_CHANNELS, RECOVERY)):
            yield Sent(at_ns + place, channel, SequenceReset(FIRST_SEQUENCE))
        prices: dict[tuple[int, int], int] = {}
        for channel in CONNECT_CHANNELS:
            for message in self._definitions(channel, prices, rng):
                yield Sent(at_ns + NS, channel, message)
        span = table.trading[0]
        shares = dict.fromkeys(prices, 0)
        keys = sorted(prices)
        for after_ns in sorted(rng.randrange(span.length_ns) for _ in range(self.messages // 2)):
            channel, code = key = rng.choice(keys)
            prices[key] = price = max(_STEP_3DP, prices[key] + rng.choice((-1, 0, 1)) * _STEP_3DP)
            shares[key] += (quantity := rng.randint(1, 90) * 100)
            moment_ns = span.start_ns + after_ns
            bid, ask = price - _STEP_3DP, price + _STEP_3DP
            book = TopOfBook(code, quantity, quantity * 2, bid, ask, b" " * 8)
            yield Sent(moment_ns, channel, book)
            turnover = shares[key] * price
            yield Sent(
                moment_ns,
                channel,
                ConnectStatistics(code, shares[key], turnover, ask, bid, price, price, b" " * 12),
            )

    def _definitions(
        self, channel: int, prices: dict[tuple[int, int], int], rng: Random
    ) -> Iterator[Message]:
        market, name = _MARKETS[channel]
        board = market.encode("ascii")
        yield ConnectMarketDefinition(
            board, name.encode("ascii").ljust(25), _RENMINBI, self.securities
        )
        for number in range(1, self.securities + 1):
            code = channel * 1000 + number
            prices[channel, code] = close = rng.randint(300, 9000) * _STEP_3DP
            yield ConnectSecurityDefinition(
                code,
                board,
                b"CN%010d" % code,
                b"EQTY",
                b"  ",
                f"SYNTHETIC {code}".encode("ascii").ljust(40),
                _RENMINBI,
                b" " * 60,
                f"合成证券{code}".encode("utf-16-le").ljust(60, b"\0"),
                100,
                close,
                b" ",
                b"N",
                b" " * 6,
                20100104,
                b" " * 7,
            )
            yield ConnectSecurityStatus(code, _RESUMED, b"   ", b"T0".ljust(8))
