"""22 January 2010 entered into a log as a desk would have: the papers' words, by two tellers.

Times, figures and sentences are those of HSIL's and HKEx's reports (Annex 1 and Annex 2 of the
paper to the Legislative Council Panel on Financial Affairs, February 2010). Who wrote an entry
down, when, and who owns an action are invented, because the papers do not say it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from hkex_ops.config.shipped import load_calendar
from hkex_ops.evidence import GENESIS, Head
from hkex_ops.incidents import (
    FORMS,
    Act,
    Anchor,
    BeginContingency,
    Close,
    Content,
    Correct,
    DeadlineRule,
    Enquire,
    EnquiryKind,
    Given,
    IncidentLog,
    IncidentReport,
    IssueReport,
    Measure,
    Note,
    OpenIncident,
    Recover,
    ReportStage,
    Resume,
    Tell,
    Topic,
    deadlines_of,
    make_report,
    parse_told,
)
from hkex_ops.model import HONG_KONG, Audience, Outcome, Receipt, Severity

__all__ = ["CALENDAR", "DAY", "RULES", "Writer", "at", "log_of_2010", "report_of_2010"]

DAY = date(2010, 1, 22)
CALENDAR = load_calendar()
SEAL = Head(42, "4" * 64)
RULES = (
    DeadlineRule(
        ReportStage.INITIAL, Anchor.DETECTED, "an invented plan, section 1", within_minutes=60
    ),
    DeadlineRule(
        ReportStage.FINAL, Anchor.RESUMED, "an invented plan, section 2", within_business_days=7
    ),
)


def at(hour: int, minute: int = 0, second: int = 0, *, day: date = DAY) -> datetime:
    """An instant of that day."""
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=HONG_KONG)


class Writer:
    """Enters things into a log, a minute after the other, and never before they happened."""

    def __init__(self, log: IncidentLog, now: datetime) -> None:
        self.log = log
        self.now = now

    def enter(
        self, what: Content, when: str | None, text: str = "", teller: str = "HSIL", by: str = ""
    ) -> int:
        """Enter it; the number it got."""
        told = None if when is None else parse_told(when, DAY)
        for bound in () if told is None else (told.at, told.until):
            if bound is not None and bound.at is not None:
                self.now = max(self.now, bound.at)
        self.now += timedelta(minutes=1)
        by = by or ("duty desk" if teller == "HSIL" else "liaison")
        self.log.handle(Given(what, by, told, text, teller), self.now)
        return self.log.entries[-1].number

    def tell(
        self, audience: Audience, who: str, when: str, channel: str, text: str, teller: str = "HSIL"
    ) -> int:
        """Somebody was told by hand."""
        told = parse_told(when, DAY).at.at
        assert told is not None
        receipt = Receipt(channel, who, told, Outcome.TAKEN, told_by="duty desk")
        return self.enter(Tell(audience, receipt), when, text, teller)


def log_of_2010() -> IncidentLog:
    """The whole incident, closed after HSIL's report."""
    log = IncidentLog("2010-01-22-1", rules=RULES, calendar=CALENDAR)
    writer = Writer(log, at(9, 52))
    _until_resumed(writer)
    release = _after(writer)
    _enquiries_and_figures(writer)
    writer.now = at(9, day=date(2010, 1, 26))
    _matter(writer)
    writer.enter(
        Correct(release, "HSIL issued it and has its own time"),
        "12:26",
        teller="HSIL",
        by="duty desk",
    )
    writer.enter(
        IssueReport(ReportStage.FINAL),
        "2010-02-02T18:00",
        "Handed to the SFC.",
        by="director",
    )
    writer.enter(Close(), "2010-02-02T18:05", "Reported.", by="director")
    return log


def report_of_2010(form: str = "hsil", stage: ReportStage = ReportStage.FINAL) -> IncidentReport:
    """The report of that log, as of the evening of 2 February 2010."""
    view = log_of_2010().view
    return make_report(
        view,
        FORMS[form],
        stage,
        at(19, day=date(2010, 2, 2)),
        head=SEAL if view.entries else GENESIS,
        organisation="Index compiler",
        deadlines=deadlines_of(view, RULES, CALENDAR),
    )


def _until_resumed(writer: Writer) -> None:
    opening = OpenIncident(
        "Service interruption of the real-time indexes on 22 January 2010",
        Severity.MAJOR,
        DAY,
        ("head of index operations",),
        ("real-time index system (RTI), all three systems", "dissemination of the indexes"),
        (
            "securities and derivatives markets of HKEx",
            "trading, clearing and settlement of index products",
        ),
    )
    writer.enter(opening, "about 09:52", "An error message appeared in the consoles of the RTI.")
    writer.enter(
        Note(),
        "about 09:52 to about 10:02",
        "System health check.\nCommunication with HKEx to check status of MDF.\n"
        "First set of real-time indexes disseminated at 10:00:15, no subsequent new index updates.",
    )
    writer.enter(
        BeginContingency(),
        "about 10:02",
        "Confirmed same problem at all three RTI systems. "
        "Triggered contingency plan and switched to contingency mode.",
    )
    writer.tell(
        Audience.EXCHANGE,
        "HKEx",
        "about 10:05",
        "phone",
        "Contingency arrangement",
    )
    writer.tell(Audience.REGULATOR, "SFC", "10:00 to 10:30", "phone", "The incident", teller="HKEx")
    writer.tell(
        Audience.PARTICIPANTS,
        "exchange participants",
        "10:00 to 10:30",
        "AMS Exchange News, HKATS critical market message",
        "The interruption",
        teller="HKEx",
    )
    writer.enter(
        Note(),
        "~10:15 to ~10:17",
        "Indexes at 10:15 calculated and sent out at 10:17 via e-mails to HKEx and information "
        "vendors.",
    )
    writer.enter(
        Recover(),
        "~10:27",
        "System recovered, RTI index calculation resumed, but dissemination of indexes not "
        "resumed.",
    )
    writer.enter(
        Note(), "~10:30 to ~10:32", "Indexes at 10:30 calculated and sent out at 10:32 via e-mails."
    )
    writer.enter(Resume(), "10:32:45", "Dissemination of HSI resumed; of H-Share Index at 10:33.")


def _after(writer: Writer) -> int:
    writer.enter(
        Note(),
        "10:30 to 10:35",
        "Thirteen CBBCs on HSI of call level 20500 were suspended automatically.",
        teller="HKEx",
    )
    release = writer.enter(
        Note(),
        "~12:28",
        "HSIL issued press release on the service interruption and the subsequent service "
        "resumption.",
        teller="HKEx",
    )
    writer.enter(
        Note(),
        "~16:48",
        "HSIL confirmed in writing that HSI reached 20496.05 at 10:30:30.",
        teller="HKEx",
    )
    writer.enter(
        Note(),
        "~17:08",
        "Issued second press release on the high/low/close index levels for HSI and H-Share Index.",
    )
    writer.enter(
        Note(Topic.DECISION),
        "10:00 to 10:30",
        "The securities and derivatives market of HKEx remained open.",
        teller="HKEx",
    )
    return release


def _enquiries_and_figures(writer: Writer) -> None:
    for kind, count, when, about in (
        (EnquiryKind.PUBLIC, 27, "unknown", "the interruptions to dissemination of HS indexes"),
        (EnquiryKind.PUBLIC, 4, "unknown", "handling of the MCE of CBBC"),
        (EnquiryKind.MEDIA, 39, "10:10 onwards", "the index interruption"),
    ):
        writer.enter(Enquire(kind, count), when, about, teller="HKEx")
    for name, value, unit, text in (
        ("cbbcs-suspended", "13", "", "CBBCs suspended"),
        ("trades-cancelled", "15", "", "post-MCE trades that required cancellation"),
        ("turnover", "47220", "HKD", "turnover of the cancelled trades"),
        ("day-low", "20496.05", "points", "HSI, day low, reached while nothing was disseminated"),
    ):
        writer.enter(Measure(name, Decimal(value), unit), "18:55", text, teller="HKEx")


def _matter(writer: Writer) -> None:
    for topic, text in (
        (Topic.BACKGROUND, "HSIL manages and compiles the Hang Seng Family of Indexes."),
        (Topic.SYSTEM, "Two systems are located at the primary site and one at the backup site."),
        (
            Topic.CONTINGENCY,
            "Two sets of indexes were compiled at 10:15 and 10:30, and were sent out to HKEx and "
            "information vendors via e-mail at 10:17 and 10:32 respectively.",
        ),
        (
            Topic.CAUSE,
            "When the programme started to run the opening index calculation process after "
            "receiving the MA indicator, it clashed with the OFS process and the system stopped.",
        ),
        (Topic.REMEDY, "The application relating to the handling of OFS events was modified."),
        (Topic.REVIEW, "HSIL has conducted internal review meetings since 22 January."),
        (Topic.CONCLUSION, "Immediate remedial actions were taken."),
    ):
        writer.enter(Note(topic), "unknown", text)
    for text, owner, due in (
        ("Comprehensive application review.", "working group", date(2010, 3, 2)),
        ("Shorter intervals during contingency mode.", "working group", date(2010, 3, 2)),
        ("External communications with HKEx.", "liaison", date(2010, 5, 3)),
    ):
        writer.enter(Act(owner, due), "2010-01-26T10:00", text)
