"""What the contingency mail says, letter by letter, and what can never get into it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from attrs import evolve
from hypothesis import given, settings, strategies as st

from hkex_ops.errors import UsageError
from hkex_ops.model import (
    HONG_KONG,
    IndexStatus,
    IndexTick,
    SiteRole,
    TickKind,
    parse_tick,
)
from hkex_ops_mail import MailPublisherOptions
from hkex_ops_mail.letters import letter_for, letter_identity, read_attachment

AT = datetime(2010, 1, 22, 10, 0, 15, tzinfo=HONG_KONG)
SENT = datetime(2010, 1, 22, 10, 0, 16, tzinfo=HONG_KONG)
HSI = IndexTick(
    "0000100",
    AT,
    Decimal("20726.10"),
    high=Decimal("20800.00"),
    low=Decimal("20700.01"),
    kind=TickKind.CONTINGENCY,
    opening=Decimal("20750.00"),
    previous_close=Decimal("20862.67"),
    stale=(5, 388),
    engine="contingency-a",
    site=SiteRole.PRIMARY,
)
HSCEI = IndexTick(
    "0001400", AT, Decimal("11812.33"), kind=TickKind.CONTINGENCY, engine="contingency-a"
)
OPTIONS = MailPublisherOptions(
    host="mail.example",
    sender="index@broker.example",
    recipients=("vendors@list.example", "participants@list.example"),
    hidden_recipients=("regulator@authority.example",),
)

# The letter as a person reads it. Its form is a promise to whoever reads it by program.
TEXT = """\
CONTINGENCY INDEX VALUES

These values were computed by the contingency system, because no engine
publishes. They come by e-mail until the ordinary publication resumes.

Values stand for:  2010-01-22 10:00:15 HKT  (2010-01-22T10:00:15+08:00)
Computed by:       contingency-a
Site:              primary

Index    Value     High      Low       Opening   Previous  St  Stale securities
0000100  20726.10  20800.00  20700.01  20750.00  20862.67  T   5 388
0001400  11812.33  -         -         -         -         T   -

T  real-time

The attached CSV file says the same, with every field.
"""

CSV = """\
version,index,at,value,high,low,status,kind,opening,closing,previous_close,stale,engine,site\r
1,0000100,2010-01-22T10:00:15+08:00,20726.10,20800.00,20700.01,T,contingency,20750.00,,20862.67,\
5 388,contingency-a,primary\r
1,0001400,2010-01-22T10:00:15+08:00,11812.33,,,T,contingency,,,,,contingency-a,\r
"""


def read(ticks: Sequence[IndexTick], options: MailPublisherOptions = OPTIONS) -> EmailMessage:
    """The letter as it comes out at the other end."""
    letter = letter_for(ticks, options, sent=SENT)
    message = message_from_bytes(letter.as_bytes(), policy=default)
    assert isinstance(message, EmailMessage)
    assert [] == [part.defects for part in message.walk() if part.defects]
    return message


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    text: str = body.get_content()
    return text.replace("\r\n", "\n")


def csv_of(message: EmailMessage) -> str:
    (attachment,) = message.iter_attachments()
    content = attachment.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode()


def test_the_letter_says_this() -> None:
    message = read([HSI, HSCEI])
    assert {
        "From": "index@broker.example",
        "To": "vendors@list.example, participants@list.example",
        "Subject": "CONTINGENCY index values for 2010-01-22 10:00:15 HKT (2 indexes)",
        "Date": "Fri, 22 Jan 2010 10:00:16 +0800",
        "Message-ID": letter_identity([HSI, HSCEI], "index@broker.example"),
        "Auto-Submitted": "auto-generated",
        "Importance": "high",
    } == {
        name: value
        for name, value in message.items()
        if name not in ("MIME-Version", "Content-Type")
    }
    assert TEXT == text_of(message)


def test_a_program_reads_every_figure_of_the_table_by_its_columns() -> None:
    lines = text_of(read([HSI, HSCEI])).splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("Index "))
    rows = [line.split() for line in lines[start + 1 : start + 3]]
    assert [HSI.value, HSCEI.value] == [Decimal(row[1]) for row in rows]


def test_the_attachment_says_everything() -> None:
    message = read([HSI, HSCEI])
    (attachment,) = message.iter_attachments()
    assert "index-contingency-20100122T100015.csv" == attachment.get_filename()
    assert CSV == csv_of(message)
    documents = read_attachment(csv_of(message))
    assert [HSI, HSCEI] == [parse_tick(json.dumps(document)) for document in documents]


def test_who_is_hidden_is_not_named() -> None:
    assert b"regulator" not in letter_for([HSI], OPTIONS, sent=SENT).as_bytes()
    hidden = evolve(OPTIONS, recipients=())
    assert "undisclosed-recipients:;" == str(read([HSI], hidden)["To"])


def test_a_notice_opens_subject_and_text() -> None:
    message = read([HSI], evolve(OPTIONS, notice="SYNTHETIC"))
    assert str(message["Subject"]).startswith("[SYNTHETIC] CONTINGENCY index values")
    assert text_of(message).startswith("SYNTHETIC\n\nCONTINGENCY INDEX VALUES\n")


@pytest.mark.parametrize(
    ("expected", "kind"),
    [
        ("CONTINGENCY index values", TickKind.CONTINGENCY),
        ("REAL-TIME index values", TickKind.REAL_TIME),
        ("RECALCULATED index values", TickKind.RECALCULATED),
    ],
)
def test_the_subject_says_whose_values_they_are(expected: str, kind: TickKind) -> None:
    message = read([evolve(HSI, kind=kind)])
    assert str(message["Subject"]).startswith(expected)
    assert text_of(message).startswith(expected.upper())


@pytest.mark.parametrize("status", IndexStatus)
def test_every_status_is_explained(status: IndexStatus) -> None:
    text = text_of(read([evolve(HSI, status=status)]))
    assert (f"\n{status.value}  " in text) is (status is not IndexStatus.UNSTATED)


def test_a_long_list_of_stale_securities_is_cut_in_the_table_only() -> None:
    message = read([evolve(HSI, stale=tuple(range(1, 100)))])
    assert "  1 2 3 4 5 6 7 8 and 91 more\n" in text_of(message)
    assert ",1 2 3 4 5 6 7 8 9 10 11" in csv_of(message)


# -- the same letter ------------------------------------------------------------------------------


def test_the_same_values_are_the_same_letter_whoever_computed_them_where() -> None:
    identity = letter_identity([HSI, HSCEI], OPTIONS.sender)
    same = [HSCEI, evolve(HSI, at=AT.astimezone(UTC), engine="contingency-b", stale=())]
    assert identity == letter_identity(same, OPTIONS.sender)


@pytest.mark.parametrize(
    "ticks",
    [
        [HSI],
        [HSI, evolve(HSCEI, index="0001500")],
        [evolve(tick, at=AT.replace(second=30)) for tick in (HSI, HSCEI)],
        [evolve(tick, kind=TickKind.RECALCULATED) for tick in (HSI, HSCEI)],
    ],
)
def test_another_index_moment_or_kind_is_another_letter(ticks: list[IndexTick]) -> None:
    identities = {letter_identity(some, OPTIONS.sender) for some in ([HSI, HSCEI], ticks)}
    assert 2 == len(identities)


@pytest.mark.parametrize(
    "ticks", [[], [HSI, evolve(HSCEI, at=SENT)], [HSI, evolve(HSCEI, kind=TickKind.REAL_TIME)]]
)
def test_a_letter_is_about_one_moment_and_one_kind(ticks: list[IndexTick]) -> None:
    with pytest.raises(UsageError, match="one moment and one kind"):
        letter_for(ticks, OPTIONS, sent=SENT)


# -- what can never get in ------------------------------------------------------------------------


@settings(max_examples=30)
@given(index=st.text(), engine=st.text())
def test_no_name_breaks_a_header_or_a_line_of_the_table(index: str, engine: str) -> None:
    """Line ends and commands of a terminal in a name stay within their cell."""
    message = read([evolve(HSI, index=index, engine=engine), HSCEI])
    assert 9 == len(message.keys())
    assert len(TEXT.splitlines()) == len(text_of(message).splitlines())
    assert all(line.isprintable() for line in text_of(message).splitlines())


@pytest.mark.parametrize("name", ["x\r\nBcc: all@world.example", "x\n\n.\r\nQUIT", "x\x1b[2J"])
def test_names_that_are_attacks_are_only_names(name: str) -> None:
    message = read([evolve(HSI, engine=name)])
    assert None is message["Bcc"]
    documents = read_attachment(csv_of(message))
    assert [name] == [document["engine"] for document in documents]
