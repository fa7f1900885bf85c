"""The four answers at one instant, put together from the rooms that give them."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from hkex_ops.errors import UsageError
from hkex_ops.model import Bound, Certainty, Retention, Window
from hkex_ops.rollouts import (
    Guard,
    ProofKind,
    agenda,
    audience_named,
    audiences_of,
    directions,
    proofs_of,
    status,
)
from tests.rollouts.papers import CALENDAR, RRS_2023
from tests.rollouts.shipped import SHIPPED, at

THURSDAY = at("2023-04-20T10:00")
KEPT = Retention(
    "audit", "audit trail", "keep it", RRS_2023.phases[1].window, RRS_2023.contacts[0].source
)


def test_each_answer_is_the_one_that_its_room_gives() -> None:
    found = status(SHIPPED.values(), CALENDAR, THURSDAY, audience="CP")
    assert agenda(SHIPPED.values(), CALENDAR, THURSDAY, audience="CP") == found.agenda
    assert Guard(SHIPPED.values()).in_force(THURSDAY, audience="CP") == found.restrictions
    for one in found.directions:
        assert directions(SHIPPED.values(), one.service, THURSDAY, audience="CP") == one


def test_the_nearest_deadline_is_counted_down() -> None:
    found = status([RRS_2023], CALENDAR, THURSDAY)
    assert found.nearest is not None
    assert "2023-04-20" == found.nearest.id.split("/")[-1]
    assert timedelta(hours=14) == found.remaining


def test_with_everything_done_there_is_no_deadline() -> None:
    done = {item.id for item in agenda([RRS_2023], CALENDAR, THURSDAY)}
    found = status([RRS_2023], CALENDAR, THURSDAY, done=done)
    assert ((), None, None) == (found.agenda, found.nearest, found.remaining)


def test_the_daily_duty_tells_how_many_of_its_days_have_begun() -> None:
    for instant, begun in {"2023-04-16": 0, "2023-04-20": 4, "2023-05-02": 10}.items():
        [daily] = proofs_of([RRS_2023], CALENDAR, at(instant))
        assert (ProofKind.DAILY, 10, begun) == (daily.kind, daily.days, daily.days_begun)


def test_what_must_be_kept_is_shown_while_it_is_near() -> None:
    rollout = attrs.evolve(RRS_2023, retentions=(KEPT,), requirements=())
    for instant, near in {
        "2023-01-01": False,
        "2023-04-01": True,
        "2023-07-01": True,
        "2024-01-01": False,
    }.items():
        found = [proof.id for proof in proofs_of([rollout], CALENDAR, at(instant))]
        assert (["rrs-2023/retention/audit"] if near else []) == found, instant


def test_what_must_be_kept_without_a_known_end_stays() -> None:
    endless = attrs.evolve(KEPT, window=Window(KEPT.window.start, Bound(None, Certainty.UNKNOWN)))
    rollout = attrs.evolve(RRS_2023, retentions=(endless,), requirements=())
    assert [endless.rule] == [one.rule for one in proofs_of([rollout], CALENDAR, at("2027-01-01"))]


def test_both_forms_of_2019_must_be_shown() -> None:
    found = proofs_of([SHIPPED["hkats-dcass-2019"]], CALENDAR, at("2019-05-07"))
    forms = [proof for proof in found if proof.kind is ProofKind.FORM]
    assert {"confirmation", "password-reset"} == {proof.id.split("/")[-1] for proof in forms}


def test_an_audience_is_known_by_the_papers_word_in_any_case() -> None:
    assert "CCEP" == audience_named("ccep", SHIPPED.values())
    assert {"CP", "EP", "CCEP"} <= set(audiences_of(SHIPPED.values()))


def test_a_misspelt_audience_is_an_error_and_not_somebody_without_duties() -> None:
    with pytest.raises(UsageError, match=r"no paper names an audience 'CCEPP'; did you mean CCEP"):
        audience_named("CCEPP", SHIPPED.values())
