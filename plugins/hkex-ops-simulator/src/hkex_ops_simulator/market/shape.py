"""How big a simulated market is and how badly its lines behave: every number of it has a name.

A shape with its seed makes one market day and no other. Whoever builds one checks nothing: wrong
figures are refused here, each in one sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from attrs import Attribute, field, frozen

from hkex_ops.errors import UsageError
from hkex_ops_simulator.market.channels import Feed

__all__ = [
    "CALM",
    "DEFAULT_SEED",
    "MOST_INDEXES",
    "MOST_MESSAGES",
    "MOST_MINUTES",
    "MOST_SECURITIES",
    "Faults",
    "Shape",
]

DEFAULT_SEED = 20100122

# What the Hang Seng family had in real time in February 2010.
# Source: HSIL, Incident Report of 2 February 2010, section 1.
MOST_INDEXES = 47

FEWEST_SECURITIES = 20
MOST_SECURITIES = 9000  # leaves room among the codes 1 to 9999
MOST_GROUPS = 9  # the channels of the two feeds are ten apart
MOST_MINUTES = 330  # 09:30 to 12:00 and 13:00 to 16:00
MOST_MESSAGES = 50_000_000
MOST_INTERVAL_S = 60

# More than half of all packets wrong is no line any more.
_MOST_SHARE_PPM = 500_000
_MOST_SKEW_US = 1_000_000


def _between(least: int, most: int) -> Callable[[object, Attribute[int], int], None]:
    """An attrs validator: a figure from ``least`` to ``most``."""

    def check(_: object, attribute: Attribute[int], value: int) -> None:
        if not least <= value <= most:
            name = attribute.name.replace("_", " ")
            raise UsageError(f"a market cannot have {name} {value}: give {least} to {most}")

    return check


_SHARE = _between(0, _MOST_SHARE_PPM)


@frozen
class Faults:
    """What lines A and B do to packets: how many of a million, ``skew_us`` in microseconds.

    ``both_ppm`` are lost on both lines: only retransmission or refresh has them. The others lose
    nothing for somebody who listens to both. `UsageError` for more than half of all.
    """

    loss_a_ppm: int = field(default=2000, validator=_SHARE)
    loss_b_ppm: int = field(default=1000, validator=_SHARE)
    both_ppm: int = field(default=0, validator=_SHARE)
    duplicate_ppm: int = field(default=500, validator=_SHARE)
    swap_ppm: int = field(default=500, validator=_SHARE)
    resplit_ppm: int = field(default=30_000, validator=_SHARE)
    skew_us: int = field(default=120, validator=_between(0, _MOST_SKEW_US))


# Two lines that carry everything once, in order, in the same packets.
CALM = Faults(loss_a_ppm=0, loss_b_ppm=0, both_ppm=0, duplicate_ppm=0, swap_ppm=0, resplit_ppm=0)


@frozen
class Shape:
    """A market day in figures. `UsageError` for a figure that makes none.

    ``messages`` is about how many numbered messages there are beside definitions, spread over
    ``minutes`` of continuous trading; of a million trades the records of ``out_of_sequence_ppm``
    are sent after the stock's next one. ``interval_s`` is how often an index is published.
    """

    seed: int = DEFAULT_SEED
    business_date: date = date(2026, 11, 17)
    securities: int = field(default=120, validator=_between(FEWEST_SECURITIES, MOST_SECURITIES))
    groups: int = field(default=2, validator=_between(1, MOST_GROUPS))
    indexes: int = field(default=2, validator=_between(1, MOST_INDEXES))
    messages: int = field(default=20_000, validator=_between(0, MOST_MESSAGES))
    minutes: int = field(default=10, validator=_between(1, MOST_MINUTES))
    interval_s: int = field(default=2, validator=_between(1, MOST_INTERVAL_S))
    feed: Feed = Feed.PREMIUM
    out_of_sequence_ppm: int = field(default=4000, validator=_SHARE)
