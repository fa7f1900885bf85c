"""``hkex-ops clearing reentry``: what has to be put in again after a fallback."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hkex_ops.clearing.columns import record_of
from hkex_ops.clearing.lines import Placed
from hkex_ops.clearing.reentry import (
    TickKind,
    TickTransaction,
    due_since,
)
from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.clearing_desk import ClearingDesk, DryRun, Gateway, clearing_desk
from hkex_ops.cli.clearing_list import list_document, list_file, list_view, render_list
from hkex_ops.cli.clearing_reconcile import LIVE
from hkex_ops.cli.options import At, Config, Json, Site, Verbose, parse_at, parse_instant
from hkex_ops.cli.papers import known_papers
from hkex_ops.cli.working import By, Desk, Remark, Work, desk_of
from hkex_ops.config.clearing import ClearingSettings
from hkex_ops.config.record_forms import load_file_forms
from hkex_ops.errors import ConfigError, UsageError
from hkex_ops.flows.clearing.book_files import book_file
from hkex_ops.flows.clearing.reentering import (
    list_transactions,
    reentry_of,
    tick_transaction,
)
from hkex_ops.flows.clearing.tabling import fetch_list, require_mappings
from hkex_ops.flows.journal import Journal, read_journal
from hkex_ops.flows.outputs import write_new_file
from hkex_ops.model import ClearingTransaction, RecordKind

__all__ = ["reentry"]

CUTOVER = "cutover"
"""What stands for the beginning of the fallback plan's window."""

_KIND = RecordKind.TRANSACTIONS


def reentry(
    *,
    since: Annotated[str, Parameter(help="cutover, or an ISO 8601 time.")] = CUTOVER,
    ours: Annotated[
        str | None,
        Parameter(help="The record of what was put in, or live; else the configuration's."),
    ] = None,
    rollout: Annotated[
        str | None, Parameter(help="Whose fallback; else the one that has a plan.")
    ] = None,
    done: Annotated[
        tuple[str, ...], Parameter(help="Reference of one that was put in again; several times.")
    ] = (),
    excuse: Annotated[
        tuple[str, ...], Parameter(help="Reference of one that need not be; --remark says why.")
    ] = (),
    reopen: Annotated[
        tuple[str, ...], Parameter(help="Reference whose tick was wrong; --remark says why.")
    ] = (),
    by: By = "",
    remark: Remark = "",
    out: Annotated[
        tuple[Path, ...], Parameter(help="List as a file, .csv or .jsonl; several times.")
    ] = (),
    dry_run: DryRun = False,
    site: Site = None,
    gateway: Gateway = None,
    at: At = None,
    work: Work = None,
    config: Config = None,
    verbose: Verbose = False,
    json: Json = False,
) -> Answer:
    """List every clearing transaction to be put in again after a return to the previous platform.

    Those are the ones put in since the cutover, from the desk's own record. Each is shown with who
    put it in, the reports in the archive that prove it, and how it stands; the list and every tick
    are kept in the rollout's journal, and nothing is ever taken off it. Exits 1 while one is open
    or without proof.
    """
    desk = desk_of(_rollout(rollout, config), config, work)
    instant = parse_at(at, desk.clock)
    start = _start(desk, since)
    clearing = desk.settings.clearing if desk.settings else ClearingSettings()
    if ours == LIVE:
        gateway_desk = clearing_desk(config, gateway, at, verbose=verbose, as_json=json)
        records = _live(gateway_desk, site, start)
    else:
        records = _recorded(ours, clearing, desk)
    found = due_since(records, start, instant)
    ticks = [
        TickTransaction(reference, kind, by, instant, remark)
        for kind, references in (
            (TickKind.REENTERED, done),
            (TickKind.EXCUSED, excuse),
            (TickKind.REOPENED, reopen),
        )
        for reference in references
    ]
    source = ours or str(clearing.transactions or "")
    if (found or ticks) and not dry_run:
        _keep(desk, found, source, ticks)
    view = list_view(desk, start, instant, clearing, found if dry_run else ())
    for path in out:
        write_new_file(path, list_file(view, path))
    return Answer(
        list_document(view),
        lambda console: render_list(view, console),
        ExitCode.FINDINGS if view.open or view.unproven else ExitCode.DONE,
    )


def _start(desk: Desk, since: str) -> datetime:
    plan = desk.rollout.fallback
    assert plan is not None, "chosen for its plan"
    start = plan.window.start.at if since == CUTOVER else parse_instant(since, "--since")
    if start is None:
        raise UsageError(f"{plan.name} states no cutover: give --since a time")
    return start


def _keep(
    desk: Desk,
    found: Sequence[ClearingTransaction],
    source: str,
    ticks: Sequence[TickTransaction],
) -> None:
    now = desk.clock.now()
    with Journal.open(desk.work, desk.rollout.id, clock=desk.clock) as journal:
        list_transactions(journal, found, source, now)
        for one in ticks:
            tick_transaction(journal, desk.rollout, one, now)


def _rollout(id: str | None, config: Path | None) -> str:
    papers, _ = known_papers(config)
    if id is not None:
        [chosen] = papers.chosen(id)
        if chosen.fallback is None:
            raise UsageError(f"{chosen.id} states no fallback plan")
        return chosen.id
    planned = [one.id for one in papers.rollouts.values() if one.fallback is not None]
    if len(planned) != 1:
        told = ", ".join(planned) or "none"
        raise UsageError(f"name the rollout whose fallback it is, with --rollout; planned: {told}")
    return planned[0]


# -- what was put in -----------------------------------------------------------------------------


def _recorded(
    ours: str | None, clearing: ClearingSettings, desk: Desk
) -> Sequence[ClearingTransaction]:
    """What the record says was put in; nothing where no record is named, for the list is kept."""
    path = Path(ours) if ours is not None else clearing.transactions
    if path is None:
        if reentry_of(read_journal(desk.work, desk.rollout.id)).transactions:
            return ()
        raise ConfigError(
            "no record says what was put in: give --ours FILE, or write transactions = FILE under "
            "[clearing]"
        )
    mapped = clearing.columns
    if mapped is not None and _KIND not in load_file_forms(mapped):
        mapped = None  # then the record is in the form that this library writes
    return _values(book_file(path, _KIND, mapped).records())


def _live(desk: ClearingDesk, site: str | None, start: datetime) -> Sequence[ClearingTransaction]:
    """What the clearing house has; how it was asked is kept as evidence."""
    mappings, place = require_mappings(desk.answers(), _KIND), desk.site(site)
    with desk.proving("reentry", None) as proof:
        placed, fetched = asyncio.run(
            fetch_list(desk.configured, place, mappings, _KIND, start.date())
        )
    proof.event("records-fetched", fetched.document())
    proof.decisions(str(fetched.gateway), desk.configured.decided)
    desk.keep(proof)
    return _values(placed)


def _values(placed: Iterable[Placed]) -> Sequence[ClearingTransaction]:
    records = (record_of(_KIND, one.row) for one in placed)
    return [one for one in records if isinstance(one, ClearingTransaction)]
