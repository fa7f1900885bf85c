"""Lines for a person at a terminal: wrapped with a hanging indent, times as people say them."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from textwrap import wrap
from typing import TYPE_CHECKING

from hkex_ops.model import Bound, Certainty, Window

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "SHOWN",
    "printable",
    "say",
    "say_bound",
    "say_count",
    "say_end",
    "say_instant",
    "say_more",
    "say_size",
    "say_time_left",
    "say_window",
]

SHOWN = 20
"""How many things of a kind a person is shown one by one."""

# On a terminal narrower than this a sentence would be a column of words; it may overflow instead.
MIN_TEXT_WIDTH = 20


def say(console: Console, text: str, *, indent: int = 0, lead: str = "") -> None:
    """Print ``text`` after ``lead``, its further lines indented to where it began.

    >>> from rich.console import Console
    >>> say(Console(width=34), "a sentence that is longer than the line", lead="source  ")
    source  a sentence that is longer
            than the line
    """
    text = printable(text)
    first = " " * indent + lead
    width = max(console.width, len(first) + MIN_TEXT_WIDTH)
    lines = wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]
    for line in lines:
        console.print(line, markup=False, emoji=False, soft_wrap=True)


def printable(text: str) -> str:
    r"""``text`` with everything that could steer a terminal made visible.

    >>> printable("red\x1b[31m.csv")
    'red\\x1b[31m.csv'
    """
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode("ascii")
        for c in text
    )


def say_instant(at: datetime) -> str:
    """An instant in Hong Kong time, with its weekday.

    >>> from hkex_ops import HONG_KONG
    >>> say_instant(datetime(2023, 4, 15, 14, 30, tzinfo=HONG_KONG))
    'Sat 2023-04-15 14:30'
    """
    return f"{at:%a %Y-%m-%d %H:%M}"


def say_bound(bound: Bound, *, ends: bool = False) -> str:
    """A bound; the midnight after a whole day is said as that day's end."""
    if bound.at is None:
        return str(bound)
    if ends and bound.at.timetz().replace(tzinfo=None) == time():
        return f"end of {bound.at - timedelta(days=1):%a %Y-%m-%d}"
    about = "~" if str(bound).startswith("~") else ""
    return about + say_instant(bound.at)


def say_end(bound: Bound) -> str:
    """How long something holds, from its last bound."""
    if bound.at is not None:
        return f"until {say_bound(bound, ends=True)}"
    return "no end stated" if bound.certainty is Certainty.OPEN else "end not known"


def say_window(window: Window) -> str:
    """A window from its first to its last moment."""
    start, until = window.start.at, window.until.at
    if start is not None and until is not None and start.date() == until.date():
        about = "~" if window.until.certainty is Certainty.APPROXIMATE else ""
        return f"{say_bound(window.start)} to {about}{until:%H:%M}"
    return f"{say_bound(window.start)} to {say_bound(window.until, ends=True)}"


def say_count(number: int, thing: str) -> str:
    """A number of things.

    >>> say_count(1, "finding"), say_count(2, "finding")
    ('1 finding', '2 findings')
    """
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def say_more(console: Console, count: int) -> None:
    """Say how many of ``count`` things were not shown; nothing where all were."""
    if count > SHOWN:
        say(console, f"and {count - SHOWN} more: --json has them all", indent=2)


def say_size(size_bytes: int) -> str:
    """A size in bytes as people read it.

    >>> say_size(1536)
    '1.5 KiB'
    """
    tenths = size_bytes * 10
    for unit in ("B", "KiB", "MiB"):
        if tenths < 10240:
            return f"{tenths // 10} B" if unit == "B" else f"{tenths // 10}.{tenths % 10} {unit}"
        tenths //= 1024
    return f"{tenths // 10}.{tenths % 10} GiB"


def say_time_left(left: timedelta) -> str:
    """The time until something, in the two units that matter, rounded down.

    >>> say_time_left(timedelta(days=12, hours=8, minutes=59)), say_time_left(timedelta(seconds=59))
    ('12 d 8 h', 'less than a minute')
    """
    minutes = left // timedelta(minutes=1)
    if minutes < 1:
        return "less than a minute"
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"))
    first = next(place for place, (count, _) in enumerate(parts) if count)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count)
