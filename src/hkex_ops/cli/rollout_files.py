"""``hkex-ops rollouts check`` and ``new``: the file that someone writes for the next circular."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.options import Config, Json, calendar_of
from hkex_ops.cli.text import say
from hkex_ops.config.shipped import rollout_template, structure_rollout
from hkex_ops.config.structuring import read_text
from hkex_ops.errors import ConfigError, Fault
from hkex_ops.flows.outputs import write_new_file
from hkex_ops.model import Rollout, plain

__all__ = ["check", "new"]


def check(file: Path, /, *, config: Config = None, json: Json = False) -> Answer:
    """Judge a rollout file: every fault at once, with its path. Exits 1 when there is one.

    Parameters
    ----------
    file
        The TOML file, such as one that began with `hkex-ops rollouts new`.
    """
    text = read_text(file, what="rollout file")
    rollout: Rollout | None = None
    faults: tuple[Fault, ...] = ()
    try:
        rollout = structure_rollout(text, calendar_of(config), document=str(file))
    except ConfigError as error:
        faults = error.faults
    return Answer(
        {
            "file": str(file),
            "rollout": None if rollout is None else rollout.id,
            "faults": [plain(fault) for fault in faults],
        },
        lambda console: _render_check(file, rollout, faults, console),
        ExitCode.FINDINGS if faults else ExitCode.DONE,
    )


def new(
    *,
    output: Annotated[
        Path | None,
        Parameter(
            name=["--out", "--output", "-o"], help="File to write, which must be new; else stdout."
        ),
    ] = None,
    json: Json = False,
) -> Answer:
    """Give a commented rollout file to start from. It passes the check as it is."""
    text = rollout_template()
    if output is None:
        return Answer(
            {"file": None, "text": text},
            lambda console: console.print(
                text, end="", markup=False, emoji=False, highlight=False, soft_wrap=True
            ),
        )
    write_new_file(output, text.encode())
    return Answer(
        {"file": str(output), "text": text},
        lambda console: say(console, f"{output} written: fill it in, then check it"),
    )


def _render_check(
    file: Path, rollout: Rollout | None, faults: Sequence[Fault], console: Console
) -> None:
    if rollout is not None:
        counts = [
            f"{len(things)} {name}{'' if len(things) == 1 else 's'}"
            for name, things in (
                ("session", rollout.sessions),
                ("connection", rollout.connections),
                ("requirement", rollout.requirements),
                ("restriction", rollout.restrictions),
            )
        ]
        say(console, f"{file} is sound: rollout {rollout.id} with {', '.join(counts)}")
        return
    say(console, f"{file} has {len(faults)} {'fault' if len(faults) == 1 else 'faults'}")
    for fault in faults:
        say(console, fault.message, lead=f"  {fault.path}: " if fault.path else "  ")
