"""What the package of April 2019 says, fact by fact, as a careful reader notes it down."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import groupby

import pytest

from hkex_ops.config.shipped import load_calendar, load_rollouts
from hkex_ops.model import (
    HONG_KONG,
    Certainty,
    ConnectionUse,
    Effect,
    FieldKind,
    Form,
    Grade,
    Holding,
    PhaseKind,
    Recurrence,
    Requirement,
    Restriction,
    SiteRole,
    StepMoment,
    Window,
)
from hkex_ops.rollouts import Decision, Guard, business_days_of

CALENDAR = load_calendar()
PAPER = load_rollouts(CALENDAR)["hkats-dcass-2019"]
GUARD = Guard([PAPER])
MOMENT = timedelta(microseconds=1)


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2019, 5, day, hour, minute, tzinfo=HONG_KONG)


CLOSE_OF_BUSINESS_3_MAY = at(4, 1, 45)
START_OF_T_6_MAY = at(6, 8, 45)
CLOSE_OF_T1_17_MAY = at(18, 1, 45)
SESSION = (at(5, 9), at(5, 12))
STABILISATION = (START_OF_T_6_MAY, CLOSE_OF_T1_17_MAY)
UNTIL_THE_END = (CLOSE_OF_BUSINESS_3_MAY, CLOSE_OF_T1_17_MAY)


def ends(window: Window) -> tuple[datetime | None, datetime | None]:
    return window.start.at, window.until.at


def restriction(id: str) -> Restriction:
    [found] = [one for one in PAPER.restrictions if one.id == id]
    return found


def requirement(id: str) -> Requirement:
    [found] = [one for one in PAPER.requirements if one.id == id]
    return found


def form(id: str) -> Form:
    [found] = [one for one in PAPER.forms if one.id == id]
    return found


# -- the paper itself -----------------------------------------------------------------------------


def test_the_paper_bears_a_month_and_neither_reference_nor_day() -> None:
    [circular] = PAPER.circulars
    assert (None, None, "April 2019") == (
        circular.reference,
        circular.issued,
        circular.issued_stated,
    )
    assert ("CD/CDCO/DCASS/016/2019",) == circular.refers_to
    assert any("1 February 2019" in note for note in circular.notes)
    assert 5 == len(circular.attachments)


def test_every_system_of_the_paper_has_its_place() -> None:
    assert [
        "HKATS",
        "DCASS",
        "Genium INET Platform",
        "DCASS Online",
        "DCASS Online workstation",
        "DCASS OAPI Central Gateways",
        "DCASS OAPI programs",
        "DCASS servers",
        "DCASS terminals",
        "Network Gateway",
        "BOS",
        "RRS",
    ] == [system.name for system in PAPER.systems]


def test_the_dcass_servers_run_two_windows_services() -> None:
    [servers] = [system for system in PAPER.systems if system.name == "DCASS servers"]
    assert ("CW1 WatchDog", "CW1 Server 1") == servers.components


# -- periods on business events -------------------------------------------------------------------


def test_close_of_business_on_friday_is_the_clearing_close_on_saturday() -> None:
    assert CLOSE_OF_BUSINESS_3_MAY == CALENDAR.close_of_t1(date(2019, 5, 3))


@pytest.mark.parametrize(
    ("expected", "id"),
    [
        ((None, CLOSE_OF_BUSINESS_3_MAY), "preparation"),
        ((CLOSE_OF_BUSINESS_3_MAY, at(5, 9)), "cutover"),
        (SESSION, "verification"),
        ((at(6), at(7)), "launch-day"),
        (STABILISATION, "stabilisation"),
    ],
)
def test_phases_begin_and_end_with_business_events(
    expected: tuple[datetime | None, datetime], id: str
) -> None:
    [phase] = [one for one in PAPER.phases if one.id == id]
    assert expected == ends(phase.window)


def test_the_stabilisation_period_keeps_the_papers_words() -> None:
    [phase] = [one for one in PAPER.phases if one.kind is PhaseKind.STABILISATION]
    assert "start of T session 2019-05-06 (Monday)" == phase.window.start.stated
    assert "close of T+1 session 2019-05-17 (Friday)" == phase.window.until.stated


def test_two_weeks_of_stabilisation_are_nine_business_dates() -> None:
    days = business_days_of(requirement("retrieve-reports-daily"), CALENDAR)
    assert [6, 7, 8, 9, 10, 14, 15, 16, 17] == [day.day for day in days]


# -- the session ----------------------------------------------------------------------------------


def test_the_session_is_mandatory_and_at_the_primary_data_centre() -> None:
    [session] = PAPER.sessions
    assert SESSION == ends(session.window)
    assert (Grade.MANDATORY, SiteRole.PRIMARY) == (session.grade, session.site)
    assert "Primary Data Centre" == session.site_label
    assert ("DCASS-Online", "DCASS-OAPI") == session.services
    assert ("CP",) == session.audience
    assert "DCASS Connectivity and data verification" == session.testing_focus


def test_one_logs_out_after_the_session_and_then_confirms() -> None:
    [session] = PAPER.sessions
    after = [step.text for step in session.steps if step.moment is StepMoment.AFTER]
    assert ["Logout from DCASS", "Logout from DCASS"] == after[:2]
    assert after[2].startswith("Complete and submit the duly signed")


def test_data_is_verified_after_the_logon() -> None:
    [session] = PAPER.sessions
    during = [step.action.value for step in session.steps if step.moment is StepMoment.DURING]
    assert ["check-connection", "log-in", "log-in", "manual", "manual"] == during


# -- connections ----------------------------------------------------------------------------------


def test_dcass_online_has_four_gateways_on_one_port() -> None:
    found = [one for one in PAPER.connections if one.service == "DCASS-Online"]
    assert [
        ("10.151.14.155", "https://pgencdw001.hkex.com.hk:8082/login"),
        ("10.151.14.156", "https://pgencdw002.hkex.com.hk:8082/login"),
        ("10.151.14.101", "https://pgenrgw001.hkex.com.hk:8082/login"),
        ("10.151.14.102", "https://pgenrgw002.hkex.com.hk:8082/login"),
    ] == [(one.host, one.url) for one in found]
    assert {8082} == {one.port for one in found}
    assert [f"https://{one.host_name}:{one.port}/login" for one in found] == [
        one.url for one in found
    ]


def test_the_workstations_host_table_is_a_prerequisite() -> None:
    lines = [one.value for one in PAPER.prerequisites if one.id.startswith("host-table")]
    assert [
        "10.151.14.155 pgencdw001.hkex.com.hk",
        "10.151.14.156 pgencdw002.hkex.com.hk",
        "10.151.14.101 pgenrgw001.hkex.com.hk",
        "10.151.14.102 pgenrgw002.hkex.com.hk",
    ] == lines


def test_oapi_programs_have_two_addresses_and_no_stated_port() -> None:
    found = [one for one in PAPER.connections if one.service == "DCASS-OAPI"]
    assert [("10.151.5.81", None), ("10.151.5.82", None)] == [(one.host, one.port) for one in found]


def test_every_connection_is_at_the_primary_site_and_stays_for_production() -> None:
    assert {SiteRole.PRIMARY} == {one.site for one in PAPER.connections}
    assert all(ConnectionUse.PRODUCTION in one.uses for one in PAPER.connections)


def test_the_browser_has_a_version() -> None:
    [browser] = [one for one in PAPER.prerequisites if one.id == "browser"]
    assert "Chrome version 68.0.3440.106" == browser.value
    assert browser.due is not None
    assert at(5, 9) == browser.due.at


# -- restrictions: begin and end to the moment ----------------------------------------------------


@pytest.mark.parametrize(
    ("action", "first", "last", "expected"),
    [
        ("dispose-previous-platform", *UNTIL_THE_END, Decision.DENY),
        ("decommission-network-gateway", *UNTIL_THE_END, Decision.DENY),
        ("power-off-network-gateway", *UNTIL_THE_END, Decision.DENY),
        ("enable-dcass-service", *UNTIL_THE_END, Decision.DENY),
        ("change-user-profile", *STABILISATION, Decision.DENY),
        ("change-password", at(5, 12), CLOSE_OF_T1_17_MAY, Decision.DENY),
        ("post-trade-activity", *SESSION, Decision.DENY),
        ("use-secondary-site", *SESSION, Decision.DENY),
        ("simulate-daily-operations", *SESSION, Decision.LIMITED),
    ],
)
def test_a_rule_holds_from_its_first_moment_until_its_last(
    action: str, first: datetime, last: datetime, expected: Decision
) -> None:
    def decided(instant: datetime) -> Decision:
        return GUARD.may(action, instant).decision

    assert expected is decided(first)
    assert expected is decided(first + (last - first) / 2)
    assert expected is decided(last - MOMENT)
    assert expected is not decided(first - MOMENT)
    assert Decision.ALLOW is decided(last)


def test_before_the_session_ends_a_password_may_only_be_reset() -> None:
    ruling = GUARD.may("change-password", at(5, 10))
    assert Decision.LIMITED is ruling.decision
    [rule] = ruling.rules
    assert "Appendix B" in rule.limit


def test_on_the_launch_day_two_rules_keep_the_passwords() -> None:
    rules = GUARD.may("change-password", at(6, 9)).rules
    assert ["passwords-as-verified", "passwords-unchanged"] == [rule.id for rule in rules]


@pytest.mark.parametrize("id", ["passwords-unchanged", "user-profiles-unchanged"])
def test_unchanged_is_asked_by_item_19(id: str) -> None:
    rule = restriction(id)
    assert "UNCHANGED during the Stabilisation Period" in rule.rule
    assert "Appendix A, item 19; 2.2; 2.9 d" == rule.source.place
    assert STABILISATION == ends(rule.window)


def test_the_windows_services_stay_disabled_without_a_gap() -> None:
    cutover = restriction("services-disabled-in-cutover")
    stabilisation = restriction("services-disabled-in-stabilisation")
    assert cutover.window.until.at == stabilisation.window.start.at


def test_from_6_may_reports_come_by_rrs_alone_and_no_end_is_stated() -> None:
    rule = restriction("reports-only-via-rrs")
    assert (Effect.ONLY_VIA, "RRS") == (rule.effect, rule.limit)
    assert (at(6), None) == ends(rule.window)
    assert Certainty.OPEN is rule.window.until.certainty
    assert Holding.BEFORE is rule.window.holds(at(6) - MOMENT)
    assert Holding.WITHIN is rule.window.holds(at(6))


@pytest.mark.parametrize("id", ["no-post-trade-activities", "enquiry-only", "no-secondary-site"])
def test_what_holds_in_the_session_only_says_so(id: str) -> None:
    assert "post-release-verification" == restriction(id).session


# -- requirements and retention -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("id", "grade", "recurrence", "window"),
    [
        ("pass-on-package", "highly-recommended", "once", (None, CLOSE_OF_BUSINESS_3_MAY)),
        ("back-up-existing-reports", "required", "once", (None, at(6))),
        ("fallback-procedures", "required", "once", (None, at(6))),
        ("set-up-workstation", "required", "once", (CLOSE_OF_BUSINESS_3_MAY, at(5, 9))),
        ("upgrade-own-systems", "required", "once", (CLOSE_OF_BUSINESS_3_MAY, at(5, 9))),
        ("back-up-bos", "required", "once", (CLOSE_OF_BUSINESS_3_MAY, at(5, 9))),
        ("disable-windows-services", "required", "once", (CLOSE_OF_BUSINESS_3_MAY, at(5))),
        ("operational-staff", "required", "throughout", SESSION),
        ("contact-persons-reachable", "required", "throughout", SESSION),
        ("log-on-early", "highly-recommended", "once", (at(6), START_OF_T_6_MAY)),
        ("same-passwords", "required", "throughout", (at(6), at(7))),
        ("certified-oapi-programs", "required", "once", (at(6), at(7))),
        ("retrieve-reports-daily", "required", "every-business-day", STABILISATION),
        ("windows-services-disabled", "mandatory", "throughout", STABILISATION),
        ("standby-for-re-input", "required", "throughout", STABILISATION),
        ("bos-procedures", "required", "throughout", UNTIL_THE_END),
        ("adequate-support", "required", "throughout", UNTIL_THE_END),
        ("network-gateways-powered-on", "mandatory", "throughout", UNTIL_THE_END),
        ("terminal-shortcuts", "required", "throughout", UNTIL_THE_END),
        ("genium-oapi-programs", "required", "throughout", UNTIL_THE_END),
    ],
)
def test_a_requirement_has_its_strength_its_rhythm_and_its_time(
    id: str, grade: str, recurrence: str, window: tuple[datetime | None, datetime]
) -> None:
    demand = requirement(id)
    assert (Grade(grade), Recurrence(recurrence)) == (demand.grade, demand.recurrence)
    assert window == ends(demand.window)


def test_disabling_the_windows_services_is_a_procedure_of_appendix_d() -> None:
    steps = requirement("disable-windows-services").steps
    assert [1, 2, 3, 4, 5, 6] == [step.order for step in steps]
    assert all(step.source.place.startswith("Appendix D") for step in steps)
    assert "services.msc" in steps[0].text


@pytest.mark.parametrize(
    ("id", "window"),
    [
        ("password-records", (None, CLOSE_OF_T1_17_MAY)),
        ("bos-backup-image", UNTIL_THE_END),
        ("records-before-upgrading", (CLOSE_OF_BUSINESS_3_MAY, None)),
        ("audit-trail", STABILISATION),
        ("clearing-information", STABILISATION),
    ],
)
def test_what_must_be_kept_and_how_long(
    id: str, window: tuple[datetime | None, datetime | None]
) -> None:
    [kept] = [one for one in PAPER.retentions if one.id == id]
    assert window == ends(kept.window)


# -- when something goes wrong --------------------------------------------------------------------


def test_what_happens_before_seven_is_told_by_mail_or_phone() -> None:
    [rule] = PAPER.contingencies
    assert rule.before is not None
    assert at(5, 7) == rule.before.at
    assert ("e-mail", "phone") == rule.channels


def test_the_fallback_is_a_last_resort_of_the_stabilisation_period() -> None:
    plan = PAPER.fallback
    assert plan is not None
    assert "as a last resort" in plan.trigger
    assert plan.trigger_window is not None
    assert STABILISATION == ends(plan.trigger_window)
    assert UNTIL_THE_END == ends(plan.window)
    assert "passwords as of day end of 3 May 2019 (Friday)" in plan.credentials
    assert "re-input of any clearing transactions" in plan.reentry


def test_what_must_stand_for_the_fallback() -> None:
    plan = PAPER.fallback
    assert plan is not None
    assert [
        ("network-gateways", "2.9 a"),
        ("terminal-shortcuts", "2.9 b"),
        ("oapi-programs", "2.9 c"),
        ("passwords", "2.9 d"),
        ("bos-procedures", "2.9 e, first paragraph"),
        ("bos-backup-image", "2.9 e, second paragraph"),
        ("previous-platform", "1, fourth paragraph"),
    ] == [(one.id, one.source.place) for one in plan.standing]
    assert "POWERED ON" in plan.standing[0].rule


# -- forms ----------------------------------------------------------------------------------------


def test_the_password_form_is_valid_in_the_session_alone_and_has_no_deadline() -> None:
    found = form("password-reset")
    assert found.valid is not None
    assert SESSION == ends(found.valid)
    assert found.due is None
    assert ("Appendix B", Grade.OPTIONAL) == (found.appendix, found.grade)
    assert ("clearingpsd@hkex.com.hk", "2211-6932") == (found.address, found.fax)


def test_the_confirmation_is_due_half_an_hour_after_the_session() -> None:
    found = form("confirmation")
    assert found.due is not None
    assert at(5, 12, 30) == found.due.at
    assert found.valid is None
    assert ("Appendix E", Grade.REQUIRED) == (found.appendix, found.grade)


COMMON_FIELDS = [
    "participant-full-name",
    "participantship",
    "dcass-customer-code",
    "primary-contact-person",
    "primary-contact-phone",
    "primary-contact-email",
    "alternate-contact-person",
    "alternate-contact-phone",
    "alternate-contact-email",
]


@pytest.mark.parametrize(
    ("id", "own"),
    [
        (
            "password-reset",
            [
                "dcass-online-users",
                "dcass-oapi-users",
                "dcass-administration-users",
                "authorized-signatures",
                "names-of-signatories",
            ],
        ),
        ("confirmation", ["authorized-signatures", "names-of-signatories", "date"]),
    ],
)
def test_a_form_has_its_fields(id: str, own: list[str]) -> None:
    assert COMMON_FIELDS + own == [field.id for field in form(id).fields]


def test_the_password_form_takes_two_six_and_two_users() -> None:
    users = [one for one in form("password-reset").fields if one.kind is FieldKind.USER_IDS]
    assert [2, 6, 2] == [one.at_most for one in users]


def test_the_alternate_contact_is_only_if_applicable() -> None:
    for found in PAPER.forms:
        optional = {one.id for one in found.fields if not one.required}
        assert set(COMMON_FIELDS[-3:]) == optional & set(COMMON_FIELDS)


def test_the_declaration_ends_where_the_copy_ends() -> None:
    assert form("confirmation").declaration.endswith("covering DCASS co…")


# -- the checklist --------------------------------------------------------------------------------


def test_twenty_two_items_stand_in_five_groups() -> None:
    assert list(range(1, 23)) == [item.number for item in PAPER.checklist]
    grouped = {
        letter: [item.number for item in items]
        for letter, items in groupby(PAPER.checklist, lambda item: item.group)
    }
    assert {
        "A": list(range(1, 10)),
        "B": [10, 11],
        "C": [12, 13, 14],
        "D": [15, 16, 17],
        "E": list(range(18, 23)),
    } == grouped


@pytest.mark.parametrize(
    ("letter", "window"),
    [
        ("A", (None, CLOSE_OF_BUSINESS_3_MAY)),
        ("B", UNTIL_THE_END),
        ("C", (CLOSE_OF_BUSINESS_3_MAY, at(5))),
        ("D", SESSION),
        ("E", STABILISATION),
    ],
)
def test_a_group_is_to_be_answered_in_its_phase(
    letter: str, window: tuple[datetime | None, datetime]
) -> None:
    [group] = [one for one in PAPER.checklist_groups if one.letter == letter]
    assert window == ends(group.window)


def test_item_17_is_kept_as_far_as_it_goes() -> None:
    [item] = [one for one in PAPER.checklist if one.cut_off]
    assert 17 == item.number
    expected = 'Have you submitted the "HKATS and DCASS Upgrade - Confirmation Form for'
    assert expected == item.question


def test_every_item_cites_itself() -> None:
    for item in PAPER.checklist:
        assert f"Appendix A, item {item.number}" == item.source.place


# -- contacts and hazards -------------------------------------------------------------------------


def test_the_hotline_has_hours() -> None:
    [hotline] = [one for one in PAPER.contacts if one.kind == "hotline"]
    assert "2979 7222" == hotline.value
    assert "9:00 a.m. to 6:45 p.m. (Mondays to Fridays, excluding public holidays)" in hotline.hours


@pytest.mark.parametrize(
    "lost", ["example.com", "item 17", "merged", "2211-6932", "night before", "number of step 3"]
)
def test_what_the_copy_lost_is_told(lost: str) -> None:
    assert any(lost in hazard for hazard in PAPER.hazards)
