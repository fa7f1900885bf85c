"""``hkex-ops rehearse ID``: work a rollout against an exchange in a box, and keep the proof."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.logs import configure_logs
from hkex_ops.cli.options import Json, Verbose, system_clock
from hkex_ops.cli.text import say
from hkex_ops.config.shipped import load_calendar, load_rollouts, rollout_named
from hkex_ops.errors import StoreError, UsageError
from hkex_ops.model import Rollout
from hkex_ops_simulator.faults import Fault, require_possible
from hkex_ops_simulator.screen import Screen, row
from hkex_ops_simulator.staging import Rehearsed, outcome, rehearse_rollout
from hkex_ops_simulator.tree import DEFAULT_SEED

__all__ = ["rehearse"]

# Papers that tell of an incident: what they tell is re-enacted with an index, not with sessions.
_INCIDENTS = ("hsil-2010",)


def rehearse(
    rollout: str,
    /,
    *,
    fault: Annotated[
        Fault | None, Parameter(help="What shall go wrong; else nothing does.")
    ] = None,
    out: Annotated[
        Path | None, Parameter(help="New folder for the evidence; else ./evidence/ID-TIME.")
    ] = None,
    seed: Annotated[int, Parameter(help="Makes the synthetic reports.")] = DEFAULT_SEED,
    verbose: Verbose = False,
    json: Json = False,
) -> Answer:
    """Work a rollout against an exchange in a box on loopback, on a clock that jumps.

    Sessions, addresses, rules and dates are the circular's; all reports are synthetic. Where no
    adapter speaks to a system yet, a listener stands in, and the evidence says so. What a person
    would do is rehearsed in nobody's name. Nothing outside this machine is contacted and no
    configuration of yours is touched. Exits 1 when a step failed.

    Parameters
    ----------
    rollout
        Its id, such as rrs-2023.
    """
    configure_logs(verbose=verbose, as_json=json)
    if rollout in _INCIDENTS:
        raise UsageError(
            f"{rollout} is an incident and no rollout: it is rehearsed with the index, which this "
            "version does not have yet"
        )
    calendar = load_calendar()
    chosen = rollout_named(rollout, load_rollouts(calendar))
    if not chosen.sessions:
        raise UsageError(f"{chosen.id} states no session to rehearse")
    if fault is not None:
        require_possible(fault, chosen)
    target = out or _default_target(chosen)
    if target.exists():
        raise StoreError("is there already and is never overwritten", path=str(target))
    screen = Screen(Console(stderr=json, highlight=False))
    screen.begin(chosen)
    done = asyncio.run(rehearse_rollout(chosen, calendar, target, screen, fault=fault, seed=seed))
    return Answer(
        {
            "rollout": chosen.id,
            "outcome": outcome(done.rundown),
            "fault": fault.value if fault else None,
            "steps": [row(event) for event in screen.ended],
            "evidence": str(target),
            "seal": done.seal,
        },
        lambda console: _conclude(console, done, target),
        ExitCode.DONE if done.rundown.passed else ExitCode.FINDINGS,
    )


def _default_target(rollout: Rollout) -> Path:
    """A new folder under ``./evidence``, which is made when it is not there."""
    evidence = Path("evidence")
    try:
        evidence.mkdir(exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot be made: {error}; give --out", path=str(evidence)) from error
    return evidence / f"{rollout.id}-{system_clock().now():%Y%m%dT%H%M%S}"


def _conclude(console: Console, done: Rehearsed, target: Path) -> None:
    console.print()
    states = list(done.rundown.states.values())
    passed = sum(state.value == "passed" for state in states)
    say(console, f"{outcome(done.rundown).upper()}: {passed} of {len(states)} steps passed.")
    say(console, f"Evidence in {target}; prove it with: hkex-ops evidence verify {target}")
    say(console, f"Seal {done.seal}")
