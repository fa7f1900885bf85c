"""The settings by which index values are computed, published, replaced and watched.

Each is named, has a default, and says where the default comes from. What no public paper states
is marked unconfirmed; that is why it is a setting. Structured from the operator's file by
`hkex_ops.config`, read by every machine of this room; the rules know none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from attrs import fields, frozen

__all__ = [
    "ContingencyRules",
    "GatewayRules",
    "IndexRules",
    "Rounding",
    "TickOrder",
    "WatchRules",
    "faults_of_rules",
]

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


class TickOrder(StrEnum):
    """Which records a tick holds.

    ``event-time``: exactly those sent before its moment, on every channel. Engines that capture
    for themselves then agree tick by tick, at the price of waiting for the slowest channel.
    ``arrival``: those delivered before the first record sent at or after its moment. Nothing is
    waited for, and two engines may differ by what was under way.
    """

    EVENT_TIME = "event-time"
    ARRIVAL = "arrival"


class Rounding(StrEnum):
    """How the exact value becomes a published one; a half is a tie."""

    HALF_UP = "half-up"
    HALF_EVEN = "half-even"
    DOWN = "down"


@frozen
class IndexRules:
    """How an engine computes.

    ``interval_s``: from tick to tick, on the grid of whole multiples since the Unix epoch. 2 for
    equity indexes (HSIL releases of December 2024 and January 2025), 15 in January 2010 (HKEx
    report to the Legislative Council of February 2010, paragraph 2).
    ``decimals``, ``rounding``: published to two decimals, such as 20511.75 (HKEx report, Appendix
    I); the rule for ties is unconfirmed.
    ``trade_types``: TrdType of trades that set a price: automatch, automatch internalised, auction
    (OMD-C 1.45, Trade (50)). Which types HSIL takes is unconfirmed.
    ``order``, ``settle_ms``: see :class:`TickOrder`; a channel that has not passed a moment
    ``settle_ms`` after the first one did is left out, and the tick says so. More than the two
    seconds of a heartbeat, or every quiet channel would be left out.
    ``reach``: by how many places of its stock's own order a record may come out of sequence; see
    :meth:`hkex_ops.index.stocks.Stock.witness`.
    ``rates_from_feed``: whether currency rates of the feed (14) move a stock that trades in another
    currency during the day; otherwise the basket's rate holds all day. Unconfirmed.
    ``session_market``: whose trading session counts.
    ``opening_session``, ``opening_delay_s``: the opening index stands for the first moment of the
    grid more than the delay after the matching indicator (TradingSessionSubID 2, MA). In 2010 the
    indicator came about 09:50 and the opening index normally at 09:50:30 (HKEx report,
    Appendix I).
    ``realtime_sessions``: sub-session identifiers during which ticks are computed: 3, continuous
    trading.
    ``preliminary_sessions``: with the first of these the preliminary close is computed from last
    prices: 105 and 5, the start of the closing auction. Unconfirmed.
    ``closing_sessions``, ``closing_delay_s``: with the first of these after the preliminary close,
    or with a day close (0) in any case, the closing index is computed from closing prices (message
    62), a last price standing in where a stock has none.
    """

    interval_s: int = 2
    decimals: int = 2
    rounding: Rounding = Rounding.HALF_UP
    trade_types: tuple[int, ...] = (0, 100, 103)
    order: TickOrder = TickOrder.EVENT_TIME
    settle_ms: int = 3_000
    reach: int = 1
    rates_from_feed: bool = False
    session_market: str = "MAIN"
    opening_session: int = 2
    opening_delay_s: int = 30
    realtime_sessions: tuple[int, ...] = (3,)
    preliminary_sessions: tuple[int, ...] = (105, 5)
    closing_sessions: tuple[int, ...] = (103, 0)
    closing_delay_s: int = 10

    @property
    def interval_ns(self) -> int:
        """From tick to tick."""
        return self.interval_s * NS_PER_S


@frozen
class GatewayRules:
    """How the gateway chooses among engines and when it trusts them again.

    ``late_ms``: an engine whose tick comes this long after the first engine's is late.
    ``dead_intervals``: one that has sent nothing for so many intervals is dead.
    ``grace_ms``: how long a marked tick, or a later moment, waits for a better or an earlier one
    from another engine that lives.
    ``proving_ticks``: how many ticks in a row must equal the snapshot computation before
    publication resumes, and before an engine that was dead or wrong may win again. In 2010 the
    calculation was back at about 10:27 and published again at 10:32:45, after it was confirmed
    that the system ran normally (HSIL report, section 3 a).
    """

    late_ms: int = 1_000
    dead_intervals: int = 2
    grace_ms: int = 500
    proving_ticks: int = 3


@frozen
class ContingencyRules:
    """When the contingency path publishes, and how often.

    ``silent_intervals``: all engines silent for so many intervals begin it.
    ``interval_s``: from one contingency value to the next. It was 15 minutes in 2010 (HSIL report,
    section 3 b), and shortening it was among the actions agreed.
    ``waits_s``: how long the second of two contingency systems waits for the first one's value.
    """

    silent_intervals: int = 2
    interval_s: int = 15
    waits_s: int = 5


@frozen
class WatchRules:
    """Thresholds of the watch; each stands for what people noticed by eye in 2010.

    ``opening_due``: Hong Kong time by which the opening index is expected, as HH:MM:SS. 09:50:30
    in 2010 (HKEx report, Appendix I); since 19 October 2020 matching ends at random from 09:20 to
    09:22 (unconfirmed as a due time).
    ``unchanged_s``, ``unchanged_moves``: an index is stuck when it has had no other value for so
    long while its stocks' prices have changed so often.
    ``stock_silent_s``, ``stock_trades``: a stock has stopped when it has not traded for so long,
    though it had traded at least so often that day and is not suspended.
    ``one_line_s``: a channel is told of when one of its lines has been silent for so long.
    """

    opening_due: str = "09:22:30"
    unchanged_s: int = 30
    unchanged_moves: int = 20
    stock_silent_s: int = 600
    stock_trades: int = 50
    one_line_s: int = 10


_MOST_DECIMALS = 4
_ZERO_IS_FINE = {"decimals", "opening_delay_s", "closing_delay_s", "grace_ms", "waits_s"}


def faults_of_rules(
    rules: IndexRules | GatewayRules | ContingencyRules | WatchRules,
) -> Iterator[tuple[str, str]]:
    """Every setting whose value makes no sense, as (name, sentence)."""
    for attribute in fields(type(rules)):
        value: object = getattr(rules, attribute.name)
        if type(value) is not int:
            continue
        least = 0 if attribute.name in _ZERO_IS_FINE else 1
        if value < least:
            yield attribute.name, f"is {value}; the least that makes sense is {least}"
    if isinstance(rules, IndexRules):
        if rules.decimals > _MOST_DECIMALS:
            yield "decimals", f"is {rules.decimals}; Index Data (71) carries {_MOST_DECIMALS}"
        if not rules.trade_types:
            yield "trade_types", "is empty; without a type no trade ever sets a price"
    if isinstance(rules, WatchRules) and not _is_time(rules.opening_due):
        yield "opening_due", f"{rules.opening_due!r} is no time of day such as 09:22:30"


def _is_time(text: str) -> bool:
    parts = text.split(":")
    if len(parts) != 3 or not all(len(part) == 2 and part.isdecimal() for part in parts):
        return False
    hours, minutes, seconds = (int(part) for part in parts)
    return hours < 24 and minutes < 60 and seconds < 60
