"""What the commands of the desk's own work share: the rollout, its journal, who and when."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from attrs import frozen
from cyclopts import Parameter

from hkex_ops.calendars import Calendar
from hkex_ops.cli.options import optional_settings, system_clock
from hkex_ops.cli.papers import known_papers
from hkex_ops.clock import Clock
from hkex_ops.config.settings import Settings
from hkex_ops.errors import Denied
from hkex_ops.flows.journal import done_in
from hkex_ops.model import JsonObject, Rollout, plain

__all__ = [
    "By",
    "Desk",
    "Remark",
    "Work",
    "denied_document",
    "desk_of",
    "done_items",
    "now_of",
    "work_folder",
]

Work = Annotated[
    Path | None,
    Parameter(
        name="--work", help="Folder of the journals; else the configuration's, else the user's."
    ),
]
By = Annotated[str, Parameter(name="--by", help="Who says so.")]
Remark = Annotated[str, Parameter(name="--remark", help="What should be known about it.")]


@frozen
class Desk:
    """One rollout at one desk, as one command meets it."""

    rollout: Rollout
    calendar: Calendar
    settings: Settings | None
    work: Path
    clock: Clock


def work_folder(work: Path | None, settings: Settings | None) -> Path:
    """The folder of the journals: the option's, the configuration's, or the user's own."""
    if work is not None:
        return work
    if settings is not None and settings.work is not None:
        return settings.work.folder
    import platformdirs

    return platformdirs.user_state_path("hkex-ops") / "work"


def now_of() -> Clock:
    """The clock by which work is recorded; one place, so that tests can turn it."""
    return system_clock()


def desk_of(rollout: str, config: Path | None, work: Path | None) -> Desk:
    """The desk that works ``rollout``; raises what names and configuration deserve."""
    settings = optional_settings(config)
    papers, calendar = known_papers(config)
    (chosen,) = papers.chosen(rollout)
    return Desk(chosen, calendar, settings, work_folder(work, settings), system_clock())


def done_items(
    rollouts: Iterable[Rollout], config: Path | None, work: Path | None
) -> frozenset[str]:
    """The ids of agenda items that were done, as the journals of ``rollouts`` have it."""
    folder = work_folder(work, optional_settings(config))
    return done_in(folder, [rollout.id for rollout in rollouts])


def denied_document(denied: Denied) -> JsonObject:
    """What a document says of a refusal."""
    return {"rule": denied.rule, "source": denied.source, "until": plain(denied.until)}
