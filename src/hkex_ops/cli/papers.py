"""What every question about the papers takes: when, which rollouts, for whom, whose calendar."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

from attrs import frozen
from cyclopts import Parameter

from hkex_ops.calendars import Calendar
from hkex_ops.cli.options import optional_settings, parse_at, system_clock
from hkex_ops.config.shipped import load_calendar
from hkex_ops.flows.papers import ROLLOUTS_HOOK, Papers, load_papers
from hkex_ops.model import Rollout
from hkex_ops.plugins import Plugins
from hkex_ops.rollouts import audience_named

__all__ = ["Audience", "OneRollout", "Question", "ask", "known_papers"]

OneRollout = Annotated[
    str | None, Parameter(name="--rollout", help="Only this rollout's papers; else all.")
]
Audience = Annotated[
    str | None,
    Parameter(name="--audience", help="Only what is for this audience, such as CP; else all."),
]


@frozen
class Question:
    """What was asked, understood: `rollouts` are those the question is about."""

    at: datetime
    rollouts: tuple[Rollout, ...]
    audience: str | None
    calendar: Calendar


def ask(at: str | None, rollout: str | None, audience: str | None, config: Path | None) -> Question:
    """The question that four options put; `UsageError` for one that makes no sense."""
    instant = parse_at(at, system_clock())
    papers, calendar = known_papers(config)
    everyone = papers.rollouts.values()
    return Question(
        instant,
        papers.chosen(rollout),
        None if audience is None else audience_named(audience, everyone),
        calendar,
    )


def known_papers(config: Path | None) -> tuple[Papers, Calendar]:
    """Every rollout there is, and the calendar that resolved it.

    A plug-in that may have brought one and is broken is told on stderr: an answer without its
    rules must not look complete.
    """
    settings = optional_settings(config)
    calendar = load_calendar(settings.calendar.file if settings else None)
    plugins = Plugins.load(block=settings.plugins.block if settings else ())
    papers = load_papers(calendar, plugins, settings.rollouts.files if settings else ())
    for fault in plugins.faults:
        if fault.hook in ("", ROLLOUTS_HOOK):
            sys.stderr.write(f"hkex-ops: warning: {fault.error()}\n")
    return papers, calendar
