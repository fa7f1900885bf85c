"""The golden values of 22 January 2010, each beside what the rehearsal, or the library, got.

Exact ones are held exactly, rounded ones as they were rounded, unconfirmed ones not at all; what
the papers contradict each other in stays contradicted. Expectations are written out here and come
from nowhere else. Called when both acts are over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from decimal import Decimal

from attrs import frozen

from hkex_ops.incidents.accounts import accounts_of
from hkex_ops.index.settlement_rules import MarkKind
from hkex_ops.index.ticks import moment_of
from hkex_ops.index.watch import OpeningCame, OpeningLate
from hkex_ops.model import Account, Incident, IndexStatus, JsonObject, TickKind
from hkex_ops_simulator.hsil.aftermath import Aftermath
from hkex_ops_simulator.hsil.anchors import HSCEI, HSI, INTERVAL_S, PREVIOUS_CLOSE_CENTS
from hkex_ops_simulator.hsil.expected import when
from hkex_ops_simulator.hsil.replayed import at
from hkex_ops_simulator.hsil.script import FIRST_TICK, MATCHING, OPENING
from hkex_ops_simulator.hsil.withheld import DECLARED

__all__ = ["Golden", "golden_values"]

_MATCHING_STATE = 2

# Remembered, not found in any paper: what is rounded is held against it, it is never asserted.
_PREVIOUS_CLOSE = Decimal(PREVIOUS_CLOSE_CENTS[HSI]).scaleb(-2)


@frozen
class Golden:
    """One value: what was published, and what came out. ``by`` says of what: an act, or the papers
    as the library holds them; ``exact`` is false where what was published is rounded."""

    what: str
    expected: str
    got: str
    by: str
    exact: bool = True

    @property
    def holds(self) -> bool:
        """Whether the two are one."""
        return self.expected == self.got

    def told(self) -> JsonObject:
        """The same as plain data."""
        return {
            "what": self.what,
            "expected": self.expected,
            "got": self.got,
            "holds": self.holds,
            "by": self.by,
            "exact": self.exact,
        }


def golden_values(done: Aftermath) -> tuple[Golden, ...]:
    """Every golden value, after both acts."""
    return (
        *_index_values(done),
        *_contracts(done),
        *_moments(done),
        *_settlement(done),
        *_papers(done.incident),
        *_inconsistencies(done),
        *_rounded(done),
    )


def _index_values(done: Aftermath) -> Iterator[Golden]:
    hsi = done.morning.withheld.first_after(HSI, DECLARED)
    hscei = done.morning.withheld.first_after(HSCEI, DECLARED)
    low = _lowest(done)
    for what, expected, got in (
        ("HSI, first value after the resumption", "20511.75", hsi and hsi.value),
        ("HSI, its time", "10:32:45", hsi and when(hsi.at)),
        ("HSI, day low told with it", "20496.05", hsi and hsi.low),
        ("HSCEI, first value after the resumption", "11747.41", hscei and hscei.value),
        ("HSCEI, its time", "10:33:00", hscei and when(hscei.at)),
        ("HSI, lowest recalculated value", "20496.05", low and low[0]),
        ("HSI, its time", "10:30:30", low and low[1]),
    ):
        yield Golden(what, expected, _text(got), "act 2")
    for code, name, moment, expected in (
        (HSI, "HSI", time(10, 30, 30), "20496.05"),
        (HSI, "HSI", time(10, 32, 45), "20511.75"),
        (HSCEI, "HSCEI", time(10, 33), "11747.41"),
    ):
        what = f"{name}, published in real time at {moment}"
        values = [
            tick.value
            for _, tick in done.morning.system.published
            if (tick.index, tick.at) == (code, at(moment))
        ]
        yield Golden(what, expected, _listed(values), "act 1")


def _contracts(done: Aftermath) -> Iterator[Golden]:
    calls, cancelled = done.judged_day.calls.calls, done.judged_day.cancellation
    gaps = {int((one.suspended_at - one.time).total_seconds()) for one in calls if one.time}
    levels = {one.product.call_level for one in calls}
    alarms = {(one.by.value, one.index_value) for one in done.judged_day.suspended}
    mark, step = at(time(10, 30)), timedelta(seconds=INTERVAL_S)
    steps = _listed((one.time - mark) / step for one in calls if one.time)
    for what, expected, got in (
        ("call level of the products called", "20500", _listed(levels)),
        ("products called and suspended", "13", len(calls)),
        ("figure that raised the alarm", "low 20496.05", _listed(f"{a} {b}" for a, b in alarms)),
        ("time of the mandatory calls", "10:30:30", _times(one.time for one in calls)),
        ("index level of the calls", "20496.05", _listed({one.index_value for one in calls})),
        ("time of the suspensions", "10:32:45", _times(one.suspended_at for one in calls)),
        ("seconds from call to suspension", "135", _listed(gaps)),
        ("intervals from the second snapshot to the call", "2.0", steps),
        ("trades after the call", "15", len(cancelled.trades)),
        ("products with such trades", "6", len(cancelled.products)),
        ("turnover of such trades, HK$", "47220", f"{cancelled.turnover:.0f}"),
        ("participants with such trades", "18", len(done.judged_day.participants)),
    ):
        yield Golden(what, expected, _text(got), "act 2")


def _moments(done: Aftermath) -> Iterator[Golden]:
    morning, chronicle = done.morning, done.morning.chronicle
    told = morning.withheld.told
    due = _times(one.due for one in told if isinstance(one, OpeningLate))
    came = _times(one.at for one in told if isinstance(one, OpeningCame))
    indicator = next(
        (one for one in morning.system.sessions if one.session == _MATCHING_STATE), None
    )
    heard = indicator is not None and moment_of(indicator.send_time_ns) == at(MATCHING)
    ordinary = [tick.at for _, tick in morning.system.published]
    first = min((tick.at for tick in morning.withheld.ticks if tick.at > at(OPENING)), default=None)
    for what, expected, got in (
        ("matching indicator", "09:50:00", f"{MATCHING}" if heard else "unknown"),
        ("opening index due", "09:50:30", due),
        ("error message", "09:52:00", chronicle.when("opening-late")),
        ("opening index came", "09:52:00", came),
        ("first real-time value", "10:00:15", _times([first] if first else [])),
        ("contingency triggered, about", "10:02:00", chronicle.when("contingency")),
        ("HKEx told of it, about", "10:05:00", chronicle.when("hkex-told")),
        ("snapshots, and mailed at", "10:15 10:17, 10:30 10:32", _snapshots(done)),
        ("calculation back, about", "10:27:00", chronicle.when("recovery-held")),
        ("last value before the contingency", "10:00:15", _last_before_contingency(done)),
    ):
        yield Golden(what, expected, _text(got), "act 2")
    act_1 = f"{when(ordinary[0])}, {when(min(one for one in ordinary if one > at(OPENING)))}"
    yield Golden("opening and first value", f"{OPENING}, {FIRST_TICK}", act_1, "act 1")


def _settlement(done: Aftermath) -> Iterator[Golden]:
    if not done.settlements:
        return
    marks = done.settlements["as_shown"].marks
    swallowed = [one for one in marks if one.kind is not MarkKind.PUBLISHED]
    for what, expected, got in (
        ("settlement marks of the day", "48", len(marks)),
        ("settlement marks that were not published", "6", len(swallowed)),
        (
            "those without a value of any kind",
            "10:05:00, 10:10:00, 10:20:00, 10:25:00",
            _times(one.at for one in swallowed if one.kind is MarkKind.MISSING),
        ),
        (
            "those with a mailed one",
            "10:15:00, 10:30:00",
            _times(one.at for one in swallowed if one.kind is MarkKind.CONTINGENCY),
        ),
    ):
        yield Golden(what, expected, _text(got), "act 2")


def _papers(incident: Incident) -> Iterator[Golden]:
    figures = {one.id: f"{one.value}" for one in incident.figures}
    for what, expected, id in (
        ("derivative warrants on the HSI that day", "348", "warrants-on-hsi"),
        ("CBBCs on the HSI that day", "734", "cbbcs-on-hsi"),
        ("derivative warrants on the HSCEI that day", "57", "warrants-on-hscei"),
        ("CBBCs on the HSCEI that day", "53", "cbbcs-on-hscei"),
        ("real-time indexes", "47", "real-time-indexes"),
        ("turnover of the cancelled trades, HK$", "47220", "turnover-cancelled"),
    ):
        yield Golden(what, expected, figures.get(id, "unknown"), "papers")
    for what, expected, moment in (
        ("time of the call confirmed in writing", "16:48", "call-time-confirmed"),
        ("second press release", "17:08", "second-press-release"),
        ("HKEx's press release", "11:49", "hkex-press-release"),
    ):
        yield Golden(what, expected, _accounts(incident, moment), "papers")


def _inconsistencies(done: Aftermath) -> Iterator[Golden]:
    """Both sides of each stay; none is smoothed."""
    incident = done.incident
    for what, expected, moment in (
        ("first press release, by HSIL and by HKEx", "12:26, 12:28", "first-press-release"),
        ("resumption, about and exactly", "10:33, 10:32:45", "dissemination-resumed"),
        ("trade files sent, the last after the 18:00 target", "17:47 to 18:13", "trade-files-sent"),
        ("participants told by phone", "before 18:00", "cancellations-notified"),
    ):
        yield Golden(what, expected, _accounts(incident, moment), "papers")
    files = done.morning.chronicle.when("trade-files")
    early = "before 18:00" if files and files < "18:00" else files
    yield Golden("trade files, in the rehearsal", "before 18:00", early, "act 2")


def _rounded(done: Aftermath) -> Iterator[Golden]:
    """Of what is known rounded only. Source: China News Service, 22 January 2010."""
    values = [tick for _, tick in done.morning.system.published if tick.index == HSI]
    closing = [tick for tick in values if tick.status is IndexStatus.CLOSING]
    opening = next(tick for tick in values if tick.status is IndexStatus.OPENING)
    low = min(tick.value for tick in values)
    opened = "20527 to 20528" if 20527 <= opening.value <= 20528 else f"{opening.value}"
    fell = "below 20263" if low < 20263 else f"{low}"
    changes = [tick.value - _PREVIOUS_CLOSE for tick in closing]
    parts = [f"{100 * change / _PREVIOUS_CLOSE:.2f}%" for change in changes]
    worst = "more than 600" if _PREVIOUS_CLOSE - low > 600 else f"{_PREVIOUS_CLOSE - low}"
    for what, expected, got in (
        ("HSI, close, whole points", "20726", _listed(int(tick.value) for tick in closing)),
        ("HSI, change of the day", "-136", _listed(f"{change:.0f}" for change in changes)),
        ("HSI, change of the day in percent", "-0.65%", _listed(parts)),
        ("HSI, open", "20527 to 20528", opened),
        ("HSI, opening lower by", "335", f"{_PREVIOUS_CLOSE - opening.value:.0f}"),
        ("HSI, day low, after the resumption", "below 20263", fell),
        ("HSI, lower at worst by", "more than 600", worst),
    ):
        yield Golden(what, expected, got, "act 1", exact=False)


# -- how a find is spelt -------------------------------------------------------------------------


def _lowest(done: Aftermath) -> tuple[str, str] | None:
    restated = done.judged_day.restated
    extremes = () if restated is None else restated.extremes
    return next(((f"{one.low}", when(one.low_at)) for one in extremes if one.index == HSI), None)


def _snapshots(done: Aftermath) -> str:
    mailed = {
        (tick.at, out)
        for out, tick in done.morning.withheld.shown
        if tick.kind is TickKind.CONTINGENCY
    }
    return ", ".join(f"{moment:%H:%M} {out:%H:%M}" for moment, out in sorted(mailed))


def _last_before_contingency(done: Aftermath) -> str:
    shown = done.morning.withheld.shown
    return _times([max((tick.at for out, tick in shown if out < at(DECLARED)), default=None)])


def _accounts(incident: Incident, moment: str) -> str:
    """Every time that some teller gives for a moment, in the tellers' order."""
    return _listed(_account(one) for one in accounts_of(incident, moment))


def _account(told: Account) -> str:
    begins = _clock(told.at.at)
    ends = None if told.until is None else _clock(told.until.at)
    if ends is None:
        return begins or "unknown"
    return f"{begins} to {ends}" if begins else f"before {ends}"


def _clock(moment: datetime | None) -> str | None:
    """To the minute where a paper writes no seconds."""
    return None if moment is None else f"{moment:%H:%M:%S}".removesuffix(":00")


def _times(moments: Iterable[datetime | None]) -> str:
    return _listed(when(one) for one in moments if one is not None)


def _listed(values: Iterable[object]) -> str:
    """Each once; there should be one."""
    return ", ".join(dict.fromkeys(str(one) for one in values)) or "unknown"


def _text(got: object) -> str:
    return "unknown" if got is None else str(got)
