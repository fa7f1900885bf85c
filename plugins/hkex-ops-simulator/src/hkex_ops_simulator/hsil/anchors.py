"""What is known of the indexes on 22 January 2010, and a path between what is known.

Three values are exact and published; the rest of the path is invented to pass through them, and
says so. Values are in hundredths of a point.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date, time
from random import Random
from types import MappingProxyType
from typing import NamedTuple

__all__ = [
    "BUSINESS_DATE",
    "CALL_LEVEL_CENTS",
    "CLOSING_CENTS",
    "EXACT",
    "HSCEI",
    "HSI",
    "INTERVAL_S",
    "PREVIOUS_CLOSE_CENTS",
    "Anchor",
    "path_cents",
]

BUSINESS_DATE = date(2010, 1, 22)
HSI = "0000100"
HSCEI = "0001400"

# From value to value in January 2010. Source: HKEx report to the Panel, Appendix I.
INTERVAL_S = 15

# The call level of thirteen contracts, reached at 10:30:30 and at no moment before.
# Source: HKEx report to the Panel, paragraph 8.
CALL_LEVEL_CENTS = 2_050_000

# The HSI's is remembered and consistent with the published change of 136; that of the HSCEI is
# invented.
PREVIOUS_CLOSE_CENTS: Mapping[str, int] = MappingProxyType({HSI: 2_086_267, HSCEI: 1_193_025})


class Anchor(NamedTuple):
    """A value that was published: of which index, at what time, and where it stands."""

    code: str
    at: time
    value_cents: int
    source: str


EXACT = (
    Anchor(HSI, time(10, 30, 30), 2_049_605, "HKEx report to the Panel, paragraph 8"),
    Anchor(HSI, time(10, 32, 45), 2_051_175, "HKEx report to the Panel, Appendix I"),
    Anchor(HSCEI, time(10, 33), 1_174_741, "HKEx report to the Panel, Appendix I"),
)

# Between them. Of the HSI: opened 335 lower, fell more than 600 at worst after the resumption,
# closed at 20,726 (China News Service, 22 January 2010, rounded); the others are invented.
_PATHS: Mapping[str, tuple[tuple[time, int], ...]] = MappingProxyType(
    {
        HSI: (
            (time(9, 50, 30), 2_052_767),
            (time(10, 0, 15), 2_052_410),
            (time(10, 15), 2_053_320),
            (time(10, 30), 2_050_310),
            (time(10, 30, 15), 2_050_090),
            (time(10, 30, 30), 2_049_605),
            (time(10, 30, 45), 2_050_150),
            (time(10, 32, 45), 2_051_175),
            (time(11, 10), 2_025_530),
            (time(12, 30), 2_038_840),
            (time(14, 30), 2_040_000),
            (time(16), 2_071_950),
        ),
        HSCEI: (
            (time(9, 50, 30), 1_174_610),
            (time(10, 0, 15), 1_174_820),
            (time(10, 15), 1_175_490),
            (time(10, 30, 30), 1_173_830),
            (time(10, 33), 1_174_741),
            (time(11, 10), 1_159_070),
            (time(12, 30), 1_164_050),
            (time(14, 30), 1_165_500),
            (time(16), 1_185_260),
        ),
    }
)
CLOSING_CENTS: Mapping[str, int] = MappingProxyType({HSI: 2_072_618, HSCEI: 1_185_405})

# How far the path strays from the straight line between what is stated, and how near to the call
# level it comes where nobody says that it was reached.
_STRAYS_CENTS = 140
_ABOVE_CALL_CENTS = 40


def path_cents(index: str, at: time, rng: Random) -> int:
    """The value of ``index`` at a time of day: stated ones exactly, others near the line."""
    stated = _PATHS[index]
    place = bisect_right(stated, at, key=lambda one: one[0])
    if place and stated[place - 1][0] == at:
        return stated[place - 1][1]
    (before, low), (after, high) = stated[place - 1], stated[min(place, len(stated) - 1)]
    span = max(1, _second(after) - _second(before))
    value = low + (high - low) * (_second(at) - _second(before)) // span
    value += rng.randint(-_STRAYS_CENTS, _STRAYS_CENTS)
    if index == HSI and at < time(10, 32, 45):
        return max(value, CALL_LEVEL_CENTS + _ABOVE_CALL_CENTS)
    return value


def _second(at: time) -> int:
    return at.hour * 3600 + at.minute * 60 + at.second
