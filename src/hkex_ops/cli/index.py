"""``hkex-ops index run`` and ``check``: a run kept in the foreground, a basket file judged."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.index_facts import facts
from hkex_ops.cli.index_options import (
    Baskets,
    BusinessDay,
    JsonLines,
    RunFolder,
    planned_date,
)
from hkex_ops.cli.logs import configure_logs
from hkex_ops.cli.options import Config, Json, Verbose, config_path, system_clock
from hkex_ops.cli.text import say, say_count
from hkex_ops.cli.working import work_folder
from hkex_ops.config.baskets import load_baskets
from hkex_ops.config.settings import load_settings
from hkex_ops.errors import ConfigError, Fault
from hkex_ops.flows.index.run_plan import RunPlan, plan_run
from hkex_ops.flows.index.running import run_index
from hkex_ops.flows.index.supervisor import RunResult, RunWatcher
from hkex_ops.flows.occurring import Occurrences, hearers_of, occurrence_of_run
from hkex_ops.index.basket import Basket
from hkex_ops.model import IndexTick, JsonObject, format_event, format_tick, plain
from hkex_ops.plugins import Plugins

__all__ = ["check", "findings_in", "run"]


def run(
    *,
    engines: Annotated[
        int | None, Parameter(help="How many engines; else as many as there are engine_sites.")
    ] = None,
    feed: Annotated[
        str | None, Parameter(help="The [market_feeds.NAME] that every engine opens for itself.")
    ] = None,
    publish: Annotated[
        tuple[str, ...],
        Parameter(help="The [index_publishers.NAME] to publish to; several with commas, or again."),
    ] = (),
    baskets: Baskets = None,
    business_date: BusinessDay = None,
    folder: RunFolder = None,
    config: Config = None,
    verbose: Verbose = False,
    json: JsonLines = False,
) -> Answer | ExitCode:
    """Compute and publish index values, by engines that are processes of their own.

    Goes on until the feed ends or it is told to end (Ctrl-C). Started again on the same business
    date it resumes: what was published stands in the journal of the run folder, and nothing goes
    out twice. Exits 1 when something happened that a person should look at.
    """
    configure_logs(verbose=verbose, as_json=json)
    clock = system_clock()
    settings = load_settings(config_path(config))
    plugins = Plugins.load(block=settings.plugins.block)
    plan = plan_run(
        settings,
        plugins,
        planned_date(business_date, clock),
        engines=engines,
        feed=feed,
        publish=[name for names in publish for name in names.split(",") if name],
        baskets=baskets,
        folder=folder,
    )
    watcher = _json_lines() if json else facts()
    work = work_folder(None, settings)
    with Occurrences(hearers_of(settings, work, clock)) as occurrences:
        result = asyncio.run(run_index(plan, clock, _telling(watcher, occurrences)))
    code = ExitCode.FINDINGS if findings_in(result) else ExitCode.DONE
    if json:
        return code
    return Answer({}, lambda console: _render_ran(plan, result, console), code)


def check(file: Path, /, *, json: Json = False) -> Answer:
    """Judge a basket file: every fault at once, with its path. Exits 1 when there is one.

    Parameters
    ----------
    file
        The baskets of one business date, as TOML or JSON.
    """
    baskets: Sequence[Basket] = ()
    faults: tuple[Fault, ...] = ()
    try:
        baskets = load_baskets(file)
    except ConfigError as error:
        if not error.document:
            raise
        faults = error.faults
    return Answer(
        {
            "file": str(file),
            "business_date": plain(baskets[0].business_date) if baskets else None,
            "indexes": [basket.index for basket in baskets],
            "securities": len(_securities(baskets)) if baskets else None,
            "faults": [plain(fault) for fault in faults],
        },
        lambda console: _render_check(file, baskets, faults, console),
        ExitCode.FINDINGS if faults else ExitCode.DONE,
    )


def _securities(baskets: Sequence[Basket]) -> set[int]:
    return {stock.security for basket in baskets for stock in basket.constituents}


def _render_check(
    file: Path, baskets: Sequence[Basket], faults: Sequence[Fault], console: Console
) -> None:
    if baskets:
        stocks = say_count(len(_securities(baskets)), "stock")
        many = f"{len(baskets)} {'index' if len(baskets) == 1 else 'indexes'}"
        say(console, f"{file} is sound: {many} of {stocks}, for {baskets[0].business_date}")
        return
    say(console, f"{file} has {say_count(len(faults), 'fault')}")
    for fault in faults:
        say(console, fault.message, lead=f"  {fault.path}: " if fault.path else "  ")


# -- what is seen of a run ---------------------------------------------------------------------


def _json_lines() -> RunWatcher:
    """Everything on stdout, one document to a line, spelt as publishers spell it."""

    def event(document: JsonObject) -> None:
        sys.stdout.write(format_event(document) + "\n")
        sys.stdout.flush()

    def ticks(published: Sequence[IndexTick]) -> None:
        sys.stdout.write("".join(f"{format_tick(tick)}\n" for tick in published))
        sys.stdout.flush()

    return RunWatcher(event, ticks)


def _telling(watcher: RunWatcher, occurrences: Occurrences) -> RunWatcher:
    """The same watcher, and everybody who is told of events by the configuration."""

    def event(document: JsonObject) -> None:
        watcher.event(document)
        occurrences.tell(occurrence_of_run(document))

    return RunWatcher(event, watcher.ticks)


def findings_in(result: RunResult) -> list[str]:
    """What happened in a run that a person should look at, in words."""
    return [
        f"{count} {one if count == 1 else many}"
        for name, (one, many) in _FINDINGS.items()
        if (count := result.counts.get(name, 0))
    ]


_FINDINGS: Mapping[str, tuple[str, str]] = {
    "message-quarantined": ("message quarantined", "messages quarantined"),
    "process-died": ("process died", "processes died"),
    "process-hung": ("process hung", "processes hung"),
    "process-failed": ("process failed", "processes failed"),
    "mode-changed": ("change of mode", "changes of mode"),
    "engine-distrusted": ("engine found wrong", "engines found wrong"),
    "snapshot-differs": (
        "value that the standing check has otherwise",
        "values that the standing check has otherwise",
    ),
    "packets-dropped": ("time packets were dropped here", "times packets were dropped here"),
    "gap-lost": ("loss of messages", "losses of messages"),
    "moment-missed": ("moment without ticks", "moments without ticks"),
    "moment-incomplete": (
        "moment closed before every channel had passed it",
        "moments closed before every channel had passed them",
    ),
    "ticks-given-up": ("moment that a publisher lost", "moments that a publisher lost"),
    "checkpoint-failed": (
        "failure to write a checkpoint",
        "failures to write a checkpoint",
    ),
    "journal-failed": ("failure to write the journal", "failures to write the journal"),
}


def _render_ran(plan: RunPlan, result: RunResult, console: Console) -> None:
    say(
        console,
        f"{plan.business_date}: {say_count(result.published, 'tick')} published to "
        f"{', '.join(one.name for one in plan.publishers)}; {result.reason}",
    )
    for found in findings_in(result):
        say(console, found, indent=2)
    say(console, f"Journal in {plan.folder}")
