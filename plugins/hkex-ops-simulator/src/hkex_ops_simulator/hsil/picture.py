"""The page of the morning of 22 January 2010: what was shown, what should have been, what happened.

Drawn by the core's page; here is chosen what it shows. Prices are SYNTHETIC, and it says so first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from decimal import Decimal

from hkex_ops.incidents.accounts import in_time
from hkex_ops.index.restatement import Restatement
from hkex_ops.model import IndexTick
from hkex_ops.render.chart import ChartEvent, Level, Shade
from hkex_ops.render.index_page import IndexPage, index_page
from hkex_ops_simulator.hsil.anchors import CALL_LEVEL_CENTS, HSI
from hkex_ops_simulator.hsil.chronicle import Chronicle
from hkex_ops_simulator.hsil.expected import NAMES, points
from hkex_ops_simulator.hsil.replayed import MORNING_ENDS, at
from hkex_ops_simulator.hsil.withheld import RESUMED, WITHHELD

__all__ = ["page_of_morning"]

_NOTICE = (
    "SYNTHETIC stock prices, solved so that the values published in 2010 come out to the cent. "
    "Everything between those values is invented; contracts and trades are too."
)
_FROM = time(9, 50)


def page_of_morning(
    code: str, shown: Sequence[IndexTick], restated: Restatement, chronicle: Chronicle
) -> str:
    """The HTML page of one index, 09:50 to 10:45."""
    begin, end = at(_FROM), at(MORNING_ENDS)
    rows = in_time(chronicle.rows)
    events = [row for row in rows if row.at.at is not None and row.at.at <= end]
    levels = (Level(Decimal(points(CALL_LEVEL_CENTS)), "call level 20500"),)
    return index_page(
        IndexPage(
            title=f"{NAMES[code]}, 22 January 2010, rehearsed",
            index=code,
            notice=_NOTICE,
            ticks=(
                *(one for one in shown if one.index == code and begin <= one.at <= end),
                *(one for one in restated.ticks if one.index == code),
            ),
            rows=tuple(one for one in restated.rows if one.index == code),
            extremes=tuple(one for one in restated.extremes if one.index == code),
            shades=(Shade(at(WITHHELD[0]), at(RESUMED[code]), "not published"),),
            levels=levels if code == HSI else (),
            events=tuple(
                ChartEvent(number, row.at.at, " ".join(row.events))
                for number, row in enumerate(events, 1)
                if row.at.at is not None
            ),
        )
    )
