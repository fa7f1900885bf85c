"""A tick and an event have one spelling; it comes back unchanged, and nothing else passes."""

from __future__ import annotations

import json
import string
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import attrs
import pytest
from attrs import evolve
from hypothesis import given, settings, strategies as st

from hkex_ops.errors import UsageError, WireError
from hkex_ops.model import HONG_KONG, IndexStatus, IndexTick, SiteRole, TickKind
from hkex_ops.model.ticks import (
    LONGEST_DOCUMENT_CHARACTERS,
    TICK_VERSION,
    format_event,
    format_tick,
    parse_published,
    parse_tick,
    tick_document,
    tick_identity,
)

AT = datetime(2010, 1, 22, 10, 0, 15, tzinfo=HONG_KONG)
TICK = IndexTick("0000100", AT, Decimal("20726.10"))
FULL = IndexTick(
    "0000100",
    AT,
    Decimal("20726.10"),
    high=Decimal("20800.00"),
    low=Decimal("20700.01"),
    status=IndexStatus.CLOSING,
    kind=TickKind.CONTINGENCY,
    opening=Decimal(20750),
    closing=Decimal("20726.10"),
    previous_close=Decimal("20862.67"),
    stale=(5, 388),
    engine="contingency-a",
    site=SiteRole.SECONDARY,
)
EVENT = {"event": "contingency-began", "at": "2010-01-22T10:00:30+08:00", "silent_engines": 3}


FIRST, LAST = (datetime.fromisoformat(day) for day in ("1970-01-03", "2199-01-01"))


def spelt(**changes: object) -> str:
    """The text of a right tick, with some keys changed, or left out where they are ``...``."""
    table = json.loads(format_tick(FULL)) | changes
    return json.dumps({key: value for key, value in table.items() if value is not ...})


def test_the_spelling_is_this_one_and_stays_it() -> None:
    """A golden line: files and streams of this version exist, and must be read for ever."""
    expected = (
        '{"version":1,"index":"0000100","at":"2010-01-22T10:00:15+08:00","value":"20726.10",'
        '"high":"20800.00","low":"20700.01","status":"C","kind":"contingency",'
        '"opening":"20750","closing":"20726.10","previous_close":"20862.67","stale":[5,388],'
        '"engine":"contingency-a","site":"secondary"}'
    )
    assert expected == format_tick(FULL)
    assert FULL == parse_tick(expected) == parse_tick(expected.encode())


def test_every_field_of_a_tick_is_spelt() -> None:
    fields = [field.name for field in attrs.fields(IndexTick)]
    assert ["version", *fields] == list(tick_document(TICK))


figures = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12)).filter(
    lambda figure: abs(figure) < 10**20
)
zones = st.sampled_from((HONG_KONG, UTC, timezone(timedelta(hours=-3, minutes=-30))))
ticks = st.builds(
    IndexTick,
    index=st.text(string.digits, min_size=1),
    at=st.datetimes(FIRST, LAST, timezones=zones),
    value=figures,
    high=st.none() | figures,
    low=st.none() | figures,
    status=st.sampled_from(IndexStatus),
    kind=st.sampled_from(TickKind),
    opening=st.none() | figures,
    closing=st.none() | figures,
    previous_close=st.none() | figures,
    stale=st.lists(st.integers(0, 99_999)).map(tuple),
    engine=st.text(),
    site=st.none() | st.sampled_from(SiteRole),
)


@settings(max_examples=300)
@given(ticks)
def test_a_tick_comes_back_unchanged_to_the_last_digit(tick: IndexTick) -> None:
    text = format_tick(tick)
    assert tick == parse_tick(text) == parse_published(text)
    assert text == format_tick(parse_tick(text))
    assert text.isascii()
    assert text.isprintable()


def test_figures_never_travel_in_powers_of_ten() -> None:
    assert "26000" == tick_document(evolve(TICK, value=Decimal("2.6E+4")))["value"]


@pytest.mark.parametrize(
    ("expected", "tick"),
    [
        ("0000100@2010-01-22T10:00:15+08:00", TICK),
        ("0000100@2010-01-22T10:00:15+08:00", evolve(TICK, at=AT.astimezone(UTC))),
        ("0000100@2010-01-22T10:00:15+08:00", evolve(TICK, value=Decimal(1), engine="b")),
        ("0000100@2010-01-22T10:00:15+08:00/contingency", FULL),
        (
            "0000100@2010-01-22T10:00:15+08:00/recalculated",
            evolve(TICK, kind=TickKind.RECALCULATED),
        ),
    ],
)
def test_a_tick_is_known_by_index_moment_and_kind(expected: str, tick: IndexTick) -> None:
    assert expected == tick_identity(tick)


@pytest.mark.parametrize(
    ("tick", "reason"),
    [
        (evolve(TICK, at=AT.replace(tzinfo=None)), "has no zone"),
        (evolve(TICK, value=Decimal("NaN")), "whose value is NaN"),
        (evolve(TICK, high=Decimal("Infinity")), "whose high is Infinity"),
    ],
)
def test_what_is_no_statement_about_an_index_is_not_spelt(tick: IndexTick, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        format_tick(tick)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": 2}, "version is not 1"),
        ({"version": True}, "version is not 1"),
        ({"version": ...}, "version is not 1"),
        ({"index": ...}, "index is missing"),
        ({"index": 100}, "index is missing or no text"),
        ({"index": " "}, "index is missing or no text"),
        ({"at": "2010-01-22T10:00:15"}, "no date and time with a zone"),
        ({"at": "2010-01-22T10:00:15.1234567+08:00"}, "to microseconds at most"),
        ({"at": "2010-02-30T10:00:15+08:00"}, "that no calendar has"),
        ({"at": "9999-12-31T23:00:00-12:00"}, "that no calendar has"),
        ({"value": ...}, "value is missing"),
        ({"value": None}, "value is missing"),
        ({"value": "1e5"}, "value is no decimal number"),
        ({"value": "NaN"}, "value is no decimal number"),
        ({"value": "\uff12\uff10"}, "value is no decimal number"),
        ({"value": 20726}, "value is no decimal number"),
        ({"value": 20726.1}, "holds the number 20726.1"),
        ({"high": ""}, "high is no decimal number"),
        ({"status": "X"}, "status is none of 'C', 'I'"),
        ({"kind": "guess"}, "kind is none of 'real-time'"),
        ({"stale": [True]}, "stale is no list of security codes"),
        ({"stale": "5"}, "stale is no list of security codes"),
        ({"stale": [-1]}, "stale is no list of security codes"),
        ({"engine": None}, "engine is missing or no text"),
        ({"site": "tertiary"}, "site is none of 'primary', 'secondary'"),
    ],
    ids=str,
)
def test_what_is_no_tick_is_refused_with_its_key(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(WireError, match=reason) as caught:
        parse_tick(spelt(**changes))
    assert f"index tick version {TICK_VERSION}" == caught.value.spec


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("", 0),
        ("[1]", 0),
        ('{"version":1', 12),
        (b'{"version":\xff}', 11),
        ("[" * 100_000, 0),
        ("9" * 10_000, 0),
        (" " * (LONGEST_DOCUMENT_CHARACTERS + 1), 0),
        ('{"version":1,"index":"0000100","at":"now","value":"1"}', 31),
    ],
    ids=lambda value: str(value)[:20],
)
def test_any_other_text_is_a_wire_error_and_says_where(text: str | bytes, offset: int) -> None:
    with pytest.raises(WireError) as caught:
        parse_published(text)
    assert offset == caught.value.offset


@settings(max_examples=300)
@given(st.text() | st.binary())
def test_no_text_at_all_is_anything_but_a_wire_error(text: str | bytes) -> None:
    with pytest.raises(WireError):
        parse_tick(text)


def test_what_may_be_unknown_may_be_left_out_and_what_is_new_is_passed_over() -> None:
    bare = '{"version":1,"index":"0000100","at":"2010-01-22T02:00:15Z","value":"20726.10","new":[]}'
    assert TICK == parse_tick(bare)


def test_an_event_comes_back_as_it_was_given() -> None:
    assert '{"version":1,"event":"contingency-began",' == format_event(EVENT)[:41]
    assert EVENT == parse_published(format_event(EVENT))


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"at": EVENT["at"]}, "has no name"),
        ({"event": "", "at": EVENT["at"]}, "has no name"),
        ({"event": "x"}, "event x has no moment"),
        ({"event": "x", "at": "2010-01-22"}, "event x has no moment"),
    ],
)
def test_an_event_without_name_or_moment_is_not_spelt(
    event: dict[str, object], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        format_event(event)  # type: ignore[arg-type]


def test_a_damaged_event_is_a_wire_error() -> None:
    with pytest.raises(WireError, match="at is missing"):
        parse_published('{"version":1,"event":"contingency-began"}')
