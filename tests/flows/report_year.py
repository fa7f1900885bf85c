"""A clearing house that publishes reports day after day, and a desk that fetches them, both seeded.

The clearing house keeps books of its own: what it owes for which business date, by when, and what
it really published. It knows the kind of each day and nothing of the library's catalogue or of how
expectation is worked out, so that one can be held against the other.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random

from attrs import define, field, frozen

from hkex_ops.calendars import Calendar, DayKind
from hkex_ops.clock import ManualClock
from hkex_ops.config.catalogues import structure_catalogue
from hkex_ops.config.report_sources import Manners
from hkex_ops.errors import Rejected, TransientError, Unreachable
from hkex_ops.flows.fetch import fetch_reports
from hkex_ops.flows.report_standing import stand_at
from hkex_ops.flows.sources import ConfiguredSource
from hkex_ops.flows.store import Archive
from hkex_ops.model import HONG_KONG, Endpoint, ListedReport, SiteRole
from hkex_ops.ports import Delivery, Offer, ReportChunk, ReportEnd, ReportFailed, ReportSource
from hkex_ops.reports import Catalogue, DayStanding, ReportState
from hkex_ops.testing import FakeOptions, FakeReportSource, FakeSite, open_fake

__all__ = ["CATALOGUE", "OWN_DAYS", "Exchange", "ReportYear", "at_time", "label_of"]

SERVICE = "RRS"
KEPT_DAYS = 8

CATALOGUE = """\
[[reports]]
service = "RRS"
houses = ["HKCC", "SEOCH"]
codes = ["TP001"]
name = "{house}_{code}_{business_date:YYYYMMDD}_{session}.csv"
sessions = { "T" = "T", "T+1" = "N" }
check = { form = "lines", states = 'END,(?P<count>\\d+)' }
due = [
  { session = "T", by = "30 min after close of T session", grace_min = 30 },
  { session = "T+1", by = "60 min after close of T+1 session", grace_min = 30 },
]

[[reports]]
service = "RRS"
house = "HKCC"
code = "RPI"
codes = ["RPI"]
name = "rpi_{business_date:yymmdd}-{instance:hhmm}.lis"
case = "any"
due = [
  { times = ["09:00", "13:00"], grace_min = 60, while_open = "derivatives", tolerance_min = 20 },
  { on = "unscheduled" },
]

[[reports]]
service = "RRS"
house = "HKSCC"
codes = ["RM01"]
name = "{code} of {business_date:DDMMYYYY} {instance:number}.{part}"
parts = { control = "ctl", data = "dat" }
check = { form = "control", states = 'COUNT=(?P<count>\\d+)' }
due = [
  { times = ["11:30", "17:15"], instances = ["1", "2"], grace_min = 60 },
  { times = ["21:00"], instances = ["3"], grace_min = 60, day_kinds = ["full", "late-open"] },
]

[[reports]]
service = "RRS"
house = "HKCC"
codes = ["WK001", "ME001", "IF001"]
name = "HKCC_{code}_{business_date:yyyymmmdd}.csv"
due = [
  { on = "weekly", weekdays = ["Friday"], by = "20:00", codes = ["WK001"] },
  { on = "month-end", by = "08:00 next business day", codes = ["ME001"] },
  { by = "20:00", if_applicable = true, codes = ["IF001"] },
]

[[reports]]
service = "RRS"
house = "HKCC"
codes = ["RP008"]
name = "HKCC_{code}_{business_date:YYYYMMDD}.csv"
due = [{ on = "unscheduled" }]
obligation = { what = "fund it", by = "16:00" }
"""

OWN_DAYS = """\
[[sources]]
id = "OWN"
kind = "user"
title = "days entered by the desk, invented for this test"
confirmed = true

[[days]]
date = 2022-06-15
weekday = "Wednesday"
kind = "closed"
name = "typhoon: no trading all day"
source = "OWN"
confirmed = true

[[days]]
date = 2022-06-22
weekday = "Wednesday"
kind = "full"
name = "typhoon, and trading all the same"
source = "OWN"
confirmed = true
"""

# How often each thing happens, in hundredths.
ABSENT, LATE, TORN, HALF, CHANGED, EXTRA, TWICE = 4, 8, 3, 3, 6, 10, 10
CUT, REFUSED, LOST, DOWN = 3, 3, 10, 12


@frozen
class Owed:
    """What the clearing house owes: the label a person would give it, its files, and by when."""

    label: tuple[str, ...]
    files: tuple[str, ...]
    owed_at: datetime
    missing_at: datetime
    optional: bool = False


@define
class Exchange:
    """The clearing house. ``whole`` are the names whose content is as it should be."""

    calendar: Calendar
    chance: Random
    site: FakeSite
    pending: list[tuple[datetime, str, bytes, bool]] = field(factory=list)
    whole: set[str] = field(factory=set[str])
    owed: dict[date, tuple[Owed, ...]] = field(factory=dict[date, tuple[Owed, ...]])

    def happens(self, hundredths: int) -> bool:
        """Whether something happens that does so this often."""
        return self.chance.randrange(100) < hundredths

    def open_day(self, day: date) -> None:
        """Draw everything that will be published of a business date."""
        self.owed[day] = tuple(owed(day, self.calendar))
        for one in self.owed[day]:
            if one.optional and self.happens(60):
                continue
            if self.happens(ABSENT):
                continue
            early = timedelta(minutes=self.chance.randrange(5, 25))
            at = one.owed_at - early
            if self.happens(LATE):
                at = one.missing_at + timedelta(hours=self.chance.randrange(1, 20))
            self._publish(one, at)
        if self.happens(EXTRA):
            self._pend(at_time(day, 15, 7), f"rpi_{day:%y%m%d}-1507.lis", b"margin call", True)
        if self.happens(EXTRA):
            self._pend(at_time(day, 18, 0), f"HKCC_RP008_{day:%Y%m%d}.csv", b"pay", True)

        if self.happens(TWICE):
            # The same report under a name that differs by case alone.
            self._pend(at_time(day, 16, 0), f"RPI_{day:%y%m%d}-1507.LIS", b"margin call", True)
            self._pend(at_time(day, 16, 0), f"rpi_{day:%y%m%d}-1507.lis", b"margin call", True)
        if self.calendar.day(day).kind is DayKind.HALF:
            # A session that the calendar does not have, reported all the same.
            name = f"HKCC_TP001_{day:%Y%m%d}_N.csv"
            self._pend(at_time(day, 19, 0), name, content_of(name, 3, torn=False), True)

    def _publish(self, one: Owed, at: datetime) -> None:
        rows = self.chance.randrange(1, 30)
        torn = self.happens(TORN)
        left_out = one.files[-1] if len(one.files) > 1 and self.happens(HALF) else None
        for name in one.files:
            if name == left_out:
                continue
            content = content_of(name, rows, torn=torn)
            self._pend(at, name, content, not (torn and says_how_much(name)))
        if self.happens(CHANGED) and not torn and left_out is None:
            again = at + timedelta(hours=2)
            for name in one.files:
                self._pend(again, name, content_of(name, rows + 1, torn=False), True)

    def _pend(self, at: datetime, name: str, content: bytes, whole: bool) -> None:
        self.pending.append((at, name, content, whole))

    def publish_until(self, now: datetime) -> None:
        """Let appear what was to appear by ``now``, and let go of what is old."""
        due = sorted((one for one in self.pending if one[0] <= now), key=lambda one: one[0])
        self.pending = [one for one in self.pending if one[0] > now]
        for at, name, content, whole in due:
            # The server's own time stands for nothing: it is drawn.
            stamp = at + timedelta(days=self.chance.randrange(-2, 3))
            self.site.put(name, content, stamp)
            (self.whole.add if whole else self.whole.discard)(name)

    def forget_before(self, day: date) -> None:
        """Remove what was owed before ``day``, as servers do."""
        for old in [one for one in self.owed if one < day]:
            for one in self.owed.pop(old):
                for name in one.files:
                    self.site.reports.pop(name, None)
        for name in [
            one for one in self.site.reports if one.startswith(("rpi_", "RPI_", "HKCC_RP008"))
        ]:
            if spelt_day(name) < day:
                del self.site.reports[name]

    def there(self, one: Owed) -> bool:
        """Whether all of it is on the server, as it should be."""
        return all(name in self.site.reports for name in one.files) and self.whole.issuperset(
            one.files
        )


def owed(day: date, calendar: Calendar) -> Iterator[Owed]:
    """What is owed for a business date, worked out by the kind of the day and by hand."""
    kind = calendar.day(day).kind
    after = timedelta(minutes=30)
    t_close = at_time(day, 18, 45)
    for house in ("HKCC", "SEOCH"):
        due = t_close + after
        name = f"{house}_TP001_{day:%Y%m%d}_T.csv"
        yield Owed((house, "TP001", "T"), (name,), due, due + after)
        if kind is not DayKind.HALF and calendar.day(day).clearing[-1].name == "t+1-session":
            due = at_time(day + timedelta(days=1), 3, 0) + timedelta(minutes=60)
            name = f"{house}_TP001_{day:%Y%m%d}_N.csv"
            yield Owed((house, "TP001", "T+1"), (name,), due, due + after)
    hour = timedelta(hours=1)
    opens, closes = trading_of(day, calendar)
    for clock in (time(9), time(13)):
        due = at_time(day, clock.hour, 0)
        if opens <= due <= closes:
            name = f"rpi_{day:%y%m%d}-{clock:%H%M}.lis"
            yield Owed(("HKCC", "RPI", f"{clock:%H:%M}"), (name,), due, due + hour)
    for number, (hours, minutes) in enumerate(((11, 30), (17, 15), (21, 0)), start=1):
        if number == 3 and kind not in (DayKind.FULL, DayKind.LATE_OPEN):
            continue
        due = at_time(day, hours, minutes)
        files = tuple(f"RM01 of {day:%d%m%Y} {number}.{part}" for part in ("ctl", "dat"))
        yield Owed(("HKSCC", "RM01", str(number)), files, due, due + hour)
    eight = at_time(day, 20, 0)
    spelt = f"{day:%Y%b%d}.csv"
    friday = day + timedelta(days=4 - day.weekday())
    between = (day + timedelta(days=n) for n in range(1, (friday - day).days + 1))
    if not any(calendar.is_business_day(one) for one in between):
        yield Owed(("HKCC", "WK001"), (f"HKCC_WK001_{spelt}",), eight, eight)
    following = calendar.next_business_day(day)
    if following.month != day.month:
        due = at_time(following, 8, 0)
        yield Owed(("HKCC", "ME001"), (f"HKCC_ME001_{spelt}",), due, due)
    yield Owed(("HKCC", "IF001"), (f"HKCC_IF001_{spelt}",), eight, eight, optional=True)


def trading_of(day: date, calendar: Calendar) -> tuple[datetime, datetime]:
    """From when to when futures trade on the day."""
    sessions = calendar.day(day).derivatives
    ends = [(one.window.start.at, one.window.until.at) for one in sessions]
    starts = [start for start, _ in ends if start is not None]
    closes = [close for _, close in ends if close is not None]
    return min(starts), max(closes)


def at_time(day: date, hour: int, minute: int) -> datetime:
    """An instant in Hong Kong."""
    return datetime.combine(day, time(hour, minute), HONG_KONG)


def spelt_day(name: str) -> date:
    """The date that a name of no schedule spells."""
    digits = name.split("_")[-1].split(".")[0].split("-")[0]
    return datetime.strptime(digits, "%y%m%d" if len(digits) == 6 else "%Y%m%d").date()  # noqa: DTZ007


def says_how_much(name: str) -> bool:
    """Whether a torn content of that name can be told from a whole one."""
    return "TP001" in name or name.endswith(".dat")


def content_of(name: str, rows: int, *, torn: bool) -> bytes:
    """A content of so many rows; torn, its last row is gone."""
    lines = [f"{name},{number}" for number in range(rows)]
    if name.endswith(".ctl"):
        return f"COUNT={rows}\n".encode()
    if torn:
        lines = lines[:-1]
    if "TP001" in name:
        lines.append(f"END,{rows}")
    return "".join(f"{line}\n" for line in lines).encode()


@define
class ReportYear:
    """The desk: fetches at its hours, on a clock that jumps, and asks how each date stands."""

    folder: Path
    calendar: Calendar
    seed: int
    chance: Random = field(init=False)
    clock: ManualClock = field(init=False)
    exchange: Exchange = field(init=False)
    catalogue: Catalogue = field(init=False)
    faults: dict[str, str] = field(factory=dict[str, str])
    held: set[str] = field(factory=set[str])
    looks: int = 0

    def __attrs_post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.clock = ManualClock(datetime(2009, 1, 2, tzinfo=HONG_KONG))
        endpoints = (Endpoint("127.0.0.1", 22, "SHA256:year"),)
        self.exchange = Exchange(self.calendar, self.chance, FakeSite(endpoints))
        self.catalogue = structure_catalogue(CATALOGUE, document="year.toml")

    @property
    def configured(self) -> ConfiguredSource:
        """The report source, whose far side loses, cuts and refuses what was drawn."""
        offer = Offer(
            "year",
            FakeOptions,
            lambda options, site: open_fake(options, site, self._source),
        )
        options = FakeOptions({SiteRole.PRIMARY: self.exchange.site})
        manners = Manners(attempts=2, wait_s=0, wait_longest_s=0)
        return ConfiguredSource("desk", SERVICE, SiteRole.PRIMARY, (), offer, options, manners)

    def _source(self, site: FakeSite, endpoint: Endpoint) -> ReportSource:
        return _Faulty(site, endpoint, self.faults)

    async def look(self, day: date, at: datetime) -> DayStanding:
        """One run for ``day`` at ``at``: fetch, then ask; the books of the desk kept by hand."""
        self.clock.turn_to(at)
        self.exchange.publish_until(at)
        self.looks += 1
        self._draw_faults()
        with Archive.open(self.folder, clock=self.clock) as archive:
            try:
                await fetch_reports(
                    self.configured,
                    archive,
                    self.catalogue,
                    self.clock,
                    site=SiteRole.PRIMARY,
                    business_date=day,
                    observe=lambda _: None,
                )
            except TransientError:
                assert self.exchange.site.down, "only a server that is down is not reached"
            else:
                self._enter(day)
            return stand_at(archive, self.catalogue, self.calendar, SERVICE, day, at)

    def _draw_faults(self) -> None:
        exchange = self.exchange
        exchange.site.down = {1} if exchange.happens(DOWN) else set()
        self.faults.clear()
        for name in sorted(exchange.site.reports):
            if exchange.happens(CUT):
                self.faults[name] = "cut"
            elif exchange.happens(REFUSED):
                self.faults[name] = "refused"
        if exchange.site.reports and exchange.happens(LOST):
            self.faults[self.chance.choice(sorted(exchange.site.reports))] = "lost"

    def _enter(self, day: date) -> None:
        """What a run must have brought in, file by file and set by set."""
        for one in self.exchange.owed[day]:
            spoilt = any(self.faults.get(name) in ("cut", "refused") for name in one.files)
            if self.exchange.there(one) and not spoilt:
                self.held.update(one.files)

    def owed_and_missing(self, day: date, at: datetime) -> list[tuple[str, ...]]:
        """What is missing by the books: owed by now, and never brought in."""
        return sorted(
            one.label
            for one in self.exchange.owed[day]
            if at >= one.missing_at and not self.held.issuperset(one.files) and not one.optional
        )


def label_of(state: ReportState, day: DayStanding) -> list[tuple[str, ...]]:
    """What the library says stands so, as a person would call it."""
    return sorted(
        tuple(
            part
            for part in (
                one.expected.house,
                one.expected.code,
                one.expected.session,
                one.expected.instance,
            )
            if part
        )
        for one in day.of(state)
        if one.expected is not None and not one.expected.if_applicable
    )


class _Faulty(FakeReportSource):
    """A source that cuts short, refuses, or loses the connection once."""

    def __init__(self, site: FakeSite, endpoint: Endpoint, faults: dict[str, str]) -> None:
        super().__init__(site, endpoint)
        self._faults = faults

    async def fetch(self, reports: Iterable[ListedReport]) -> AsyncGenerator[Delivery]:
        """Fetch, with what was drawn going wrong."""
        for report in reports:
            fault = self._faults.get(report.name)
            stored = self.site.reports[report.name]
            if fault == "refused":
                yield ReportFailed(report, Rejected(f"{report.name} is refused"))
                continue
            if fault == "lost":
                del self._faults[report.name]
                yield ReportChunk(report, 0, stored.content[:3])
                raise Unreachable("the connection was lost")
            data = stored.content[:-1] if fault == "cut" else stored.content
            if data:
                yield ReportChunk(report, 0, data)
            yield ReportEnd(report, len(stored.content), stored.modified)
