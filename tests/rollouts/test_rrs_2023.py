"""Circular CD/OEC/HKCC/073/2023, fact by fact, as the paper states them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import cast

import attrs
import pytest

from hkex_ops.config.shipped import load_rollouts, rollout_named
from hkex_ops.errors import UsageError
from hkex_ops.model import (
    HONG_KONG,
    Bound,
    ConnectionUse,
    Effect,
    Grade,
    PhaseKind,
    Recurrence,
    Rollout,
    Session,
    Signatory,
    SiteRole,
    Source,
    StepAction,
    StepMoment,
    Window,
)
from tests.rollouts.papers import CALENDAR, RRS_2023, TEXT, faults_in

REFERENCE = "CD/OEC/HKCC/073/2023"
STATED_DATE = re.compile(r"(\d{4}-\d{2}-\d{2}) \(([A-Z][a-z]+)\)")
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def hkt(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2023, month, day, hour, minute, tzinfo=HONG_KONG)


def session(id: str) -> Session:
    [found] = [one for one in RRS_2023.sessions if one.id == id]
    return found


STABILISATION = Window(Bound(hkt(4, 17)), Bound(hkt(4, 29)))


def test_it_ships_and_is_found_by_name() -> None:
    rollouts = load_rollouts(CALENDAR)
    assert RRS_2023 == rollouts["rrs-2023"] == rollout_named("rrs-2023", rollouts)


def test_an_unknown_rollout_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="rrs-2023"):
        rollout_named("rrs2023", load_rollouts(CALENDAR))


def test_the_letterhead() -> None:
    [circular] = RRS_2023.circulars
    assert (
        "HKFE Clearing Corporation Limited",
        REFERENCE,
        date(2023, 3, 23),
        ("CD/OEC/HKCC/311/22",),
        "DCASS Hotline: 2979 7222 / Email: clearingpsd@hkex.com.hk",
    ) == (
        circular.issuer,
        circular.reference,
        circular.issued,
        circular.refers_to,
        circular.enquiry,
    )
    assert (
        "Software Upgrade on Report Retrieval Solution for Listed Derivatives Markets and Post "
        "Release Connectivity Sessions" == circular.title
    )
    signatory = Signatory(
        "Maggie MK Lai", "Senior Vice President", "Clearing & Depository, Operations Division"
    )
    assert signatory == circular.signatory
    assert circular.language_clause.endswith("the meaning of the English words shall prevail.")


def test_it_is_rolled_out_on_monday_17_april() -> None:
    [launch] = [one for one in RRS_2023.announcements if one.id == "launch"]
    assert date(2023, 4, 17) == launch.on
    assert "will be rolled out on Monday, 17 April 2023" in launch.text
    [day] = [one for one in RRS_2023.phases if one.kind is PhaseKind.LAUNCH_DAY]
    assert Window(Bound(hkt(4, 17)), Bound(hkt(4, 18))) == day.window


def test_it_says_that_the_upgrade_is_transparent() -> None:
    [said] = [one for one in RRS_2023.announcements if one.id == "technically-transparent"]
    assert "technically transparent to Clearing Participants" in said.text


@pytest.mark.parametrize(
    ("id", "name", "site", "start", "until"),
    [
        (
            "session-1",
            "Secondary Data Centre (Session 1)",
            SiteRole.SECONDARY,
            hkt(4, 15, 14, 30),
            hkt(4, 15, 15, 30),
        ),
        (
            "session-2",
            "Primary Data Centre (Session 2)",
            SiteRole.PRIMARY,
            hkt(4, 15, 16, 30),
            hkt(4, 15, 17, 30),
        ),
    ],
)
def test_an_optional_session_is_held_at_its_site(
    id: str, name: str, site: SiteRole, start: datetime, until: datetime
) -> None:
    one = session(id)
    assert (name, site, name.split(" (")[0]) == (one.name, one.site, one.site_label)
    assert Window(Bound(start), Bound(until)) == one.window
    assert (Grade.OPTIONAL, ("CP",), ("RRS",)) == (one.grade, one.audience, one.services)
    assert ("post-release-connectivity-session", True) == (one.kind, one.site_usable)
    assert "connectivity-sessions" == one.registration


def test_there_are_two_sessions_with_an_hour_between_them() -> None:
    first, second = RRS_2023.sessions
    assert first.window.until.at is not None
    assert second.window.start.at == first.window.until.at + timedelta(hours=1)


def steps_of(one: Session) -> list[tuple[StepMoment, int, StepAction, str]]:
    return [(step.moment, step.order, step.action, step.text) for step in one.steps]


def steps_at(side: str, other: str, first: str, second: str) -> list[tuple[object, ...]]:
    return [
        (
            StepMoment.BEFORE,
            1,
            StepAction.CHECK_ADDRESSES,
            f"Before access to HKEX SFTP {side} data center (via HSN or SDNET), CPs should check "
            f"the following IP addresses: {first} port 10022, {second} port 10022",
        ),
        (
            StepMoment.BEFORE,
            2,
            StepAction.CHECK_CONFIGURATION,
            f"Before conducting {side} data center connectivity, CPs should check and ensure the "
            f"SFTP's IP address has been changed from {other} connection to {side} connection, "
            f"i.e. {first} and {second}",
        ),
        (
            StepMoment.DURING,
            1,
            StepAction.LOG_IN,
            "Login to the SFTP by inputting the User ID with SSH Key",
        ),
        (
            StepMoment.DURING,
            2,
            StepAction.COMPARE_LISTING,
            "Check the number of files (e.g. reports) in the folder remains unchanged as last "
            "business date",
        ),
        (
            StepMoment.DURING,
            3,
            StepAction.DOWNLOAD,
            "Download one or two files (e.g. TP001, TP002) from the folder",
        ),
        (
            StepMoment.DURING,
            4,
            StepAction.LOG_OUT,
            "Log out once the above steps have been completed",
        ),
    ]


def test_the_steps_of_session_1_in_the_papers_words_and_order() -> None:
    expected = steps_at("secondary", "primary", "10.152.14.121", "10.152.14.122")
    assert expected == steps_of(session("session-1"))


def test_the_steps_of_session_2_and_what_is_kept_afterwards() -> None:
    expected = steps_at("primary", "secondary", "10.151.14.121", "10.151.14.122")
    kept = (
        StepMoment.AFTER,
        1,
        StepAction.CHECK_CONFIGURATION,
        "After completion of Session 2, CPs should keep the following primary IP addresses for "
        "production use on 17 April 2023 (Monday): 10.151.14.121 port 10022, "
        "10.151.14.122 port 10022",
    )
    assert [*expected, kept] == steps_of(session("session-2"))


def test_the_named_reports_are_downloaded_and_no_other_step_takes_any() -> None:
    taken = [(step.action, step.reports) for one in RRS_2023.sessions for step in one.steps]
    downloads = [reports for action, reports in taken if action is StepAction.DOWNLOAD]
    assert [("TP001", "TP002")] * 2 == downloads
    assert {()} == {reports for action, reports in taken if action is not StepAction.DOWNLOAD}


def test_the_four_addresses_with_port_networks_and_use() -> None:
    session_only = (ConnectionUse.SESSION,)
    both = (ConnectionUse.SESSION, ConnectionUse.PRODUCTION)
    networks = ("HSN", "SDNET")
    assert [
        ("RRS", SiteRole.SECONDARY, "10.152.14.121", 10022, networks, 1, session_only),
        ("RRS", SiteRole.SECONDARY, "10.152.14.122", 10022, networks, 2, session_only),
        ("RRS", SiteRole.PRIMARY, "10.151.14.121", 10022, networks, 1, both),
        ("RRS", SiteRole.PRIMARY, "10.151.14.122", 10022, networks, 2, both),
    ] == [
        (one.service, one.site, one.host, one.port, one.networks, one.order, one.uses)
        for one in RRS_2023.connections
    ]


def test_registration_is_in_client_connect_by_thursday_6_april_6_pm() -> None:
    [registration] = RRS_2023.registrations
    assert Bound(hkt(4, 6, 18)) == registration.due
    assert "event section of Client Connect" == registration.channel
    assert ("CP",) == registration.audience


def test_the_stabilisation_period_ends_with_28_april() -> None:
    [period] = [one for one in RRS_2023.phases if one.kind is PhaseKind.STABILISATION]
    assert ("Stabilization Period", STABILISATION) == (period.name, period.window)


def test_reports_are_downloaded_and_backed_up_on_every_business_day_of_it() -> None:
    [daily] = [one for one in RRS_2023.requirements if one.id == "daily-download-and-back-up"]
    assert (
        Grade.REQUIRED,
        Recurrence.EVERY_BUSINESS_DAY,
        STABILISATION,
        "CPs are required to download and back up their DCASS reports on a daily basis",
    ) == (daily.grade, daily.recurrence, daily.window, daily.rule)


def test_keys_are_not_renewed_in_it() -> None:
    [rule] = RRS_2023.restrictions
    assert (
        "renew-ssh-key",
        Effect.PROHIBITED,
        STABILISATION,
        "CPs should NOT renew their secure shell keys in Report Retrieval Solution",
        Source(REFERENCE, "third paragraph, (ii)"),
    ) == (rule.action, rule.effect, rule.window, rule.rule, rule.source)


def test_planning_with_it_and_vendors_is_highly_recommended() -> None:
    [advice] = [one for one in RRS_2023.requirements if one.grade is Grade.HIGHLY_RECOMMENDED]
    assert "coordinate with their IT teams and/or system vendors" in advice.rule


def test_production_keeps_the_primary_addresses_from_the_end_of_session_2() -> None:
    [kept] = [one for one in RRS_2023.requirements if one.id == "production-addresses"]
    assert Bound(hkt(4, 15, 17, 30)) == kept.window.start
    assert "production use on 17 April 2023 (Monday)" in kept.rule


def test_the_hotline_and_the_mail_address() -> None:
    assert [("hotline", "2979 7222"), ("email", "clearingpsd@hkex.com.hk")] == [
        (contact.kind, contact.value) for contact in RRS_2023.contacts
    ]


@pytest.mark.parametrize(
    ("stated", "weekday"),
    [
        (date(2023, 4, 6), "Thursday"),
        (date(2023, 4, 15), "Saturday"),
        (date(2023, 4, 17), "Monday"),
    ],
    ids=str,
)
def test_every_weekday_that_the_circular_states_is_kept_beside_its_date(
    stated: date, weekday: str
) -> None:
    assert f"{stated:%A}" == weekday
    assert (str(stated), weekday) in set(STATED_DATE.findall(TEXT))


def test_every_date_of_the_file_bears_its_weekday_but_the_letterheads_which_states_none() -> None:
    bare = re.sub(STATED_DATE, "", TEXT)
    assert ["2023-03-23"] == re.findall(r"\d{4}-\d{2}-\d{2}", bare)


def test_no_date_of_the_data_lies_outside_what_the_circular_tells_of() -> None:
    stated = Counter(day for day, _ in STATED_DATE.findall(TEXT))
    assert {"2023-03-23", "2023-04-06", "2023-04-15", "2023-04-17", "2023-04-28"} == set(stated)


@pytest.mark.parametrize("place", range(len(STATED_DATE.findall(TEXT))))
def test_a_weekday_that_does_not_match_is_found_wherever_it_stands(place: int) -> None:
    match = list(STATED_DATE.finditer(TEXT))[place]
    day, weekday = match.groups()
    wrong = WEEKDAYS[(WEEKDAYS.index(weekday) + 1) % 7]
    text = f"{TEXT[: match.start(2)]}{wrong}{TEXT[match.end(2) :]}"
    [(path, message)] = faults_in(text)
    assert f"{day} is a {weekday}, the file says {wrong}" == message
    assert path.endswith((".from", ".to", ".due", ".on"))


def test_every_weekday_that_does_not_match_is_found_at_once() -> None:
    text = STATED_DATE.sub(lambda match: f"{match[1]} (Tuesday)", TEXT)
    found = faults_in(text)
    assert len(STATED_DATE.findall(TEXT)) == len(found) == len({path for path, _ in found})


def facts_in(value: object, path: str) -> Iterator[tuple[str, object]]:
    """``value`` and every value inside it, with its path."""
    if isinstance(value, tuple):
        for index, inner in enumerate(cast("tuple[object, ...]", value)):
            yield from facts_in(inner, f"{path}[{index}]")
        return
    kind = type(value)
    if attrs.has(kind):
        yield path, value
        for field in attrs.fields(kind):
            yield from facts_in(getattr(value, field.name), f"{path}.{field.name}")


def test_every_fact_names_its_circular_and_the_place_in_it() -> None:
    facts = dict(facts_in(RRS_2023, "rollout"))
    sources = {path: getattr(fact, "source", None) for path, fact in facts.items()}
    unsourced = {type(facts[path]) for path, source in sources.items() if source is None}
    assert {Rollout, Signatory, Bound, Window, Source} == unsourced
    stated = [source for source in sources.values() if isinstance(source, Source)]
    assert {REFERENCE} == {source.circular for source in stated}
    assert all(source.place.strip() for source in stated)
    assert len(stated) >= 30
