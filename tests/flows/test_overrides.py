"""Overrides in the journal: kept, read back, and asked for before an act."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import attrs
import pytest

from hkex_ops.clock import ManualClock
from hkex_ops.errors import Denied, UsageError
from hkex_ops.flows.journal import Journal, read_journal
from hkex_ops.flows.overrides import guard_of, overrides_of, record_override, recorded_at, require
from hkex_ops.model import Rollout
from hkex_ops.rollouts import Override
from hkex_ops.rundown import Grant, Withdraw
from tests.rollouts.papers import RRS_2023
from tests.rollouts.shipped import at

RENEW = "renew-ssh-key"
NINE, NOON = at("2023-04-20T09:00"), at("2023-04-20T12:00")
AGREED = Grant(Override(RENEW, "鑰匙遺失", "clearing desk", "head of operations", NOON), NINE)
SECOND = attrs.evolve(
    RRS_2023,
    id="second-paper",
    restrictions=tuple(attrs.evolve(one, id="other") for one in RRS_2023.restrictions),
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NINE + timedelta(minutes=5))


def grant(work: Path, clock: ManualClock, rollout: Rollout = RRS_2023) -> None:
    with Journal.open(work, rollout.id, clock=clock) as journal:
        record_override(journal, rollout, AGREED, clock.now())


def kinds(work: Path, rollout: str = "rrs-2023") -> list[str]:
    return [entry.kind for entry in read_journal(work, rollout)]


def test_it_is_read_back_as_it_was_agreed(tmp_path: Path, clock: ManualClock) -> None:
    with Journal.open(tmp_path, "rrs-2023", clock=clock) as journal:
        told = record_override(journal, RRS_2023, AGREED, clock.now())
        record_override(journal, RRS_2023, Withdraw(1, "desk", "safe", clock.now()), clock.now())
    entries = read_journal(tmp_path, "rrs-2023")
    [standing] = overrides_of(RRS_2023, entries).standing
    assert told == standing.granted
    assert standing.withdrawn is not None
    assert {1: "2023-04-20T09:05:00+08:00"} == recorded_at(entries)


def test_what_is_refused_is_not_kept(tmp_path: Path, clock: ManualClock) -> None:
    with Journal.open(tmp_path, "rrs-2023", clock=clock) as journal:
        with pytest.raises(UsageError, match="ahead of time"):
            record_override(journal, RRS_2023, AGREED, NINE - timedelta(minutes=1))
        assert () == journal.entries()


def test_a_guard_of_the_journals_knows_it(tmp_path: Path, clock: ManualClock) -> None:
    assert not guard_of([RRS_2023], tmp_path).may(RENEW, NINE).overridden
    grant(tmp_path, clock)
    assert guard_of([RRS_2023], tmp_path).may(RENEW, NINE).overridden


def test_an_act_that_is_let_through_leaves_a_record_before_it_is_done(
    tmp_path: Path, clock: ManualClock
) -> None:
    grant(tmp_path, clock)
    ruling = require(RENEW, [RRS_2023], tmp_path, clock)
    assert ruling.overridden
    entry = read_journal(tmp_path, "rrs-2023")[-1]
    assert ("rule-overridden", RENEW) == (entry.kind, entry.body["action"])
    override, rules = entry.body["override"], entry.body["rules"]
    assert isinstance(override, dict)
    assert isinstance(rules, list)
    assert ("鑰匙遺失", "clearing desk", "head of operations") == (
        override["reason"],
        override["by"],
        override["second"],
    )
    assert ["no-key-renewal"] == [one["id"] for one in rules if isinstance(one, dict)]


def test_each_paper_keeps_the_record_of_its_own_rule(tmp_path: Path, clock: ManualClock) -> None:
    papers = [RRS_2023, SECOND]
    grant(tmp_path, clock)
    with pytest.raises(Denied):
        require(RENEW, papers, tmp_path, clock)
    assert ["override-granted"] == kinds(tmp_path)
    grant(tmp_path, clock, SECOND)
    require(RENEW, papers, tmp_path, clock)
    for paper in papers:
        assert ["override-granted", "rule-overridden"] == kinds(tmp_path, paper.id)


def test_without_one_the_act_is_refused_and_nothing_is_kept(
    tmp_path: Path, clock: ManualClock
) -> None:
    with pytest.raises(Denied, match="CPs should NOT renew"):
        require(RENEW, [RRS_2023], tmp_path, clock)
    assert [] == list(tmp_path.iterdir())


def test_what_no_rule_forbids_leaves_no_record(tmp_path: Path, clock: ManualClock) -> None:
    assert () == require("change-password", [RRS_2023], tmp_path, clock).events
    assert () == require(RENEW, [RRS_2023], tmp_path, clock, service="OTP-C").events
    assert [] == list(tmp_path.iterdir())


def test_entries_that_tell_of_something_else_or_are_spelt_otherwise_are_passed_over(
    tmp_path: Path, clock: ManualClock
) -> None:
    with Journal.open(tmp_path, "rrs-2023", clock=clock) as journal:
        journal.record("override-granted", {"number": 1})
        journal.record("override-withdrawn", {"number": 1})
        journal.record("file-kept", {"number": 1})
        assert () == overrides_of(RRS_2023, journal.entries()).standing
