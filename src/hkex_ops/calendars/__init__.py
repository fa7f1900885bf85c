"""Hong Kong's business days and trading hours as dated tables, each row with its source."""

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
