"""What goes into a document, a ledger row or an evidence record is plain, and holds no float."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from attrs import frozen

from hkex_ops.model import (
    HONG_KONG,
    Bound,
    Certainty,
    Endpoint,
    Json,
    ListedReport,
    ReportKind,
    SiteRole,
    Source,
    Window,
    plain,
)

START = datetime(2023, 4, 17, tzinfo=HONG_KONG)


@frozen
class Stretch:
    from_: int
    to: int


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        (None, None),
        (True, True),
        (7, 7),
        ("七", "七"),
        ("20726.1900", Decimal("20726.1900")),
        ("2023-04-17", date(2023, 4, 17)),
        ("2023-04-17T00:00:00+08:00", START),
        ("2023-04-16T16:00:00+00:00", START.astimezone(UTC)),
        ("secondary", SiteRole.SECONDARY),
        ([1, [2]], (1, [2])),
        ({"a": ["primary"]}, {"a": (SiteRole.PRIMARY,)}),
        ({"1": 2}, {1: 2}),
        ({"from": 1, "to": 2}, Stretch(1, 2)),
        ({"circular": "c", "place": "p"}, Source("c", "p")),
        (
            {"name": "n", "size_bytes": 3, "modified": None, "kind": "link"},
            ListedReport("n", 3, kind=ReportKind.LINK),
        ),
        ({"host": "h", "port": 1, "host_key": None}, Endpoint("h", 1)),
        (
            {"at": None, "certainty": "unknown", "stated": "in due course"},
            Bound(None, Certainty.UNKNOWN, "in due course"),
        ),
        (
            {"at": "2023-04-17T00:00:00+08:00", "certainty": "exact", "stated": None},
            Bound(START),
        ),
        (
            {
                "from": "2023-04-17T00:00:00+08:00",
                "from_certainty": "approximate",
                "from_stated": None,
                "until": None,
                "until_certainty": "open",
                "until_stated": "open",
                "business_date": "2023-04-17",
            },
            Window(
                Bound(START, Certainty.APPROXIMATE),
                Bound(None, Certainty.OPEN, "open"),
                date(2023, 4, 17),
            ),
        ),
    ],
)
def test_a_value_has_one_plain_form(expected: Json, value: object) -> None:
    assert expected == plain(value)
    assert expected == json.loads(json.dumps(plain(value)))


def test_an_enumeration_leaves_no_trace_of_itself() -> None:
    assert str is type(plain(SiteRole.PRIMARY))


@pytest.mark.parametrize("value", [1.5, b"x", {1, 2}, object(), [1.5], {"a": b""}])
def test_what_has_no_plain_form_is_refused_however_deep(value: object) -> None:
    with pytest.raises(TypeError, match="has no plain form"):
        plain(value)
