"""The machine of an incident: states by the table, times never backwards, nothing erased."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from attrs import evolve
from hypothesis import given, strategies as st

from hkex_ops.errors import UsageError
from hkex_ops.incidents import (
    INCIDENT_TRANSITIONS,
    Act,
    ActionOverdue,
    Assess,
    Attach,
    BeginContingency,
    Close,
    Conclude,
    Content,
    Correct,
    Enquire,
    EnquiryKind,
    EntryCorrected,
    EntryMade,
    Given,
    IncidentLog,
    IncidentSnapshot,
    IncidentState,
    IssueReport,
    LogEntry,
    Measure,
    Note,
    OpenIncident,
    Recover,
    Reopen,
    ReportOverdue,
    ReportStage,
    Resume,
    SeverityChanged,
    StateReached,
    Topic,
    TornLine,
    parse_told,
)
from hkex_ops.model import Severity
from tests.incidents.day_of_2010 import CALENDAR, DAY, RULES, at, log_of_2010

OPENING = OpenIncident("The index stopped", Severity.MAJOR, DAY)
MOVES: dict[IncidentState, type[Content]] = {
    IncidentState.CONTINGENCY: BeginContingency,
    IncidentState.RECOVERED: Recover,
    IncidentState.RESUMED: Resume,
    IncidentState.CLOSED: Close,
    IncidentState.DETECTED: Reopen,
}


def told(what: Content, when: str | None, text: str = "words") -> Given:
    return Given(what, "duty desk", None if when is None else parse_told(when, DAY), text)


def opened(when: str = "09:52") -> IncidentLog:
    log = IncidentLog("one")
    log.handle(told(OPENING, when), at(9, 53))
    return log


def with_states(*moves: tuple[type[Content], str]) -> IncidentLog:
    log = opened()
    for what, when in moves:
        log.handle(told(what(), when), at(23))
    return log


# -- states ----------------------------------------------------------------------------------------


def test_opening_detects_and_tells_so() -> None:
    log = IncidentLog("one")
    entry = LogEntry(1, at(9, 53), told(OPENING, "09:52"))
    assert (
        EntryMade(at(9, 53), entry),
        StateReached(at(9, 53), IncidentState.DETECTED, entry),
    ) == log.handle(told(OPENING, "09:52"), at(9, 53))


def test_detection_contingency_recovery_and_resumption_are_moments_of_their_own() -> None:
    assert [
        (IncidentState.DETECTED, at(9, 52)),
        (IncidentState.CONTINGENCY, at(10, 2)),
        (IncidentState.RECOVERED, at(10, 27)),
        (IncidentState.RESUMED, at(10, 32, 45)),
        (IncidentState.CLOSED, at(18, 5, day=date(2010, 2, 2))),
    ] == [(one.state, one.when.at.at) for one in log_of_2010().view.moments]


@pytest.mark.parametrize("state", list(IncidentState))
@pytest.mark.parametrize("to", list(IncidentState))
def test_a_state_is_left_as_the_table_has_it_and_not_otherwise(
    state: IncidentState, to: IncidentState
) -> None:
    ways = {
        IncidentState.DETECTED: (),
        IncidentState.CONTINGENCY: (BeginContingency,),
        IncidentState.RECOVERED: (Recover,),
        IncidentState.RESUMED: (Resume,),
        IncidentState.CLOSED: (Close,),
    }
    log = with_states(*((move, "10:00") for move in ways[state]))
    assert state is log.view.state
    move = MOVES[to]
    before = log.snapshot()
    if (state, move) in INCIDENT_TRANSITIONS:
        assert StateReached is type(log.handle(told(move(), "10:30"), at(23))[-1])
        assert to is log.view.state
    else:
        with pytest.raises(UsageError, match=f"cannot .*: incident one is {state}"):
            log.handle(told(move(), "10:30"), at(23))
        assert before == log.snapshot()


@pytest.mark.parametrize("first", ["10:02", "~10:02", "10:02 to 10:30"])
def test_nobody_recovers_before_the_contingency_began(first: str) -> None:
    log = with_states((BeginContingency, first))
    with pytest.raises(UsageError, match=r"would be before contingency .* correct that one"):
        log.handle(told(Recover(), "10:01"), at(23))
    assert IncidentState.CONTINGENCY is log.view.state


def test_an_unknown_time_is_before_and_after_nothing() -> None:
    log = with_states((BeginContingency, "unknown"), (Recover, "10:00"))
    assert IncidentState.RECOVERED is log.view.state


def test_an_unknown_time_between_two_lets_neither_run_backwards() -> None:
    log = with_states((BeginContingency, "10:05"), (Recover, "unknown"))
    with pytest.raises(UsageError, match="would be before contingency"):
        log.handle(told(Resume(), "10:00"), at(23))


def test_a_wrong_time_of_a_state_is_corrected_only_into_the_order() -> None:
    log = with_states((BeginContingency, "10:02"), (Recover, "10:27"))
    with pytest.raises(UsageError, match="would be before"):
        log.handle(told(Correct(2, "it was later"), "10:28", ""), at(23))
    log.handle(told(Correct(2, "it was later"), "10:05", ""), at(23))
    assert at(10, 5) == log.view.moments[1].when.at.at


def test_a_withdrawn_state_was_never_reached() -> None:
    log = with_states((BeginContingency, "10:02"), (Recover, "10:27"))
    events = log.handle(told(Correct(3, "too early", withdrawn=True), None, ""), at(23))
    assert [EntryMade, EntryCorrected, StateReached] == [type(one) for one in events]
    assert IncidentState.CONTINGENCY is log.view.state
    log.handle(told(Recover(), "10:40"), at(23))
    assert at(10, 40) == log.view.moments[-1].when.at.at


def test_a_state_on_which_another_stands_is_not_withdrawn() -> None:
    log = with_states((Resume, "10:30"), (Close, "11:00"), (Reopen, "11:30"))
    with pytest.raises(UsageError, match="does not follow"):
        log.handle(told(Correct(3, "a slip", withdrawn=True), None, ""), at(23))


def test_after_closing_notes_actions_and_corrections_are_entered() -> None:
    log = with_states((Close, "10:00"))
    for what in (Note(), Note(Topic.CAUSE), Act("somebody"), Enquire(EnquiryKind.MEDIA)):
        log.handle(told(what, "11:00"), at(23))
    assert not log.view.is_open
    assert 6 == len(log.entries)


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        (told(OPENING, "10:00"), "incident one is open already"),
        (told(Note(), "09:54"), "nothing is entered ahead of time"),
        (told(Note(), "09:00 to 09:54"), "nothing is entered ahead of time"),
        (told(Note(), None), "an entry has a time, if only an unknown one"),
        (told(Note(), "09:00", " "), "an entry says something"),
        (evolve(told(Note(), "09:00"), by=""), "a log says who writes"),
        (evolve(told(Note(), "09:00"), teller=" "), "name the teller"),
        (told(Note(), "09:00", "x" * 20_001), "at most 20000 characters"),
        (told(Enquire(EnquiryKind.MEDIA, 0), "09:00"), "0 enquiries are none"),
        (told(Act(" "), "09:00"), "an action has an owner"),
        (told(Assess(), "09:00"), "says what is judged otherwise"),
        (told(Conclude(1), "09:00"), "entry 1 is no action; actions: none"),
        (told(Correct(7, "why"), "09:00"), "there is no entry 7 to correct"),
        (told(Correct(1, ""), "09:00"), "a correction says why"),
        (told(Correct(1, "why", withdrawn=True), None), "the opening is not withdrawn"),
        (told(Correct(1, "why", count=3), None), "counts no enquiries"),
        (told(Correct(1, "why", value=Decimal(3)), None), "states no figure"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(given_: Given, words: str) -> None:
    log = opened()
    before = log.snapshot()
    with pytest.raises(UsageError, match=words):
        log.handle(given_, at(9, 53))
    assert before == log.snapshot()


def test_nothing_is_entered_before_the_opening() -> None:
    log = IncidentLog("one")
    with pytest.raises(UsageError, match="incident one is not opened yet"):
        log.handle(told(Note(), "09:00"), at(10))
    with pytest.raises(UsageError, match="incident one was not opened yet"):
        _ = log.view


@pytest.mark.parametrize("title", ["", " ", "two\nlines", "bell\a"])
def test_a_title_is_one_line_that_can_be_read(title: str) -> None:
    """It becomes the subject of messages."""
    log = IncidentLog("one")
    with pytest.raises(UsageError, match="an incident has a title, in one line"):
        log.handle(told(evolve(OPENING, title=title), "09:52"), at(10))


def test_a_correction_is_not_corrected() -> None:
    log = opened()
    log.handle(told(Correct(1, "other words"), None, "new"), at(10))
    with pytest.raises(UsageError, match="entry 2 is a correction: correct entry 1 again"):
        log.handle(told(Correct(2, "again"), None, "newer"), at(10))


def test_an_action_is_concluded_once() -> None:
    log = opened()
    log.handle(told(Act("liaison", date(2010, 2, 1)), "09:52"), at(10))
    log.handle(told(Conclude(2), "09:52"), at(10))
    with pytest.raises(UsageError, match="action 2 was concluded already"):
        log.handle(told(Conclude(2), "09:52"), at(10))
    [action] = log.view.actions
    assert ("liaison", date(2010, 2, 1), 3) == (action.owner, action.due, action.ended.number)  # type: ignore[union-attr]


def test_a_torn_line_takes_a_number_and_nothing_else() -> None:
    log = IncidentLog("one")
    log.handle(told(TornLine(17), "09:52", ""), at(10))
    log.handle(told(OPENING, "09:52"), at(10))
    assert 2 == log.view.opened.number


# -- corrections -----------------------------------------------------------------------------------


def test_a_correction_leaves_the_entry_and_changes_what_holds() -> None:
    log = opened()
    log.handle(told(Enquire(EnquiryKind.PUBLIC, 30), "10:10", "about the stop"), at(11))
    log.handle(told(Enquire(EnquiryKind.PUBLIC, 4), "10:10", "about calls"), at(11))
    log.handle(told(Correct(2, "counted again", count=27), "10:12", ""), at(12))
    assert {"public": 31} == log.view.enquiries
    [one] = [one for one in log.view.standing if one.number == 2]
    assert ("about the stop", at(10, 12)) == (one.text, one.when.at.at)
    assert told(Enquire(EnquiryKind.PUBLIC, 30), "10:10", "about the stop") == log.entries[1].given


def test_a_withdrawn_entry_stands_and_does_not_hold() -> None:
    log = opened()
    log.handle(told(Enquire(EnquiryKind.MEDIA, 39), "10:10"), at(11))
    log.handle(told(Correct(2, "another incident's", withdrawn=True), None, ""), at(11))
    assert {} == log.view.enquiries
    assert [1, 2] == [one.number for one in log.view.standing]
    assert [1] == [one.number for one in log.view.holding]


def test_severity_and_systems_are_judged_anew_and_the_rest_stays() -> None:
    log = opened()
    events = log.handle(told(Assess(Severity.CRITICAL, affected=("RTI",)), "10:00"), at(10))
    assert SeverityChanged(at(10), Severity.MAJOR, Severity.CRITICAL, log.entries[-1]) in events
    assert (Severity.CRITICAL, ("RTI",), ()) == (
        log.view.severity,
        log.view.affected,
        log.view.owners,
    )


# -- what is due -----------------------------------------------------------------------------------


def ruled() -> IncidentLog:
    log = IncidentLog("one", rules=RULES, calendar=CALENDAR)
    log.handle(told(OPENING, "~09:52"), at(10, 15))
    return log


def test_a_report_is_overdue_from_its_instant_on_and_told_once() -> None:
    log = ruled()
    assert () == log.poll(at(10, 51, 59))
    [event] = log.poll(at(10, 52))
    assert isinstance(event, ReportOverdue)
    assert (ReportStage.INITIAL, at(10, 52)) == (event.deadline.rule.stage, event.deadline.due)
    assert () == log.poll(at(10, 53))


def test_a_report_that_was_handed_out_is_not_overdue() -> None:
    log = ruled()
    log.handle(told(IssueReport(ReportStage.INITIAL), "10:40"), at(10, 41))
    assert () == log.poll(at(12))


def test_business_days_are_counted_from_the_resumption_by_the_calendar() -> None:
    log = ruled()
    log.handle(told(Resume(), "10:32:45"), at(10, 40))
    log.handle(told(IssueReport(ReportStage.INITIAL), "10:40"), at(10, 41))
    # Friday 22 January and seven business days: to the end of Tuesday 2 February.
    assert () == log.poll(at(23, 59, 59, day=date(2010, 2, 2)))
    [event] = log.poll(at(0, day=date(2010, 2, 3)))
    assert isinstance(event, ReportOverdue)
    assert ReportStage.FINAL is event.deadline.rule.stage


def test_an_action_is_overdue_when_its_day_is_over() -> None:
    log = opened()
    log.handle(told(Act("liaison", date(2010, 1, 25)), "09:52"), at(10))
    assert () == log.poll(at(23, 59, 59, day=date(2010, 1, 25)))
    [event] = log.poll(at(0, day=date(2010, 1, 26)))
    assert isinstance(event, ActionOverdue)
    assert 2 == event.action.number


def test_rules_want_a_calendar() -> None:
    with pytest.raises(UsageError, match="deadlines are counted by a calendar"):
        IncidentLog("one", rules=RULES)


# -- properties ------------------------------------------------------------------------------------

MINUTES = st.integers(min_value=0, max_value=59)
CONTENTS: st.SearchStrategy[Content] = st.one_of(
    st.builds(Note, st.sampled_from(Topic)),
    st.builds(Enquire, st.sampled_from(EnquiryKind), st.integers(min_value=-1, max_value=40)),
    st.builds(Act, st.sampled_from(["", "liaison"]), st.none()),
    st.builds(Conclude, st.integers(min_value=1, max_value=12)),
    st.builds(
        Correct,
        st.integers(min_value=1, max_value=12),
        st.just("because"),
        st.booleans(),
        st.none() | st.integers(min_value=1, max_value=9),
    ),
    st.builds(Attach, st.just("index"), st.just("index/mode-changed"), st.text(max_size=3)),
    st.sampled_from([BeginContingency(), Recover(), Resume(), Close(), Reopen()]),
    st.builds(Assess, st.sampled_from(Severity)),
)
ENTRIES = st.lists(st.tuples(CONTENTS, MINUTES, st.booleans()), max_size=25)


def worked(entries: list[tuple[Content, int, bool]]) -> tuple[IncidentLog, list[LogEntry]]:
    """The log after them, and every entry that was taken, as it was taken."""
    log, taken = opened("09:00"), []
    taken.append(log.entries[0])
    for place, (what, minute, about) in enumerate(entries):
        when = f"{'~' if about else ''}10:{minute:02}"
        try:
            events = log.handle(told(what, when), at(12, place))
        except UsageError:
            continue
        taken += [one.entry for one in events if isinstance(one, EntryMade)]
    return log, taken


@given(ENTRIES)
def test_whatever_is_entered_every_entry_stays_as_it_was_made(
    entries: list[tuple[Content, int, bool]],
) -> None:
    log, taken = worked(entries)
    assert tuple(taken) == log.entries
    shown = {one.number for one in log.view.standing}
    corrections = {one.number for one in taken if isinstance(one.given.what, Correct)}
    assert {one.number for one in taken} == shown | corrections


@given(ENTRIES)
def test_whatever_is_entered_states_follow_the_table_and_their_times_never_run_backwards(
    entries: list[tuple[Content, int, bool]],
) -> None:
    log, _ = worked(entries)
    moments = log.view.moments
    ways = {(state, to) for (state, _), to in INCIDENT_TRANSITIONS.items()}
    for before, after in pairwise(moments):
        assert (before.state, after.state) in ways
    times = [one.when.at.at for one in moments if one.when.at.at is not None]
    assert sorted(times) == times


@given(ENTRIES)
def test_a_log_restored_is_the_log(entries: list[tuple[Content, int, bool]]) -> None:
    log, _ = worked(entries)
    again = IncidentLog("one")
    again.restore(log.snapshot())
    assert (log.entries, log.view) == (again.entries, again.view)


@given(ENTRIES)
def test_rows_are_told_by_their_own_times_however_late_they_were_entered(
    entries: list[tuple[Content, int, bool]],
) -> None:
    log, _ = worked(entries)
    times: list[datetime] = [
        one.when.at.at for one in log.view.holding if one.when.at.at is not None
    ]
    assert sorted(times) == times


def test_entries_that_no_log_can_hold_are_not_restored() -> None:
    log = opened()
    loose = LogEntry(2, at(10), told(Recover(), "09:00"))
    with pytest.raises(UsageError):
        IncidentLog("one").restore(IncidentSnapshot((*log.entries, loose)))


def test_a_log_has_an_end() -> None:
    """Ten thousand entries are a program that tells without end."""
    log = opened()
    given_ = told(Attach("index", "index/mode-changed", "k"), "09:52")
    entries = [
        log.entries[0],
        *(LogEntry(n, at(10) + timedelta(seconds=n), given_) for n in range(2, 10_001)),
    ]
    log.restore(IncidentSnapshot(tuple(entries)))
    with pytest.raises(UsageError, match="has 10000 entries: open another one"):
        log.handle(given_, at(23))


@pytest.mark.parametrize("value", ["1e31", "1e-31", "NaN", "Infinity"])
def test_a_figure_that_nobody_can_read_is_refused(value: str) -> None:
    log = opened()
    with pytest.raises(UsageError, match="a figure has at most 30 digits"):
        log.handle(told(Measure("low", Decimal(value)), "09:52"), at(11))


def test_figures_keep_their_digits() -> None:
    log = opened()
    log.handle(told(Measure("low", Decimal("20496.050"), "points"), "10:30:30"), at(11))
    [one] = [one for one in log.view.standing if isinstance(one.what, Measure)]
    assert isinstance(one.what, Measure)
    assert "20496.050" == str(one.what.value)
