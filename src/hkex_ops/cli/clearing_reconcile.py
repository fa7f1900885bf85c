"""``hkex-ops clearing reconcile``: the back office's book against the clearing house's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

from attrs import evolve, frozen
from cyclopts import Parameter, validators
from rich.console import Console

from hkex_ops.calendars import Calendar
from hkex_ops.clearing.columns import names_of
from hkex_ops.clearing.matching import BreakKind
from hkex_ops.clearing.results import AgedBreak, Tally, key_of
from hkex_ops.clearing.rules import MatchRules, rules_for
from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.clearing_desk import (
    ClearingDesk,
    EvidenceFolderOption,
    Gateway,
    clearing_desk,
    evidence_document,
    parse_business_day,
    say_evidence,
)
from hkex_ops.cli.counting import counting
from hkex_ops.cli.handing import hand_over
from hkex_ops.cli.options import (
    At,
    Config,
    Json,
    Site,
    Verbose,
    calendar_of,
    optional_settings,
    parse_at,
    system_clock,
)
from hkex_ops.cli.text import say, say_count
from hkex_ops.clock import Clock
from hkex_ops.config.clearing import ClearingSettings, match_rules
from hkex_ops.config.settings import Settings
from hkex_ops.flows.clearing.book_files import BookFile, book_file, of_day
from hkex_ops.flows.clearing.joining import Way
from hkex_ops.flows.clearing.proving import Proof, keep_evidence
from hkex_ops.flows.clearing.reconciling import (
    Book,
    Comparison,
    Reconciled,
    read_previous,
    reconcile as reconcile_books,
)
from hkex_ops.flows.clearing.spool import scratch_folder
from hkex_ops.flows.clearing.tabling import fetch_book, live_columns, require_mappings
from hkex_ops.flows.notifying.streams import occurrence_of_breaks
from hkex_ops.flows.packing import Packed
from hkex_ops.model import RecordKind, SiteRole

__all__ = ["LIVE", "book_file", "reconcile"]

LIVE = "live"
"""What stands for the clearing house itself, in the place of a file."""

MOST_SHOWN = 1000

_WORDS = {
    BreakKind.MISSING_HERE: "missing here",
    BreakKind.MISSING_THERE: "missing there",
    BreakKind.DIFFERENT: "different",
    BreakKind.DUPLICATE: "duplicate",
    BreakKind.LATE: "late",
}


def reconcile(
    *,
    ours: Annotated[Path, Parameter(help="The back office's file: CSV, or Parquet as fetched.")],
    theirs: Annotated[
        str, Parameter(help="A file that was fetched, or live: the gateway itself.")
    ] = LIVE,
    kind: Annotated[RecordKind, Parameter(help="What is compared.")] = RecordKind.TRADES,
    ours_columns: Annotated[
        Path | None, Parameter(help="What our columns are; else the configuration's.")
    ] = None,
    theirs_columns: Annotated[
        Path | None, Parameter(help="What their columns are; else as fetch writes them.")
    ] = None,
    business_date: Annotated[
        str | None,
        Parameter(help="Only what is of this business date; with live, the gateway's own."),
    ] = None,
    previous: Annotated[
        Path | None, Parameter(help="The last result (.jsonl): since when breaks have stood.")
    ] = None,
    out: Annotated[
        tuple[Path, ...], Parameter(help="Result file, .jsonl or .csv; several times.")
    ] = (),
    show: Annotated[
        int,
        Parameter(
            help="Breaks of each kind, and groups, that are shown.",
            validator=validators.Number(gte=0, lte=MOST_SHOWN),
        ),
    ] = 5,
    way: Annotated[
        Way, Parameter(help="How records are joined: in sorted pieces, or by DuckDB.")
    ] = Way.AUTO,
    site: Site = None,
    gateway: Gateway = None,
    evidence: EvidenceFolderOption = None,
    at: At = None,
    config: Config = None,
    verbose: Verbose = False,
    json: Json = False,
) -> Answer:
    """Compare the back office's records with the clearing house's; exit 1 on breaks.

    Every break is classed: missing here, missing there, different (with the columns in which they
    differ), duplicate, or late; counted in groups; and aged in business days by the last result.
    Numbers are compared exactly, within the tolerances that the configuration states. Comparing
    with live keeps evidence; comparing two files does where --evidence names a folder.
    """
    clock = system_clock()
    now = parse_at(at, clock)
    settings = optional_settings(config)
    clearing = settings.clearing if settings else ClearingSettings()
    rules, day = match_rules(clearing, kind), parse_business_day(business_date)
    left = book_file(ours, kind, ours_columns or clearing.columns)
    comparison = Comparison(
        now.date(),
        None if previous is None else read_previous(previous, rules),
        _business_days(calendar_of(config)),
        way,
        out,
        show,
        day,
    )
    asked = _Asked(rules, left, comparison, day, evidence, _telling(settings, clock, kind, now))
    if theirs != LIVE:
        return _with_file(asked, Path(theirs), theirs_columns, clock)
    desk = clearing_desk(config, gateway, at, verbose=verbose, as_json=json)
    return _with_gateway(asked, desk, desk.site(site))


@frozen
class _Asked:
    """What is compared with whatever the other side is."""

    rules: MatchRules
    ours: BookFile
    comparison: Comparison
    day: date | None
    evidence: Path | None
    tell: Callable[[Tally], None]


def _with_file(asked: _Asked, theirs: Path, columns: Path | None, clock: Clock) -> Answer:
    proof = None
    if asked.evidence is not None:
        proof = Proof("clearing-reconcile", asked.evidence, clock.now())
    right = book_file(theirs, asked.ours.kind, columns)
    rules = rules_for(asked.rules, asked.ours.columns, right.columns)
    found = _compared(asked, rules, right.book(rules, asked.day))
    return _answer(found, _kept(proof, found, clock))


def _with_gateway(asked: _Asked, desk: ClearingDesk, site: SiteRole) -> Answer:
    mappings = require_mappings(desk.answers(), asked.ours.kind)
    rules = rules_for(asked.rules, asked.ours.columns, live_columns(mappings))
    with desk.proving("reconcile", asked.evidence) as proof, scratch_folder() as folder:
        book, fetched = asyncio.run(
            fetch_book(desk.configured, site, mappings, rules, folder, asked.day)
        )
        # A gateway is asked about one business date; what we have of others it was not asked.
        day = fetched.business_date
        asked = evolve(asked, day=day, comparison=evolve(asked.comparison, business_date=day))
        found = _compared(asked, rules, evolve(book, records=of_day(book.records, rules, day)))
    proof.event("records-fetched", fetched.document())
    proof.decisions(str(fetched.gateway), desk.configured.decided)
    return _answer(found, _kept(proof, found, desk.clock))


def _compared(asked: _Asked, rules: MatchRules, theirs: Book) -> Reconciled:
    ours = asked.ours.book(rules, asked.day)
    with counting() as count:
        found = reconcile_books(
            rules,
            evolve(ours, records=count(ours.records, "ours")),
            evolve(theirs, records=count(theirs.records, "theirs")),
            asked.comparison,
        )
    asked.tell(found.tally)
    return found


def _telling(
    settings: Settings | None, clock: Clock, kind: RecordKind, at: datetime
) -> Callable[[Tally], None]:
    """Tells of breaks whoever is to be told by the configuration."""

    def tell(tally: Tally) -> None:
        kinds = {one.value: count for one, count in tally.kinds.items() if count}
        if kinds:
            told = occurrence_of_breaks(kind.value, kinds, at)
            hand_over(settings, clock, lambda: (told,))

    return tell


def _business_days(calendar: Calendar) -> Callable[[date, date], int]:
    def count(since: date, until: date) -> int:
        if until <= since:
            return 0
        return len(calendar.business_days(since + timedelta(days=1), until))

    return count


def _kept(proof: Proof | None, found: Reconciled, clock: Clock) -> Packed | None:
    if proof is None:
        return None
    proof.event("reconciled", {**found.head(), "tally": found.tally.document(found.rules)})
    proof.file("result.json", found.document())
    return keep_evidence(proof, clock)


def _answer(found: Reconciled, packed: Packed | None) -> Answer:
    def render(console: Console) -> None:
        _render(found, console)
        say_evidence(packed, console)

    return Answer(
        {**found.document(), "way": found.way.value, "evidence": evidence_document(packed)},
        render,
        ExitCode.FINDINGS if found.tally.breaks else ExitCode.DONE,
    )


def _render(found: Reconciled, console: Console) -> None:
    tally, rules, show = found.tally, found.rules, found.shown
    say(
        console,
        f"{rules.kind} as of {found.as_of}: {tally.ours} here, {tally.theirs} there; "
        f"{tally.matched} agree, {say_count(tally.breaks, 'break')}",
    )
    for kind in BreakKind:
        if tally.kinds[kind]:
            say(console, f"{tally.kinds[kind]}", lead=f"  {_WORDS[kind]:<14}")
            _render_examples(rules, found.examples.get(kind, ()), tally.kinds[kind], console)
    if tally.columns:
        told = ", ".join(f"{name} {count}" for name, count in sorted(tally.columns.items()))
        say(console, f"columns that differ: {told}", indent=2)
    if tally.groups and rules.group_by:
        console.print()
        say(console, f"By {', '.join(rules.group_by)}:")
        for group, counts in tally.in_order()[:show]:
            say(console, f"{counts.total()}", lead=f"  {', '.join(group) or '-':<14}")
        if len(tally.groups) > show:
            say(console, f"and {len(tally.groups) - show} more", indent=2)
    if tally.breaks and found.previous is not None:
        told = ", ".join(f"{count} {name}" for name, count in tally.ages.items())
        say(console, f"Since the result of {found.previous}: {told}")
    if tally.carried:
        say(console, f"{say_count(tally.carried, 'break')} of other business dates carried on")
    if tally.resolved:
        say(console, f"{say_count(tally.resolved, 'break')} of the last result gone")


def _render_examples(
    rules: MatchRules, many: Sequence[AgedBreak], count: int, console: Console
) -> None:
    for one in many:
        key = " ".join(key_of(rules, one.found.row))
        say(console, _sentence(rules, one), lead=f"    {key}: ")
    if count > len(many):
        say(console, f"and {count - len(many)} more", indent=4)


def _sentence(rules: MatchRules, aged: AgedBreak) -> str:
    found, names = aged.found, names_of(rules.kind)
    parts: list[str] = []
    if found.ours and found.theirs:
        for name in found.differing:
            place = names.index(name)
            parts.append(f"{name} {found.ours.row[place]} here, {found.theirs.row[place]} there")
        if found.kind is BreakKind.LATE:
            place = names.index(rules.late_by)
            here, there = found.ours.row[place], found.theirs.row[place]
            parts.insert(0, f"{rules.late_by} {here} here, {there} there")
    elif found.kind is BreakKind.DUPLICATE:
        parts.append(f"once more {found.where}")
    places = [
        f"{side} {placed.place}"
        for side, placed in (("ours", found.ours), ("theirs", found.theirs))
        if placed is not None
    ]
    parts.append(f"({', '.join(places)})")
    days = f", {say_count(aged.age_days, 'business day')} old" if aged.age_days else ""
    return "; ".join(parts[:-1]) + (" " if parts[:-1] else "") + parts[-1] + days
