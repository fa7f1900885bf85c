"""The timeline: bars to scale, a mark for each step that covers no other, the same each time."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import combinations

from hypothesis import given, strategies as st

from hkex_ops.model import Session
from hkex_ops.render.marks import MARK_SIZE
from hkex_ops.render.pack import Outcome
from hkex_ops.render.timeline import MOST_DAYS, WIDTH, NumberedStep, days_of, timeline
from tests.render.packs import Node, at, page_of, session, step

ONE_HOUR = session("Session 1", at(14, 30), at(15, 30))
TWO_HOURS = session("Session 2", at(16), at(18))


def drawn(sessions: list[Session], steps: list[NumberedStep]) -> Node:
    drawing = timeline(sessions, steps)
    assert drawing is not None
    [svg] = page_of(drawing).children
    return svg


def bars(svg: Node) -> list[tuple[int, int, int]]:
    """Left edge, top and width of each bar."""
    return [
        (int(one.attributes["x"]), int(one.attributes["y"]), int(one.attributes["width"]))
        for one in svg.all("rect")
    ]


def marks(svg: Node) -> list[tuple[int, int]]:
    found = [one for one in svg.all("g") if "mark" in one.attributes.get("class", "")]
    places = [
        re.fullmatch(r"translate\((\d+) (\d+)\)", one.attributes["transform"]) for one in found
    ]
    return [(int(place[1]), int(place[2])) for place in places if place]


def numbered(*minutes: int, outcome: Outcome = Outcome.PASSED) -> list[NumberedStep]:
    """Steps that ended so many minutes after the first midnight."""
    instants = [at(0) + timedelta(minutes=minute) for minute in sorted(minutes)]
    return [
        NumberedStep(n, step(f"step-{n}", outcome, instant), instant)
        for n, instant in enumerate(instants, start=1)
    ]


def test_a_bar_is_as_long_as_its_session() -> None:
    (x1, _, one), (x2, _, two) = bars(drawn([ONE_HOUR, TWO_HOURS], []))
    assert abs(2 * one - two) <= 2
    assert abs((x2 - x1) * 2 - 3 * one) <= 3


def test_a_session_over_midnight_has_a_bar_on_each_day() -> None:
    svg = drawn([session("Night", at(22), at(1, day=16))], [])
    assert 2 == len(bars(svg))
    days = [one.text for one in svg.all("text") if one.attributes["class"] == "day"]
    assert ["Saturday", "Sunday"] == days


def test_a_session_until_midnight_has_one_bar() -> None:
    assert 1 == len(bars(drawn([session("Late", at(22), at(0, day=16))], [])))


def test_an_estimated_end_is_drawn_as_one() -> None:
    svg = drawn([session("Rough", at(8), at(10), rough=True), ONE_HOUR], [])
    kinds = [one.attributes["class"] for one in svg.all("rect")]
    assert ["bar rough", "bar"] == kinds


def test_sessions_that_overlap_are_drawn_apart() -> None:
    nested = session("Part of it", at(16, 30), at(17))
    (_, top1, _), (_, top2, _) = bars(drawn([TWO_HOURS, nested], []))
    assert top1 != top2


def test_every_step_has_a_mark_that_says_number_name_and_outcome() -> None:
    svg = drawn([ONE_HOUR], numbered(870, 870, 875, outcome=Outcome.FAILED))
    titles = [one.text for one in svg.all("title")[1:]]
    assert ["1. step-1: failed", "2. step-2: failed", "3. step-3: failed"] == sorted(titles)


def test_no_two_outcomes_share_a_shape_and_sign() -> None:
    shapes: set[tuple[str, ...]] = set()
    for outcome in Outcome:
        [mark] = [
            one
            for one in drawn([], numbered(600, outcome=outcome)).all("g")
            if "mark" in one.attributes.get("class", "")
        ]
        shapes.add(tuple(path.attributes["d"] for path in mark.all("path")))
    assert len(Outcome) == len(shapes)


def test_the_drawing_has_a_title_and_says_itself_in_words() -> None:
    svg = drawn([ONE_HOUR], numbered(870))
    assert "img" == svg.attributes["role"]
    named = svg.attributes["aria-labelledby"].split()
    assert ["title", "desc"] == [one.tag for one in svg.children[:2]]
    assert named == [one.attributes["id"] for one in svg.children[:2]]
    told = svg.children[1].text
    assert "Session 1 begins at 14:30 on Saturday 15 April 2023" in told


def test_without_session_and_step_there_is_nothing_to_draw() -> None:
    assert timeline([], []) is None


def test_no_more_days_are_drawn_than_a_page_bears() -> None:
    many = numbered(*(day * 1440 + 600 for day in range(MOST_DAYS + 4)))
    assert MOST_DAYS + 4 == len(days_of([], many))
    assert MOST_DAYS == len(marks(drawn([], many)))


@given(st.lists(st.integers(0, 3 * 1440 - 1), min_size=1, max_size=40))
def test_no_mark_covers_another_or_leaves_the_drawing_or_is_run_through(minutes: list[int]) -> None:
    svg = drawn([ONE_HOUR, TWO_HOURS], numbered(*minutes))
    places = marks(svg)
    assert len(minutes) == len(places)
    height = int(svg.attributes["viewbox"].split()[3])
    for x, y in places:
        assert 0 <= x <= WIDTH - MARK_SIZE
        assert 0 <= y <= height - MARK_SIZE
    for (x1, y1), (x2, y2) in combinations(places, 2):
        assert abs(x1 - x2) >= MARK_SIZE or abs(y1 - y2) >= MARK_SIZE
    for line in svg.all("line"):
        if line.attributes["class"] == "leader":
            x, top, bottom = (int(line.attributes[name]) for name in ("x1", "y1", "y2"))
            assert not [y for left, y in places if left < x < left + MARK_SIZE and top < y < bottom]
