"""Whatever can be entered is spelt as a line, and the line means the same entry again."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from attrs import evolve, fields
from hypothesis import given, strategies as st

from hkex_ops.evidence import GENESIS, Record, append
from hkex_ops.evidence.chain import format_record, parse_record
from hkex_ops.flows.incidents.spelling import KINDS, entry_of, kind_of, spelt
from hkex_ops.incidents import (
    Act,
    Assess,
    Attach,
    BeginContingency,
    Close,
    Conclude,
    Content,
    Correct,
    Enquire,
    EnquiryKind,
    Given,
    IssueReport,
    LogEntry,
    Measure,
    Note,
    OpenIncident,
    Recover,
    Reopen,
    ReportStage,
    Resume,
    Tell,
    TimeTold,
    Topic,
    TornLine,
)
from hkex_ops.model import Audience, Bound, Certainty, Outcome, Receipt, Severity
from tests.incidents.day_of_2010 import at

NOW = at(12)
TEXT = st.text(max_size=12).filter(lambda text: text.isprintable())
NAMES = st.lists(TEXT, max_size=3).map(tuple)
DAYS = st.dates(date(2000, 1, 1), date(2040, 1, 1))
INSTANTS = st.integers(0, 10**7).map(lambda s: at(0) + timedelta(seconds=s))
BOUNDS = st.one_of(
    st.builds(Bound, INSTANTS, st.sampled_from([Certainty.EXACT, Certainty.APPROXIMATE]), TEXT),
    st.builds(Bound, st.none(), st.sampled_from([Certainty.OPEN, Certainty.UNKNOWN]), TEXT),
)
NUMBERS = st.integers(1, 9999)
MAYBE = st.none() | NUMBERS
RECEIPTS = st.builds(
    Receipt,
    TEXT,
    TEXT.filter(str.strip),
    INSTANTS,
    st.sampled_from(Outcome),
    TEXT,
    TEXT,
    TEXT,
)
FIGURES = st.decimals(allow_nan=False, allow_infinity=False, places=4)
CONTENTS: dict[type[Content], st.SearchStrategy[Content]] = {
    OpenIncident: st.builds(
        OpenIncident, TEXT, st.sampled_from(Severity), DAYS, NAMES, NAMES, NAMES
    ),
    BeginContingency: st.just(BeginContingency()),
    Recover: st.just(Recover()),
    Resume: st.just(Resume()),
    Close: st.just(Close()),
    Reopen: st.just(Reopen()),
    Note: st.builds(Note, st.sampled_from(Topic)),
    Assess: st.builds(Assess, st.none() | st.sampled_from(Severity), *[st.none() | NAMES] * 3),
    Tell: st.builds(Tell, st.sampled_from(Audience), RECEIPTS, TEXT),
    Enquire: st.builds(Enquire, st.sampled_from(EnquiryKind), NUMBERS),
    Measure: st.builds(Measure, TEXT, FIGURES, TEXT),
    Act: st.builds(Act, TEXT, st.none() | DAYS),
    Conclude: st.builds(Conclude, NUMBERS, st.booleans()),
    Attach: st.builds(Attach, TEXT, TEXT, TEXT, st.dictionaries(TEXT, TEXT, max_size=3)),
    IssueReport: st.builds(IssueReport, st.sampled_from(ReportStage)),
    Correct: st.builds(Correct, NUMBERS, TEXT, st.booleans(), MAYBE, st.none() | FIGURES),
}
TIMES = st.builds(
    TimeTold, st.builds(Bound, INSTANTS), st.none() | st.just(Bound(None, Certainty.OPEN)), TEXT
) | st.builds(TimeTold, BOUNDS, st.none(), TEXT)


def record_of(given_: Given, now: datetime = NOW) -> Record:
    """The line, as it is read back from the disk."""
    return parse_record(format_record(append(GENESIS, now, kind_of(given_.what), spelt(given_))))


@given(st.data(), st.sampled_from(sorted(CONTENTS, key=lambda kind: kind.__name__)), TIMES, TEXT)
def test_an_entry_is_the_same_after_a_journey_to_the_disk(
    data: st.DataObject, kind: type[Content], when: TimeTold, text: str
) -> None:
    what = data.draw(CONTENTS[kind])
    given_ = Given(what, "desk", None if kind is Correct else when, text, "HSIL")
    assert LogEntry(1, NOW, given_) == entry_of(record_of(given_))


def test_every_content_is_tried_but_the_stores_own() -> None:
    assert set(KINDS.values()) == {*CONTENTS, TornLine}


def test_a_figure_keeps_its_digits() -> None:
    given_ = Given(Measure("low", Decimal("20496.0500")), "desk", TimeTold.exactly(NOW), "low")
    read = entry_of(record_of(given_)).given.what
    assert isinstance(read, Measure)
    assert "20496.0500" == str(read.value)


@pytest.mark.parametrize("field", [one.name for one in fields(Given)])
def test_a_line_that_says_too_little_is_refused(field: str) -> None:
    given_ = Given(Note(), "desk", TimeTold.exactly(NOW), "words")
    record = record_of(given_)
    body = {key: value for key, value in record.body.items() if key != field}
    if field in ("text", "teller"):
        entry_of(evolve(record, body=body))  # what has a default may be left out
        return
    with pytest.raises(ValueError, match="does not say what an entry 'noted' has to say"):
        entry_of(evolve(record, body=body))


def test_a_line_that_says_too_much_is_refused() -> None:
    """A later version's entry is not read as if it said less."""
    record = record_of(Given(Note(), "desk", TimeTold.exactly(NOW), "words"))
    with pytest.raises(ValueError, match="does not say what"):
        entry_of(evolve(record, body={**record.body, "mood": "good"}))
