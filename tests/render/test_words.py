"""Moments in words, for people who do not have this software."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hkex_ops.model import Bound, Certainty, Window
from hkex_ops.render.words import say_bound, say_instant, say_window
from tests.render.packs import at


def test_an_instant_is_said_in_hong_kong_time() -> None:
    assert "06:30 on Sunday 16 April 2023" == say_instant(datetime(2023, 4, 15, 22, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("bound", "said"),
    [
        (Bound(at(0, day=29)), "the end of Friday 28 April 2023"),
        (Bound(at(11), Certainty.APPROXIMATE), "about 11:00 on Saturday 15 April 2023"),
        (Bound(certainty=Certainty.OPEN), "any time"),
        (Bound(certainty=Certainty.UNKNOWN), "a time not stated"),
        (
            Bound(at(1, 45), stated="close of T+1 session 2023-04-14"),
            "01:45 on Saturday 15 April 2023 (close of T+1 session 2023-04-14)",
        ),
    ],
)
def test_an_end_is_said_as_the_paper_means_it(bound: Bound, said: str) -> None:
    assert said == say_bound(bound, ends=True)


@pytest.mark.parametrize(
    ("window", "said"),
    [
        (Window(Bound(at(9)), Bound(at(12))), "from 09:00 to 12:00 on Saturday 15 April 2023"),
        (
            Window(Bound(at(9)), Bound(at(12, day=16))),
            "from 09:00 on Saturday 15 April 2023 to 12:00 on Sunday 16 April 2023",
        ),
        (Window(Bound(at(0)), Bound(at(0, day=16))), "on Saturday 15 April 2023"),
        (
            Window(Bound(at(0, day=17)), Bound(at(0, day=29))),
            "from Monday 17 April 2023 to Friday 28 April 2023",
        ),
        (
            Window(Bound(at(8)), Bound(at(10), Certainty.APPROXIMATE)),
            "from 08:00 to about 10:00 on Saturday 15 April 2023",
        ),
        (
            Window(Bound(certainty=Certainty.OPEN), Bound(at(12))),
            "until 12:00 on Saturday 15 April 2023",
        ),
        (
            Window(Bound(at(12)), Bound(certainty=Certainty.OPEN)),
            "from 12:00 on Saturday 15 April 2023, without end",
        ),
        (
            Window(Bound(at(12)), Bound(certainty=Certainty.UNKNOWN)),
            "from 12:00 on Saturday 15 April 2023 to a time not stated",
        ),
    ],
)
def test_a_window_is_said_from_its_first_to_its_last_moment(window: Window, said: str) -> None:
    assert said == say_window(window)
