"""Notifications and receipts: what they refuse to be, and what comes back of their plain form."""

from __future__ import annotations

import json
from datetime import date, datetime

import pytest
from attrs import evolve

from hkex_ops.model import (
    HONG_KONG,
    Audience,
    Language,
    Notification,
    Occurrence,
    Outcome,
    Receipt,
    Severity,
    SiteRole,
    plain,
)
from hkex_ops.notifications import read_notification, read_occurrence

AT = datetime(2026, 2, 2, 10, 5, tzinfo=HONG_KONG)
NAIVE = datetime(2026, 2, 2, 10, 5)  # noqa: DTZ001 - the fault itself
TOLD = Notification(
    "k",
    Audience.REGULATOR,
    Severity.CRITICAL,
    "index/mode-changed",
    "指數發布模式",
    "Body\nof two lines",
    AT,
    Language.CHINESE,
    "index/mode-changed zh-Hant version 1",
    date(2026, 2, 2),
    SiteRole.SECONDARY,
    "2026-02-02-1",
)
HAPPENED = Occurrence(
    "reports/missing", "k", AT, Severity.MAJOR, {"missing": "TP002"}, "b", date(2026, 2, 2)
)


def test_what_hangs_on_it_has_an_order() -> None:
    assert [0, 1, 2, 3] == [one.rank for one in Severity]
    assert Severity.CRITICAL.rank > Severity.INFORMATION.rank


@pytest.mark.parametrize("wrong", [{"key": " "}, {"key": "a\nb"}, {"subject": ""}, {"at": NAIVE}])
def test_a_notification_has_a_key_a_subject_and_a_zone(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"printable line|has no zone"):
        evolve(TOLD, **wrong)


@pytest.mark.parametrize("wrong", [{"key": ""}, {"at": NAIVE}])
def test_an_occurrence_has_a_key_and_a_zone(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"printable line|has no zone"):
        evolve(HAPPENED, **wrong)


@pytest.mark.parametrize("wrong", [{"receiver": " "}, {"at": NAIVE}])
def test_a_receipt_names_its_receiver_and_has_a_zone(wrong: dict[str, object]) -> None:
    receipt = Receipt("mail", "desk", AT, Outcome.TAKEN)
    with pytest.raises(ValueError, match=r"names its receiver|has no zone"):
        evolve(receipt, **wrong)


def test_what_is_spelt_as_json_is_read_again() -> None:
    assert TOLD == read_notification(json.loads(json.dumps(plain(TOLD))))
    assert HAPPENED == read_occurrence(json.loads(json.dumps(plain(HAPPENED))))
