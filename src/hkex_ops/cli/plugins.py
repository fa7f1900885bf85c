"""``hkex-ops plugins``: what was found, what it offers, and why something is not in use."""

from __future__ import annotations

from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.options import Config, Json, optional_settings
from hkex_ops.cli.text import say
from hkex_ops.cli.tree import refuse_taken
from hkex_ops.config.shipped import load_calendar
from hkex_ops.flows.papers import load_papers
from hkex_ops.model import plain
from hkex_ops.plugins import LoadedPlugin, Plugins

__all__ = ["plugins"]


def plugins(*, config: Config = None, json: Json = False) -> Answer:
    """List the installed plug-ins, their offers and faults. Exits 1 when one is broken."""
    settings = optional_settings(config)
    loaded = Plugins.load(block=settings.plugins.block if settings else ())
    if loaded.rollouts():
        # Only reading them shows what is wrong with them.
        load_papers(load_calendar(settings.calendar.file if settings else None), loaded)
    refuse_taken(loaded)
    rows = loaded.rows()
    return Answer(
        {"plugins": [plain(row) for row in rows]},
        lambda console: _render(rows, console),
        ExitCode.FINDINGS if loaded.faults else ExitCode.DONE,
    )


def _render(rows: tuple[LoadedPlugin, ...], console: Console) -> None:
    if not rows:
        say(console, "no plug-in is installed")
    for row in rows:
        say(console, f"{row.distribution} {row.version}  ({row.name})")
        for offer in row.offers:
            say(console, offer, lead="  offers ")
        if row.fault:
            say(console, row.fault, lead="  FAULT  ")
