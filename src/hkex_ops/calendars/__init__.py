"""Hong Kong's business days and trading hours as dated tables, each row with its source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hkex_ops.fronts import front

if TYPE_CHECKING:
    from hkex_ops.calendars.calendar import BusinessDay, Calendar, TradingSession
    from hkex_ops.calendars.hours import TimeOfDay
    from hkex_ops.calendars.tables import (
        CalendarSource,
        CalendarTables,
        DayKind,
        DayRow,
        HoursRow,
        Market,
        SessionHours,
        SourceKind,
    )
else:
    __getattr__, __dir__ = front(
        __name__,
        {
            "calendar": "BusinessDay Calendar TradingSession",
            "hours": "TimeOfDay",
            "tables": (
                "CalendarSource CalendarTables DayKind DayRow HoursRow Market "
                "SessionHours SourceKind"
            ),
        },
    )

__all__ = [
    "BusinessDay",
    "Calendar",
    "CalendarSource",
    "CalendarTables",
    "DayKind",
    "DayRow",
    "HoursRow",
    "Market",
    "SessionHours",
    "SourceKind",
    "TimeOfDay",
    "TradingSession",
]
