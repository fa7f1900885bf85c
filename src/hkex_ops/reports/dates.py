"""Dates as the names of reports spell them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import lru_cache

__all__ = ["DATE_SHAPES", "DateForm", "parse_business_date", "spell_date"]


class DateForm(StrEnum):
    """How a name spells its business date."""

    YYYYMMDD = "YYYYMMDD"
    DDMMYYYY = "DDMMYYYY"
    YYMMDD = "yymmdd"
    YYYYMMMDD = "yyyymmmdd"  # the month by its first three letters, in any case
    NONE = "none"  # the name has no date, the folder has


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_YEAR, _MONTH, _DAY = r"(?P<year>[0-9]{4})", r"(?P<month>[0-9]{2})", r"(?P<day>[0-9]{2})"
# In ASCII digits only. A two-digit year is of this century: files that carry one began after 2000.
_READING = {
    DateForm.YYYYMMDD: re.compile(_YEAR + _MONTH + _DAY),
    DateForm.DDMMYYYY: re.compile(_DAY + _MONTH + _YEAR),
    DateForm.YYMMDD: re.compile(r"(?P<year>[0-9]{2})" + _MONTH + _DAY),
    DateForm.YYYYMMMDD: re.compile(_YEAR + r"(?P<month>[A-Za-z]{3})" + _DAY),
}
DATE_SHAPES: Mapping[DateForm, str] = {
    DateForm.YYYYMMDD: "[0-9]{8}",
    DateForm.DDMMYYYY: "[0-9]{8}",
    DateForm.YYMMDD: "[0-9]{6}",
    DateForm.YYYYMMMDD: "[0-9]{4}[A-Za-z]{3}[0-9]{2}",
}


@lru_cache(maxsize=4096)
def parse_business_date(text: str, form: DateForm) -> date | None:
    """The date that ``text`` spells in ``form``; nothing when it spells none.

    A folder spells few dates and many names, so each is worked out once.
    """
    reading = _READING.get(form)
    match = None if reading is None else reading.fullmatch(text)
    if match is None:
        return None
    month = match["month"].upper()
    if form is DateForm.YYYYMMMDD:
        if month not in _MONTHS:
            return None
        month = str(_MONTHS.index(month) + 1)
    year = int(match["year"]) + (2000 if form is DateForm.YYMMDD else 0)
    try:
        return date(year, int(month), int(match["day"]))
    except ValueError:
        return None


def spell_date(day: date, form: DateForm) -> str:
    """``day`` as ``form`` spells it; nothing at all where the form is none.

    >>> spell_date(date(2023, 4, 14), DateForm.YYYYMMMDD)
    '2023APR14'
    """
    match form:
        case DateForm.YYYYMMDD:
            return f"{day.year:04}{day.month:02}{day.day:02}"
        case DateForm.DDMMYYYY:
            return f"{day.day:02}{day.month:02}{day.year:04}"
        case DateForm.YYMMDD:
            return f"{day.year % 100:02}{day.month:02}{day.day:02}"
        case DateForm.YYYYMMMDD:
            return f"{day.year:04}{_MONTHS[day.month - 1]}{day.day:02}"
        case DateForm.NONE:
            return ""
