"""Options that the commands of ``hkex-ops index`` share, and how their texts become values."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hkex_ops.cli.options import parse_day
from hkex_ops.clock import Clock
from hkex_ops.config.settings import Settings
from hkex_ops.flows.index.run_plan import run_folder

__all__ = ["Baskets", "BusinessDay", "JsonLines", "RunFolder", "planned_date", "run_folder_of"]

Baskets = Annotated[
    Path | None,
    Parameter(name="--baskets", help="The basket file; else the configuration's."),
]
BusinessDay = Annotated[
    str | None,
    Parameter(name="--business-date", help="The date that is computed; today, if left out."),
]
RunFolder = Annotated[
    Path | None,
    Parameter(name="--folder", help="Where runs are kept; else the configuration's."),
]
JsonLines = Annotated[
    bool,
    Parameter(
        name="--json",
        negative="",
        help="One JSON document a line on stdout: every tick and every event.",
        show_default=False,
    ),
]


def planned_date(text: str | None, clock: Clock) -> date:
    """The business date that was named, or today's date."""
    return clock.now().date() if text is None else parse_day(text)


def run_folder_of(settings: Settings, folder: Path | None, text: str | None, clock: Clock) -> Path:
    """The folder of the run of the date that was named, or of today's."""
    return run_folder(settings, planned_date(text, clock), folder)
