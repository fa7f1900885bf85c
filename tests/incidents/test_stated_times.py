"""Times as people write them into a log."""

from __future__ import annotations

from contextlib import suppress
from datetime import time

import pytest
from hypothesis import given, strategies as st

from hkex_ops.incidents import parse_told, say_told
from tests.incidents.day_of_2010 import DAY


@pytest.mark.parametrize(
    ("text", "at", "until", "said"),
    [
        ("10:05", "2010-01-22T10:05:00+08:00", None, "10:05"),
        ("9:50", "2010-01-22T09:50:00+08:00", None, "09:50"),
        ("10:32:45", "2010-01-22T10:32:45+08:00", None, "10:32:45"),
        ("about 09:52", "~2010-01-22T09:52:00+08:00", None, "~09:52"),
        ("~09:52", "~2010-01-22T09:52:00+08:00", None, "~09:52"),
        ("Around 10:33", "~2010-01-22T10:33:00+08:00", None, "~10:33"),
        (
            "10:15 to about 10:17",
            "2010-01-22T10:15:00+08:00",
            "~2010-01-22T10:17:00+08:00",
            "10:15 – ~10:17",
        ),
        ("10:15-10:17", "2010-01-22T10:15:00+08:00", "2010-01-22T10:17:00+08:00", "10:15 – 10:17"),
        (
            "10:15 – 10:17",
            "2010-01-22T10:15:00+08:00",
            "2010-01-22T10:17:00+08:00",
            "10:15 – 10:17",
        ),
        ("10:03 onwards", "2010-01-22T10:03:00+08:00", "open", "10:03 onwards"),
        ("2010-01-25T09:00", "2010-01-25T09:00:00+08:00", None, "Mon 2010-01-25 09:00"),
        ("2010-01-22T02:05Z", "2010-01-22T02:05:00+00:00", None, "10:05"),
        ("2010-01-22T10:05+08:00", "2010-01-22T10:05:00+08:00", None, "10:05"),
        (
            "2010-01-22 23:50 to 2010-01-23 00:10",
            "2010-01-22T23:50:00+08:00",
            "2010-01-23T00:10:00+08:00",
            "23:50 – Sat 2010-01-23 00:10",
        ),
        ("unknown", "unknown", None, "time unknown"),
    ],
)
def test_a_time_is_kept_as_it_was_told(text: str, at: str, until: str | None, said: str) -> None:
    told = parse_told(text, DAY)
    assert (at, until) == (str(told.at), None if told.until is None else str(told.until))
    assert (text, said) == (told.stated, say_told(told, DAY))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no time; write it as 10:05"),
        ("soon", "is no time; write it as 10:05"),
        ("10:05 to 10:10 to 10:15", "is no time"),
        ("25:00", "names a day or an hour that there is not"),
        ("10:60", "names a day or an hour that there is not"),
        ("2010-02-30T10:00", "names a day or an hour that there is not"),
        ("10:17 to 10:15", "which is not after its start"),
        ("10:05+08:00", "is no time"),
    ],
)
def test_what_is_no_time_is_said_to_be_none(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_told(text, DAY)


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_is_refused_as_none(text: str) -> None:
    """Whatever is typed, nothing but a sentence comes back."""
    with suppress(ValueError):
        assert text.split() == parse_told(text, DAY).stated.split()


@given(st.times(), st.booleans())
def test_what_is_said_is_read_again(clock: time, about: bool) -> None:
    text = f"{'~' if about else ''}{clock:%H:%M:%S}"
    told = parse_told(text, DAY)
    assert told.at == parse_told(say_told(told, DAY), DAY).at
