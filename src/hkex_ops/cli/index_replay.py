"""``hkex-ops index replay``: a day computed again from its capture, at full speed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Annotated

from attrs import define, field
from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.index_captures import (
    BasketFile,
    HowRead,
    basket_file,
    capture_files,
    reading_progress,
)
from hkex_ops.cli.index_options import JsonLines, moment_on
from hkex_ops.cli.options import Config, system_clock
from hkex_ops.cli.text import say, say_count
from hkex_ops.config.baskets import load_baskets
from hkex_ops.errors import ConfigError, UsageError
from hkex_ops.flows.index.replay import Replay, ReplayPlan, ReplayWay
from hkex_ops.flows.index.replay_findings import ReplayFinding
from hkex_ops.flows.index.tick_text import SpellMoment, json_moment, spelling_of
from hkex_ops.flows.outputs import growing_file
from hkex_ops.index.ticks import TickComputed, moment_of, time_ns_of
from hkex_ops.model import JsonObject, format_event

__all__ = ["replay"]

SHOWN = 20
"""A person is shown so many findings; ``--json`` has more of them."""


def replay(
    *captures: Path,
    baskets: BasketFile = None,
    way: Annotated[
        ReplayWay,
        Parameter(
            help="What computes: plain Python, numpy (vector), compiled code, or a whole engine. "
            "Values and marks are the same."
        ),
    ] = ReplayWay.PLAIN,
    from_: Annotated[
        str | None,
        Parameter(
            name="--from",
            help="First moment of a capture without trading sessions; from then on there are "
            "values all the time.",
        ),
    ] = None,
    out: Annotated[
        tuple[Path, ...],
        Parameter(
            name=["--out", "--output", "-o"],
            help="A new file for the ticks: .csv or .jsonl; again for more.",
        ),
    ] = (),
    how: HowRead = HowRead(),  # noqa: B008
    config: Config = None,
    json: JsonLines = False,
) -> Answer | ExitCode:
    """Compute a day again from captures of the market feed, at full speed.

    Memory does not grow with them. Says what is amiss: damage, losses, trades out of sequence. What
    a loss makes doubtful is marked. Exits 1 when something of that makes values doubtful, or when
    there is no value.

    Parameters
    ----------
    captures
        pcap or pcapng files with both lines, in order of time; or a folder of ``index record``.
    """
    if not captures:
        raise UsageError("there is nothing to replay: name a capture")
    path = basket_file(baskets, config)
    known = load_baskets(path)
    if not known:
        raise ConfigError("holds no basket: there is nothing to compute", document=str(path))
    day = known[0].business_date
    reading = how.reading(day, config)
    again = Replay(
        ReplayPlan(
            known,
            reading.rules,
            way,
            specification=reading.codec.spec,
            streams=reading.streams,
            first_ns=None if from_ is None else time_ns_of(moment_on(day, from_, "--from")),
        )
    )
    seen = _Seen()
    began = time.perf_counter()
    with ExitStack() as stack:
        writers = [_writer(stack, file, reading.rules.decimals) for file in out]
        if json:
            writers.append(_stdout(reading.rules.decimals))
        progress = stack.enter_context(reading_progress())
        for moment in again.moments(*capture_files(captures), progress=progress):
            seen.take(moment)
            for write in writers:
                write(moment)
    took_s = time.perf_counter() - began
    doubtful = not seen.ticks or any(finding.grave for finding in again.findings)
    code = ExitCode.FINDINGS if doubtful else ExitCode.DONE
    if json:
        _tell(again.findings, seen, took_s)
        return code
    return Answer({}, lambda console: _render(day, again, seen, out, took_s, console), code)


@define
class _Seen:
    """What came of it so far."""

    ticks: int = 0
    moments: int = 0
    marked: int = 0
    indexes: set[str] = field(factory=set[str])
    first_ns: int = 0
    last_ns: int = 0

    def take(self, moment: Sequence[TickComputed]) -> None:
        if not moment:
            return
        self.first_ns = self.first_ns or moment[0].time_ns
        self.last_ns = moment[0].time_ns
        self.moments += 1
        self.ticks += len(moment)
        self.marked += sum(tick.marked for tick in moment)
        self.indexes.update(tick.index for tick in moment)


# -- ticks as text -------------------------------------------------------------------------------

_Write = Callable[[Sequence[TickComputed]], None]


def _writer(stack: ExitStack, path: Path, decimals: int) -> _Write:
    head, spell = spelling_of(path)
    write = stack.enter_context(growing_file(path))
    write(head.encode())
    return _spelt(spell, decimals, lambda text: write(text.encode()))


def _stdout(decimals: int) -> _Write:
    return _spelt(json_moment, decimals, sys.stdout.write)


def _spelt(spell: SpellMoment, decimals: int, put: Callable[[str], object]) -> _Write:
    def write(moment: Sequence[TickComputed]) -> None:
        put(spell(moment, decimals))

    return write


# -- what came of it -----------------------------------------------------------------------------


def _tell(findings: Sequence[ReplayFinding], seen: _Seen, took_s: float) -> None:
    """Findings, and at the end the sum of it, as events among the ticks."""
    now = system_clock().now()
    told: list[JsonObject] = [
        {
            "event": "replay-finding",
            "at": (finding.at or now).isoformat(),
            "kind": finding.kind.value,
            "grave": finding.grave,
            "channel": finding.channel,
            "message": finding.message,
        }
        for finding in findings
    ]
    told.append(
        {
            "event": "replayed",
            "at": now.isoformat(),
            "ticks": seen.ticks,
            "moments": seen.moments,
            "marked": seen.marked,
            "elapsed_ms": round(took_s * 1_000),
        }
    )
    sys.stdout.write("".join(format_event(one) + "\n" for one in told))
    sys.stdout.flush()


def _render(
    day: date,
    again: Replay,
    seen: _Seen,
    out: Sequence[Path],
    took_s: float,
    console: Console,
) -> None:
    if seen.ticks:
        indexes = len(seen.indexes)
        say(
            console,
            f"{day}: {say_count(seen.ticks, 'tick')} of "
            f"{indexes} {'index' if indexes == 1 else 'indexes'}, "
            f"{moment_of(seen.first_ns):%H:%M:%S} to {moment_of(seen.last_ns):%H:%M:%S}, "
            f"computed in {took_s:.1f} s ({again.plan.way})",
        )
    else:
        say(
            console,
            f"{day}: no value: the capture has no trading session with trades in it (--from gives "
            "values without one), or its addresses are others (--base-port, --line-b)",
        )
    if seen.marked:
        say(console, f"{say_count(seen.marked, 'tick')} marked: stocks in them are stale")
    for finding in again.findings[:SHOWN]:
        say(console, finding.message, lead=f"  {finding.kind}: ")
    if len(again.findings) > SHOWN:
        say(console, f"and {len(again.findings) - SHOWN} more findings", indent=2)
    for path in out:
        say(console, f"Written: {path}")
