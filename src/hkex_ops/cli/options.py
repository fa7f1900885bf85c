"""Options that several commands share, and how their texts become values."""

from __future__ import annotations

import os
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hkex_ops.calendars import Calendar
from hkex_ops.cli.configuration import CONFIG_VARIABLE, user_config
from hkex_ops.clock import Clock, SystemClock
from hkex_ops.config.settings import Settings, load_settings
from hkex_ops.config.shipped import load_calendar
from hkex_ops.errors import ConfigError, UsageError
from hkex_ops.model import HONG_KONG, SiteRole

__all__ = [
    "At",
    "BusinessDate",
    "Config",
    "Json",
    "Site",
    "Source",
    "Verbose",
    "calendar_of",
    "config_path",
    "optional_settings",
    "parse_at",
    "parse_business_date",
    "parse_day",
    "parse_instant",
    "parse_site",
    "system_clock",
]

Json = Annotated[
    bool,
    Parameter(name="--json", negative="", help="One JSON document on stdout.", show_default=False),
]
Config = Annotated[
    Path | None,
    Parameter(
        name="--config",
        help=f"Configuration file; else ${CONFIG_VARIABLE}, else the user's own.",
    ),
]
At = Annotated[
    str | None,
    Parameter(name="--at", help="ISO 8601; without an offset it is Hong Kong's. Now, if left out."),
]
Site = Annotated[
    str | None,
    Parameter(name="--site", help="primary or secondary; else where the configuration points."),
]
Source = Annotated[
    str | None,
    Parameter(name="--source", help="Name of the report source, where there are several."),
]
Verbose = Annotated[
    bool,
    Parameter(name="--verbose", negative="", help="Log every event to stderr.", show_default=False),
]
BusinessDate = Annotated[
    str | None,
    Parameter(name="--business-date", help="The latest business day, if left out."),
]


LIKEST_SITE = 0.75
"""How like a site's name a word must be to have been meant: `prmary` is, `tertiary` is not."""


def system_clock() -> Clock:
    """The clock commands ask; one place, so that tests can turn it."""
    return SystemClock()


def config_path(config: Path | None) -> Path:
    """The configuration file to read: the option, the environment, or the user's own."""
    if config is not None:
        return config
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    path = user_config()
    if not path.exists():
        raise ConfigError(
            f"there is no configuration: give --config FILE, set {CONFIG_VARIABLE}, or write {path}"
        )
    return path


def parse_at(text: str | None, clock: Clock) -> datetime:
    """The instant an ``--at`` states; the clock's when there is none."""
    return clock.now() if text is None else parse_instant(text, "--at")


def parse_instant(text: str, option: str) -> datetime:
    """The instant that the text of ``option`` states; without an offset it is Hong Kong's."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{option} {text!r} is no ISO 8601 time; write it as 2023-04-20T10:00 or with an offset"
        ) from None
    return at.replace(tzinfo=HONG_KONG) if at.tzinfo is None else at.astimezone(HONG_KONG)


def parse_day(text: str) -> date:
    """A calendar date; `UsageError` when the text is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no date; write it as 2023-04-14") from None


def parse_business_date(text: str | None, calendar: Calendar, clock: Clock) -> date:
    """A business date; the latest one when there is no text, `UsageError` for any other day."""
    day = clock.now().date() if text is None else parse_day(text)
    if calendar.is_business_day(day):
        return day
    last = calendar.previous_business_day(day)
    if text is None:
        return last
    raise UsageError(
        f"{day} is no business day ({calendar.day(day).name}); the last one before it is {last}"
    )


def parse_site(text: str | None, default: SiteRole) -> SiteRole:
    """A site by name; `UsageError` names the nearest when there is none of that name."""
    if text is None:
        return default
    names = [site.value for site in SiteRole]
    if text not in names:
        near = get_close_matches(text, names, n=1, cutoff=LIKEST_SITE)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(names)}"
        raise UsageError(f"there is no site {text!r}; {hint}")
    return SiteRole(text)


def optional_settings(config: Path | None) -> Settings | None:
    """The settings, or nothing where no configuration was named and none is there."""
    named = config is not None or os.environ.get(CONFIG_VARIABLE)
    if not named and not user_config().exists():
        return None
    return load_settings(config_path(config))


def calendar_of(config: Path | None) -> Calendar:
    """The calendar, with the operator's own days where the configuration names a file."""
    settings = optional_settings(config)
    return load_calendar(settings.calendar.file if settings else None)
