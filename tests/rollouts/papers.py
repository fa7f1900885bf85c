"""The shipped circular, and edited copies of it."""

from __future__ import annotations

from importlib.resources import files

from hkex_ops.calendars import Calendar
from hkex_ops.config.shipped import load_calendar, structure_rollout
from hkex_ops.errors import ConfigError, Fault
from hkex_ops.model import Rollout

__all__ = ["CALENDAR", "RRS_2023", "TEXT", "edited", "faults_in", "structured"]

CALENDAR: Calendar = load_calendar()
TEXT: str = files("hkex_ops.rollouts").joinpath("data", "rrs-2023.toml").read_text("utf-8")


def structured(text: str) -> Rollout:
    """The rollout that ``text`` spells."""
    return structure_rollout(text, CALENDAR, document="rrs-2023.toml")


def edited(*edits: tuple[str, str]) -> str:
    """The shipped text with the first occurrence of each old text replaced by the new."""
    text = TEXT
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def faults_in(text: str) -> list[tuple[str, str]]:
    """What loading ``text`` complains of, as (path, message)."""
    try:
        structured(text)
    except ConfigError as error:
        return [_pair(fault) for fault in error.faults]
    return []


def _pair(fault: Fault) -> tuple[str, str]:
    return fault.path, fault.message


RRS_2023: Rollout = structured(TEXT)
