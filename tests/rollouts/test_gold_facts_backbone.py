"""What the two papers on the backbone network say: PS2 of November 2023 and the PRTs of 2024."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from hkex_ops.config.shipped import load_calendar, load_rollouts
from hkex_ops.model import HONG_KONG, Certainty, Grade, Holding, Session, SiteRole
from hkex_ops.rollouts import Decision, Guard

ROLLOUTS = load_rollouts(load_calendar())
PS2 = ROLLOUTS["backbone-ps2-2023"]
PRT = ROLLOUTS["backbone-prt-2024"]
FOUR_SYSTEMS = ("OTP-C", "OTP-CSC", "OMD-C", "OMD-CC")


def november_25(hour: int, minute: int = 0) -> datetime:
    return datetime(2023, 11, 25, hour, minute, tzinfo=HONG_KONG)


def part(id: str) -> Session:
    [found] = [one for one in PS2.sessions if one.id == id]
    return found


# -- PS2 ------------------------------------------------------------------------------------------


def test_ps2_has_no_reference_and_no_date_of_its_own() -> None:
    [circular] = PS2.circulars
    assert (None, None) == (circular.reference, circular.issued)
    assert ("CT/154/23",) == circular.refers_to
    assert {circular.title} == {one.source.circular for one in PS2.sessions}


def test_ps2_is_optional_for_both_kinds_of_participants_and_all_four_systems() -> None:
    for session in PS2.sessions:
        assert Grade.OPTIONAL is session.grade
        assert ("EP", "CCEP") == session.audience
        assert FOUR_SYSTEMS == session.services
    assert FOUR_SYSTEMS == PS2.services


@pytest.mark.parametrize(
    ("id", "window", "site", "label", "usable"),
    [
        ("ps2-primary", ((8, 0), (10, 0)), SiteRole.PRIMARY, "Primary Site", True),
        ("ps2-failover", ((10, 0), (11, 0)), None, "", False),
        ("ps2-backup", ((11, 0), (12, 10)), SiteRole.SECONDARY, "Backup Site", True),
    ],
)
def test_ps2_is_one_session_in_three_parts(
    id: str,
    window: tuple[tuple[int, int], tuple[int, int]],
    site: SiteRole | None,
    label: str,
    usable: bool,
) -> None:
    found = part(id)
    start, until = window
    assert november_25(*start) == found.window.start.at
    assert november_25(*until) == found.window.until.at
    assert (site, label, usable) == (found.site, found.site_label, found.site_usable)
    assert "ps2" == found.part_of


def test_the_parts_fill_the_whole() -> None:
    whole = part("ps2")
    assert (november_25(8), november_25(12, 10)) == (whole.window.start.at, whole.window.until.at)
    assert whole.window.start == part("ps2-primary").window.start
    assert whole.window.until == part("ps2-backup").window.until


def test_the_failover_ends_and_the_last_part_begins_at_one_approximate_instant() -> None:
    shared = part("ps2-failover").window.until
    assert shared == part("ps2-backup").window.start
    assert Certainty.APPROXIMATE is shared.certainty
    assert Holding.AFTER is part("ps2-failover").window.holds(november_25(11))
    assert Holding.WITHIN is part("ps2-backup").window.holds(november_25(11))


@pytest.mark.parametrize("id", ["ps2-primary", "ps2-backup"])
def test_eps_work_as_on_an_ordinary_day_and_cceps_log_in_only(id: str) -> None:
    steps = part(id).steps
    assert ["log-in", "manual"] == [one.action.value for one in steps if one.audience == ("EP",)]
    [limited] = [one for one in steps if one.audience == ("CCEP",)]
    assert ("Limit to login to OTP-CSC only", "OTP-CSC") == (limited.text, limited.service)


@pytest.mark.parametrize("instant", [november_25(8), november_25(9, 59), november_25(12)])
def test_the_limit_of_cceps_is_none_of_eps(instant: datetime) -> None:
    guard = Guard([PS2])
    action = "simulate-daily-operations"
    assert Decision.LIMITED is guard.may(action, instant, audience="CCEP").decision
    assert Decision.ALLOW is guard.may(action, instant, audience="EP").decision


def test_ps2_is_registered_for_by_the_end_of_wednesday() -> None:
    [registration] = PS2.registrations
    assert datetime(2023, 11, 23, tzinfo=HONG_KONG) == registration.due.at
    assert {"ps2"} == {session.registration for session in PS2.sessions}


def test_post_release_tests_are_promised_without_a_date() -> None:
    [promise] = [one for one in PS2.announcements if one.id == "post-release-tests"]
    assert promise.promise
    assert promise.on is None


def test_no_paper_on_the_backbone_states_an_address() -> None:
    assert () == PS2.connections + PRT.connections


# -- PRT ------------------------------------------------------------------------------------------


def test_the_notice_names_itself_and_the_papers_around_it() -> None:
    [circular] = PRT.circulars
    assert ("MDD/23/1678_C", date(2023, 12, 20)) == (circular.reference, circular.issued)
    assert ("MDD/23/667_C", "MDD/23/690_C", "OPS/CS/012/23") == circular.refers_to
    assert any("8 November 2023" in one and "15 November 2023" in one for one in circular.notes)
    [enclosure] = circular.enclosures
    assert enclosure.startswith("OPS/CS/012/23")
    assert ("Indirect Connection Securities Market Data Vendors and End Users",) == (
        circular.copied_to
    )


@pytest.mark.parametrize(
    ("id", "day", "focus"),
    [
        ("prt1", 6, "Primary network components at the Primary Site will be upgraded"),
        (
            "prt2",
            13,
            "Primary and Secondary network components at the Primary Site will be upgraded",
        ),
        (
            "prt3",
            20,
            "All network components in both Primary Site and Secondary Site will be upgraded",
        ),
    ],
)
def test_a_test_is_optional_on_a_saturday_morning(id: str, day: int, focus: str) -> None:
    [session] = [one for one in PRT.sessions if one.id == id]
    assert datetime(2024, 1, day, 9, 0, tzinfo=HONG_KONG) == session.window.start.at
    assert datetime(2024, 1, day, 12, 10, tzinfo=HONG_KONG) == session.window.until.at
    assert (Grade.OPTIONAL, focus) == (session.grade, session.testing_focus)
    assert ("OMD-C", "OMD-CC") == session.services
    assert session.site is None


def test_the_tests_are_enrolled_for_by_the_end_of_friday() -> None:
    [registration] = PRT.registrations
    assert datetime(2023, 12, 30, tzinfo=HONG_KONG) == registration.due.at
    assert "Online Registration Form" == registration.channel
    assert {"prts"} == {session.registration for session in PRT.sessions}


def test_three_production_phases_have_unknown_dates() -> None:
    bounds = [(one.window.start, one.window.until) for one in PRT.phases]
    assert 3 == len(bounds)
    for start, until in bounds:
        assert (Certainty.UNKNOWN, Certainty.UNKNOWN) == (start.certainty, until.certainty)


def test_mmdh_is_exempt_in_the_papers_words() -> None:
    [exempt] = [system for system in PRT.systems if system.exempt]
    assert "MMDH" == exempt.name
    assert "not in the scope for this upgrade" in exempt.why
    assert all("MMDH" in session.condition for session in PRT.sessions)


def test_heading_and_body_contradict_each_other() -> None:
    [circular] = PRT.circulars
    assert circular.title.startswith("Second Practice Session")
    assert any("heading" in hazard and "Post Release Tests" in hazard for hazard in PRT.hazards)


def test_vendors_are_answered_by_phone_and_mail() -> None:
    assert ["(852) 2211 6558", "IVSupport@hkex.com.hk"] == [one.value for one in PRT.contacts]
