"""Times as people write them into a log: ``10:05``, ``about 09:52``, ``10:15 to 10:17``.

A time of day alone is of the day that the caller names. Knows no clock and no calendar.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time

from hkex_ops.incidents.entries import TimeTold
from hkex_ops.model import HONG_KONG, Bound, Certainty

__all__ = ["parse_told", "say_told"]

_ABOUT = r"(?P<about>~|(?:about|around|approximately|approx\.?)\s+)?\s*"
_INSTANT = re.compile(
    _ABOUT + r"(?:(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[T ])?"
    r"(?P<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)"
    # 10:15-10:17 is a range: an offset goes only with a date.
    r"(?P<zone>(?(date)(?:Z|[+-][0-9]{2}:[0-9]{2})?))",
    re.IGNORECASE,
)
_RANGE = re.compile(r"\s+(?:to|-|–|until)\s+|\s*–\s*|(?<=[0-9])-(?=~?[0-9]{1,2}:)", re.IGNORECASE)
_ONWARDS = re.compile(r"\s+(?:onwards|on)$", re.IGNORECASE)
_FORMS = (
    "10:05, 10:05:30, about 09:52, 10:15 to 10:17, 10:03 onwards, "
    "2010-01-22T10:05 with any of these, or unknown"
)


def parse_told(text: str, day: date) -> TimeTold:
    """The time that ``text`` states; a time of day without a date is of ``day``.

    >>> str(parse_told("about 09:52", date(2010, 1, 22)).at)
    '~2010-01-22T09:52:00+08:00'

    Raises ValueError with a sentence.
    """
    stated = " ".join(text.split())
    if stated.lower() == "unknown":
        return TimeTold(Bound(None, Certainty.UNKNOWN, stated), stated=stated)
    if _ONWARDS.search(stated):
        start = _bound(_ONWARDS.sub("", stated), day, text)
        return TimeTold(start, Bound(None, Certainty.OPEN), stated)
    # A date may end in a zone that looks like the end of a range, so a whole instant goes first.
    if _INSTANT.fullmatch(stated):
        return TimeTold(_bound(stated, day, text), stated=stated)
    parts = _RANGE.split(stated)
    if len(parts) != 2:
        raise ValueError(f"{text!r} is no time; write it as {_FORMS}")
    start = _bound(parts[0], day, text)
    assert start.at is not None, "a stated instant has one"
    return TimeTold(start, _bound(parts[1], start.at.date(), text), stated)


def say_told(when: TimeTold, day: date) -> str:
    """The time as a row of a chronology says it; a day that is not ``day`` is said too.

    >>> say_told(parse_told("10:15 - ~10:17", date(2010, 1, 22)), date(2010, 1, 22))
    '10:15 – ~10:17'
    """
    start = _say(when.at, day)
    if when.until is None:
        return start
    if when.until.certainty is Certainty.OPEN:
        return f"{start} onwards"
    begins = day if when.at.at is None else when.at.at.astimezone(HONG_KONG).date()
    return f"{start} – {_say(when.until, begins)}"


def _bound(text: str, day: date, whole: str) -> Bound:
    found = _INSTANT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{whole!r} is no time; write it as {_FORMS}")
    try:
        of_day = date.fromisoformat(found["date"]) if found["date"] else day
        hours, _, rest = found["time"].partition(":")
        clock = time.fromisoformat(f"{int(hours):02}:{rest}")
    except ValueError:
        raise ValueError(f"{whole!r} names a day or an hour that there is not") from None
    at = datetime.combine(of_day, clock, HONG_KONG)
    if found["zone"]:
        zone = found["zone"].upper().replace("Z", "+00:00")
        try:
            at = datetime.fromisoformat(f"{of_day.isoformat()}T{clock.isoformat()}{zone}")
        except ValueError:
            raise ValueError(f"{whole!r} has an offset that there is not") from None
    return Bound(at, Certainty.APPROXIMATE if found["about"] else Certainty.EXACT)


def _say(bound: Bound, day: date) -> str:
    if bound.at is None:
        return "time unknown" if bound.certainty is Certainty.UNKNOWN else bound.certainty.value
    at = bound.at.astimezone(HONG_KONG)
    about = "~" if bound.certainty is Certainty.APPROXIMATE else ""
    clock = f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"
    return (
        f"{about}{clock}" if at.date() == day else f"{at:%a} {at.date().isoformat()} {about}{clock}"
    )
