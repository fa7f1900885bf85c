"""Times of day as hours tables write them: ``09:30``, ``~16:10``, ``24:00``, ``01:45+1``.

A session of a business date may end on the next calendar day, so a time of day here carries a day
offset; turned into an instant it needs the date it belongs to.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from attrs import frozen

from hkex_ops.model import HONG_KONG, Bound, Certainty

__all__ = ["TimeOfDay"]

_FORM = re.compile(r"(?P<about>~)?(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?:\+(?P<days>[1-7]))?")


@frozen
class TimeOfDay:
    """Minutes after the midnight that begins the business date; 1,545 is 01:45 of the next day.

    ``approximate`` marks a time that is drawn at random or stated as "about".
    """

    minutes: int
    approximate: bool = False

    @classmethod
    def parse(cls, text: str) -> TimeOfDay:
        """The time that ``text`` spells.

        >>> TimeOfDay.parse("01:45+1").minutes
        1545
        >>> str(TimeOfDay.parse("~16:10"))
        '~16:10'

        Raises ValueError with a sentence when it spells none.
        """
        match = _FORM.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no time of day; write it as 09:30, ~16:10 or 01:45+1")
        hour, minute = int(match["hour"]), int(match["minute"])
        # 24:00 is the end of the business date itself; of a later day, 00:00 of the next says it.
        if minute > 59 or hour > 24 or (hour == 24 and (minute or match["days"])):
            raise ValueError(f"{text!r} lies outside 00:00 to 24:00")
        days = int(match["days"] or 0)
        return cls(days * 1440 + hour * 60 + minute, match["about"] is not None)

    def on(self, day: date) -> datetime:
        """The aware instant at which this time falls for business date ``day``."""
        midnight = datetime.combine(day, time(), HONG_KONG)
        return midnight + timedelta(minutes=self.minutes)

    def bound(self, day: date) -> Bound:
        """The same as one end of a window."""
        certainty = Certainty.APPROXIMATE if self.approximate else Certainty.EXACT
        return Bound(self.on(day), certainty)

    def __str__(self) -> str:
        days, minutes = divmod(self.minutes, 1440)
        about = "~" if self.approximate else ""
        later = f"+{days}" if days else ""
        return f"{about}{minutes // 60:02}:{minutes % 60:02}{later}"
