"""The second act after the resumption: contracts called, time found, trades listed, settlement.

What took until 16:48, and 18:13, in 2010 follows from the recalculated values within minutes; the
settlement and the comparison of chronologies wait for the close. All contracts, trades and stock
prices are SYNTHETIC. Called by the rehearsal; the files are its evidence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import time
from pathlib import Path

from attrs import define, field

from hkex_ops.calendars import BusinessDay
from hkex_ops.config.layouts import load_codec
from hkex_ops.flows.evidence import EvidenceFolder
from hkex_ops.flows.index.recomputing import CaptureReading, recompute
from hkex_ops.index.calls import CallTimeFound
from hkex_ops.index.restatement import Restatement, restatement
from hkex_ops.index.settlement import SettlementAnswer
from hkex_ops.index.settlement_rules import MarkKind
from hkex_ops.model import Incident, IndexStatus, IndexTick, format_tick
from hkex_ops.rundown import StepResult
from hkex_ops_simulator.hsil.anchors import HSI
from hkex_ops_simulator.hsil.as_it_was import TRADING, AsItWas
from hkex_ops_simulator.hsil.chronicle import OFFICIAL
from hkex_ops_simulator.hsil.contracts import products_csv, trades_csv
from hkex_ops_simulator.hsil.expected import NAMES, when
from hkex_ops_simulator.hsil.judged_day import JudgedDay, settlement_document
from hkex_ops_simulator.hsil.judging import Cited, judged
from hkex_ops_simulator.hsil.picture import page_of_morning
from hkex_ops_simulator.hsil.replayed import RULES_OF_2010, at
from hkex_ops_simulator.hsil.withheld import RESUMED, WITHHELD
from hkex_ops_simulator.planning import Planned, planned

__all__ = ["CLOSE", "Aftermath"]

CLOSE = "as-it-was-close"

# When it is done in the rehearsal: as soon as the resumption gives the alarm.
_SUSPENDED = time(10, 33, 10)
_RECALCULATED = time(10, 34)
_LISTED = time(10, 35)
_FILED = time(10, 40)
_SETTLED = time(16, 1, 30)
_PICTURED = time(16, 1, 40)
_COMPARED = time(16, 1, 50)

# How many marks of the settlement fell between the first value and the resumption: 10:05 to 10:30.
_SWALLOWED = 6
_FOLDER = "as-it-was"


@define
class Aftermath:
    """The rest of the second act, after ``morning``; files go to ``evidence``. ``capture`` names
    the recording of the day, whole by then."""

    morning: AsItWas
    incident: Incident
    day: BusinessDay
    evidence: EvidenceFolder
    capture: Callable[[], Path]
    judged_day: JudgedDay = field(init=False)
    settlements: dict[str, SettlementAnswer] = field(
        factory=dict[str, SettlementAnswer], init=False
    )

    def __attrs_post_init__(self) -> None:
        self.judged_day = JudgedDay(self.day)

    def steps(self) -> Iterator[Planned]:
        """Every step with its moment, in order."""
        for session, id, text, moment, act, place in (
            (
                TRADING,
                "suspension",
                "thirteen products with the call level 20500 are suspended by the day low",
                _SUSPENDED,
                self.suspension,
                "Annex 2, paragraph 8",
            ),
            (
                TRADING,
                "recalculation",
                "the values that never went out are recalculated; they tell when 20500 was crossed",
                _RECALCULATED,
                self.recalculation,
                "Annex 2, paragraph 8",
            ),
            (
                TRADING,
                "trades-listed",
                "the trades after the call are listed",
                _LISTED,
                self.trades_listed,
                "Annex 2, paragraph 8",
            ),
            (
                TRADING,
                "trade-files",
                "a trade file for each participant, before 18:00",
                _FILED,
                self.trade_files,
                "Annex 2, Appendix I and Appendix II 5",
            ),
            (
                CLOSE,
                "settlement",
                "the settlement marks of the day, with what each policy gives",
                _SETTLED,
                self.settlement,
                "Annex 2, Appendix II 7",
            ),
            (
                CLOSE,
                "page",
                "the page with the picture of the morning",
                _PICTURED,
                self.page,
                "Annex 1, section 5 b",
            ),
            (
                CLOSE,
                "chronology",
                "the chronology as written, beside the two official ones",
                _COMPARED,
                self.chronology,
                "Annex 1, Appendix 2; Annex 2, Appendix I",
            ),
        ):
            yield planned(session, id, text, at(moment), act, Cited(place))

    # -- contracts ---------------------------------------------------------------------------

    async def suspension(self) -> StepResult:
        """By the day low: the value that came with it stands above the level."""
        self.morning.withheld.play(at(_SUSPENDED))
        self.judged_day.see(self.morning.withheld.shown)
        stopped = self.judged_day.suspended
        calls = self.judged_day.calls.calls
        kinds = Counter((when(one.at), one.by.value, str(one.index_value)) for one in stopped)
        said = ", ".join(
            f"{count} at {moment} by the day {by} {level}"
            for (moment, by, level), count in kinds.items()
        )
        for (_, by, level), count in kinds.items():
            self.morning.chronicle.write(
                stopped[0].at,
                "suspension",
                f"{count} CBBCs on HSI of call level 20500 (SYNTHETIC) suspended automatically at "
                f"the resumption of index dissemination, due to the day {by} of {level}.",
            )
        unknown = all(call.time is None for call in calls)
        tail = "; when it was reached is not known yet" if unknown else ""
        return judged(len(kinds) == 1 and unknown, f"{said}{tail}", {"suspended": len(stopped)})

    async def recalculation(self) -> StepResult:
        """What the engines would have said, as ``index recalculate`` finds it in the capture; and
        what follows."""
        now = at(_RECALCULATED)
        found = self._restated()
        times = {
            when(event.call.time)
            for event in self.judged_day.recalculated(found, now)
            if isinstance(event, CallTimeFound) and event.call.time is not None
        }
        [low] = [one for one in found.extremes if one.index == HSI]
        counts = Counter(NAMES[row.index] for row in found.missing)
        missing = ", ".join(f"{count} of the {name}" for name, count in counts.items())
        self._add("recalculated.jsonl", found.ticks)
        self.morning.chronicle.write(
            now, "recalculation", f"Found that HSI reached {low.low} at {when(low.low_at)}."
        )
        said = (
            f"{missing} were missing; HSI {low.low} at {when(low.low_at)}, the first at or below "
            f"20500: called at {', '.join(sorted(times))} (confirmed at 16:48 in 2010)"
        )
        return judged(times == {when(low.low_at)}, said, {"missing": dict(counts)})

    async def trades_listed(self) -> StepResult:
        """Strictly later than the call."""
        cancelled = self.judged_day.cancellation
        said = (
            f"{len(cancelled.trades)} trades in {len(cancelled.products)} products, turnover "
            f"HK${cancelled.turnover.normalize():,f}, {len(self.judged_day.participants)} "
            "participants (SYNTHETIC, adding up to the published totals)"
        )
        text = f"Listed to be cancelled: {said}."
        self.morning.chronicle.write(at(_LISTED), "trades-listed", text)
        clear = not cancelled.ties and not cancelled.undecided
        return judged(bool(cancelled.trades) and clear, said, self.judged_day.calls_document())

    async def trade_files(self) -> StepResult:
        """Written, not sent: nobody is told anything by a rehearsal."""
        files = self.judged_day.call_files()
        for name, text in files.items():
            self.evidence.add(f"{_FOLDER}/calls/{name}", text)
        self.evidence.add(f"{_FOLDER}/products.csv", products_csv())
        self.evidence.add(f"{_FOLDER}/trades.csv", trades_csv())
        trade_files = sum(name.startswith("participants/") for name in files)
        drafts = sum(name.startswith("announcement-") for name in files)
        due = self.judged_day.files_due
        said = (
            f"{trade_files} trade files and {drafts} drafts of announcements at "
            f"{when(at(_FILED))}, due before {due:%H:%M} (the last left at 18:13 in 2010)"
        )
        self.morning.chronicle.write(at(_FILED), "trade-files", f"{said}.")
        whole = trade_files == len(self.judged_day.participants)
        return judged(whole and at(_FILED) < due, said, {"files": sorted(files)})

    # -- the close ---------------------------------------------------------------------------

    async def settlement(self) -> StepResult:
        """The marks that fell into the silence, and what can be done about them."""
        withheld = self.morning.withheld
        withheld.play(at(_SETTLED))
        self.judged_day.see(withheld.shown)
        shown, restated = withheld.ticks, self.judged_day.restated
        again = () if restated is None else restated.ticks
        self._add("shown.jsonl", shown)
        self.settlements = {
            "as_shown": self.judged_day.settlement(HSI, shown),
            "with_recalculated": self.judged_day.settlement(HSI, (*shown, *again)),
        }
        as_shown, whole = self.settlements.values()
        marks = {kind: sum(one.kind is kind for one in as_shown.marks) for kind in MarkKind}
        swallowed = [one for one in as_shown.marks if one.kind is not MarkKind.PUBLISHED]
        policies = ", ".join(
            f"{one.value} {one.eas}" for one in as_shown.policies if one.setting == "missing"
        )
        self.evidence.add(
            f"{_FOLDER}/settlement.json",
            {
                "notice": "from SYNTHETIC index values, which no settlement of 2010 was made of",
                **{name: settlement_document(one) for name, one in self.settlements.items()},
            },
        )
        said = (
            f"{len(as_shown.marks)} marks: {marks[MarkKind.PUBLISHED]} published, "
            f"{marks[MarkKind.CONTINGENCY]} mailed, {marks[MarkKind.MISSING]} with no value; then "
            f"EAS {as_shown.eas or 'refused'}, {policies}; recalculated {whole.eas} (SYNTHETIC)"
        )
        self.morning.chronicle.write(at(_SETTLED), "settlement", f"Settlement: {said}.")
        return judged(len(swallowed) == _SWALLOWED and not whole.missing, said)

    async def page(self) -> StepResult:
        """One page of each index: it opens offline."""
        restated = self.judged_day.restated
        if restated is None:
            return judged(False, "nothing was recalculated: there is no picture")
        names = {code: f"{name.casefold()}.html" for code, name in NAMES.items()}
        for code, name in names.items():
            text = page_of_morning(
                code, self.morning.withheld.ticks, restated, self.morning.chronicle
            )
            self.evidence.add(f"{_FOLDER}/{name}", text)
        said = ", ".join(f"{_FOLDER}/{name}" for name in names.values())
        return judged(True, f"{said}: published, mailed and recalculated values, the outage shaded")

    async def chronology(self) -> StepResult:
        """Row by row; nothing is smoothed."""
        chronicle = self.morning.chronicle
        self.evidence.add(f"{_FOLDER}/chronology.json", chronicle.document(self.incident))
        self.evidence.add(f"{_FOLDER}/chronology.txt", chronicle.text(self.incident))
        said: list[str] = []
        for teller in OFFICIAL:
            rows = chronicle.beside(self.incident, teller)
            paired = [row for row in rows if row.left is not None and row.right is not None]
            alone = sum(row.left is None for row in rows)
            differ = sum(row.differs for row in paired)
            said.append(
                f"{teller.upper()}: {len(paired)} rows paired, {differ} with other times, "
                f"{alone} of theirs alone"
            )
        found = f"{len(chronicle.rows)} rows written; {'; '.join(said)}"
        return judged(bool(chronicle.rows), found)

    # -- inside ------------------------------------------------------------------------------

    def _restated(self) -> Restatement:
        start, until = at(WITHHELD[0]), at(max(RESUMED.values()))
        found = recompute(
            [self.capture()],
            self.morning.system.day.baskets,
            self.day,
            CaptureReading(load_codec(), RULES_OF_2010),
            start=start,
            until=until,
            statuses={IndexStatus.REAL_TIME},
        )
        return restatement(found.ticks, self.morning.withheld.ticks, start=start, until=until)

    def _add(self, name: str, ticks: tuple[IndexTick, ...]) -> None:
        self.evidence.add(f"{_FOLDER}/{name}", "".join(f"{format_tick(one)}\n" for one in ticks))
