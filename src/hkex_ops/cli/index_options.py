"""Options that the commands of ``hkex-ops index`` share, and how their texts become values."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hkex_ops.cli.options import parse_day, parse_instant
from hkex_ops.clock import Clock
from hkex_ops.config.settings import Settings
from hkex_ops.flows.index.run_plan import run_folder
from hkex_ops.model import HONG_KONG

__all__ = [
    "Baskets",
    "BusinessDay",
    "JsonLines",
    "RunFolder",
    "moment_on",
    "planned_date",
    "run_folder_of",
]

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


def moment_on(day: date, text: str, option: str) -> datetime:
    """The moment that the text of ``option`` states: an instant, or a bare time of ``day``."""
    try:
        return datetime.combine(day, time.fromisoformat(text), HONG_KONG)
    except ValueError:
        return parse_instant(text, option)


def run_folder_of(settings: Settings, folder: Path | None, text: str | None, clock: Clock) -> Path:
    """The folder of the run of the date that was named, or of today's."""
    return run_folder(settings, planned_date(text, clock), folder)
