"""The page of an index's day: what the picture holds and what stands below it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal

from attrs import evolve

from hkex_ops.index.restatement import restatement
from hkex_ops.model import HONG_KONG, IndexTick, TickKind
from hkex_ops.render.chart import ChartEvent, Level, Shade, chart
from hkex_ops.render.index_page import MOST_ROWS, IndexPage, index_page

HSI = "0000100"
WIDTH, HALF_A_TIME = 1000, 18  # of the picture; five figures of twelve pixels, with a margin
TEN = datetime(2010, 1, 22, 10, tzinfo=HONG_KONG)


def tick(seconds: int, value: int, kind: TickKind = TickKind.REAL_TIME) -> IndexTick:
    return IndexTick(HSI, TEN + timedelta(seconds=seconds), Decimal(value), kind=kind)


DAY = [tick(15 * place, 20500 + place % 7) for place in range(200)]
OUTAGE = (TEN + timedelta(minutes=10), TEN + timedelta(minutes=20))
SHOWN = [one for one in DAY if not OUTAGE[0] <= one.at <= OUTAGE[1]]
MADE_GOOD = restatement(DAY, SHOWN, start=OUTAGE[0], until=OUTAGE[1])


def page() -> IndexPage:
    return IndexPage(
        title="An index & its day",
        index=HSI,
        notice="SYNTHETIC prices",
        ticks=(*SHOWN, *MADE_GOOD.ticks, tick(900, 20490, TickKind.CONTINGENCY)),
        rows=MADE_GOOD.rows,
        extremes=MADE_GOOD.extremes,
        shades=(Shade(*OUTAGE, "not published"),),
        levels=(Level(Decimal(20500), "call level"),),
        events=(ChartEvent(1, OUTAGE[0], "stopped <all three>"),),
    )


def test_the_same_values_give_the_same_page() -> None:
    assert index_page(page()) == index_page(page())


def test_a_page_asks_nothing_of_the_network_and_runs_nothing() -> None:
    text = index_page(page())
    assert "default-src &#x27;none&#x27;" in text
    for forbidden in ("<script", "http://", "https://", "@import", "url("):
        assert forbidden not in text


def test_every_kind_of_value_has_a_shape_of_its_own() -> None:
    text = index_page(page())
    for kind in ("real-time", "recalculated", "contingency"):
        assert f'class="{kind}"' in text


def test_a_line_breaks_where_nothing_was_published() -> None:
    drawn = chart("An index", SHOWN)
    assert drawn is not None
    assert 2 == drawn.count('<polyline points="')


def test_what_happened_is_escaped_and_numbered() -> None:
    text = index_page(page())
    assert "stopped &lt;all three&gt;" in text
    assert "An index &amp; its day" in text


def test_the_drawing_is_told_in_words() -> None:
    drawn = chart("An index", DAY, shades=page().shades)
    assert drawn is not None
    assert (
        "200 values from 10:00 to 10:49:45; lowest 20500 at 10:00; highest 20506 at 10:01:30; "
        "not published from 10:10 to 10:20."
    ) in drawn


def test_without_a_value_there_is_a_sentence_instead_of_a_picture() -> None:
    assert chart("An index", []) is None
    assert "There is no value to draw." in index_page(evolve(page(), ticks=()))


def test_one_value_and_a_flat_line_can_be_drawn() -> None:
    for ticks in ([tick(0, 20500)], [tick(0, 20500), tick(15, 20500)]):
        assert chart("An index", ticks) is not None


def test_a_spike_within_one_column_is_not_lost() -> None:
    """Thousands of values share a column; its lowest is drawn all the same."""
    many = [tick(place, 20500) for place in range(5000)]
    many[2500] = tick(2500, 20400)
    drawn = chart("An index", many)
    assert drawn is not None
    points = drawn.partition('points="')[2].partition('"')[0].split()
    assert 1 == sum(int(point.partition(",")[2]) > 300 for point in points)


def test_a_long_stretch_lists_its_first_rows_and_says_so() -> None:
    rows = MADE_GOOD.rows * 60
    text = index_page(evolve(page(), rows=rows))
    assert f"The first {MOST_ROWS} of {len(rows)} moments" in text


def test_no_label_of_a_time_is_cut_off_at_an_edge() -> None:
    """The first and the last moment have one each; half of its width lies beyond the axis."""
    drawn = str(chart("An index", [tick(60 * place, 20500 + place) for place in range(11)]))
    times = [int(x) for x in re.findall(r'<text x="(\d+)"[^>]*>10:\d\d</text>', drawn)]
    assert 11 == len(times)
    assert min(times) - HALF_A_TIME >= 0
    assert max(times) + HALF_A_TIME <= WIDTH
