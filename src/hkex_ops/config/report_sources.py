"""Report sources as a configuration file states them, and how polite a client of one is.

Called by :mod:`hkex_ops.config.settings`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import cast

from attrs import Factory, frozen

from hkex_ops.errors import Fault
from hkex_ops.model import SiteRole
from hkex_ops.reports.dates import DateForm, spell_date

__all__ = [
    "Manners",
    "ReportSourceSettings",
    "UploadSettings",
    "has_dated_folder",
    "manners_faults",
    "of_business_date",
]

SHORTEST_POLL_S = 10
"""Members of clearing houses are told to poll in proportion; nothing refreshes faster than this."""

MOST_ATTEMPTS = 20
LONGEST_WAIT_S = 3600

_DATE_FIELD = re.compile(r"\{business_date:(?P<form>[A-Za-z]+)\}")


@frozen
class Manners:
    """How often a client of a source may ask, and how patient it is.

    A lost connection is tried again ``attempts`` times in all, waiting ``wait_s`` first and
    ``wait_longest_s`` at most. ``look_apart_s`` is how long a new file's size must have stood: seen
    alike in an earlier look so long ago, or in a second look after such a wait; with 0 the look
    that the end of the transfer is counts as the second. A watch looks every ``poll_s`` and gives
    up after ``failures`` looks in a row that failed.
    """

    attempts: int = 3
    wait_s: float = 0.5
    wait_longest_s: float = 5.0
    look_apart_s: float = 0.0
    poll_s: float = 300.0
    failures: int = 12

    def faults(self) -> Iterator[tuple[str, str]]:
        """What is wrong with them, as (key, sentence)."""
        if not 1 <= self.attempts <= MOST_ATTEMPTS:
            yield "attempts", f"must be from 1 to {MOST_ATTEMPTS}"
        if not 0 <= self.wait_s <= self.wait_longest_s <= LONGEST_WAIT_S:
            yield "wait_s", f"must be at most wait_longest_s, and that {LONGEST_WAIT_S}"
        if not 0 <= self.look_apart_s <= LONGEST_WAIT_S:
            yield "look_apart_s", f"must be from 0 to {LONGEST_WAIT_S}"
        if not SHORTEST_POLL_S <= self.poll_s <= LONGEST_WAIT_S:
            yield "poll_s", f"must be from {SHORTEST_POLL_S} to {LONGEST_WAIT_S}"
        if self.failures < 1:
            yield "failures", "must be at least 1"


@frozen
class UploadSettings:
    """What may be sent: only files whose whole name ``names`` matches. Without it nothing is."""

    names: str


@frozen
class ReportSourceSettings:
    """One place reports come from: which adapter, which service, where the client points now.

    A text of ``options`` may hold ``{business_date:YYYYMMDD}``: so a folder for each date is named.
    """

    adapter: str
    service: str
    site: SiteRole = SiteRole.PRIMARY
    drill_reports: tuple[str, ...] = ()
    options: dict[str, object] = Factory(dict[str, object])
    manners: Manners = Manners()
    upload: UploadSettings | None = None


def manners_faults(sources: Mapping[str, ReportSourceSettings]) -> Iterator[Fault]:
    """What is wrong with the sources, wherever it stands."""
    forms = [one.value for one in DateForm if one is not DateForm.NONE]
    for name, source in sources.items():
        at = f"report_sources.{name}"
        for key, message in source.manners.faults():
            yield Fault(f"{at}.manners.{key}", message)
        if source.upload is not None:
            try:
                re.compile(source.upload.names)
            except re.error as error:
                yield Fault(f"{at}.upload.names", f"is no regular expression: {error}")
        for text in _texts(source.options):
            for found in _DATE_FIELD.finditer(text):
                if found["form"] not in forms:
                    message = f"{found[0]}: a date is spelt as one of {', '.join(forms)}"
                    yield Fault(f"{at}.options", message)


def has_dated_folder(options: Mapping[str, object]) -> bool:
    """Whether a text of the options names a business date."""
    return any(_DATE_FIELD.search(text) for text in _texts(options))


def of_business_date(options: Mapping[str, object], day: date) -> dict[str, object]:
    """The options for one business date, its date spelt wherever a text asks for it."""
    return cast("dict[str, object]", _filled(options, day))


def _filled(value: object, day: date) -> object:
    if isinstance(value, str):
        return _DATE_FIELD.sub(lambda found: spell_date(day, DateForm(found["form"])), value)
    if isinstance(value, Mapping):
        table = cast("Mapping[str, object]", value)
        return {key: _filled(one, day) for key, one in table.items()}
    if isinstance(value, list):
        return [_filled(one, day) for one in cast("list[object]", value)]
    return value


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in cast("Mapping[str, object]", value).values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in cast("list[object]", value):
            yield from _texts(one)
