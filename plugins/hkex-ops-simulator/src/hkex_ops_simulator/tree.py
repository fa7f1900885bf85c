"""The report tree of any business date, built from a seed. SYNTHETIC from the first byte.

No name pattern, layout or size of the real service is public, so every one here is invented:
``HOUSE_CODE_YYYYMMDD.csv``, and ``..._HHMM.csv`` for an intra-day instance. Codes have the form
that is public (two letters, three digits); TP001, TP002 and RP008 occur in public papers, all
others are made up, and no content resembles anything. The same seed and date give the same bytes
anywhere. Knows no calendar (any date has a tree), no folder and no server.

=================  =========================  ===========================================
part               reports a business date    appears
=================  =========================  ===========================================
T session          15 of each house           from 19:00 on the business date
T+1 session        3 of each house            after 01:45 on the next calendar day
intra-day          2 of HKCC                  minutes after the instance's own time
RP008              1 of each house            with the T session's, on some dates only
=================  =========================  ===========================================
"""

from __future__ import annotations

import hashlib
import struct
from datetime import date, datetime, time, timedelta
from enum import Enum

from attrs import frozen

from hkex_ops.model import HONG_KONG

__all__ = ["CODES", "DEFAULT_SEED", "HOUSES", "SimulatedReport", "reports_of"]

DEFAULT_SEED = 2023
HOUSES = ("HKCC", "SEOCH")

_T_SESSION_FROM = time(19, 0)
_T_SESSION_SPREAD_S = 35 * 60
_NEXT_DAY_FROM = time(1, 46)
_NEXT_DAY_SPREAD_S = 30 * 60
_INTRADAY_SPREAD_S = 5 * 60

# RP008 is of a date when a draw out of this many comes out nought: about one date in five.
_RP008_ONE_IN = 5

# A row's figures: 8 random bytes read as four unsigned 16-bit numbers.
_FIGURES = struct.Struct(">HHHH")
_ROW = "%06d,SYN%05d,%07d,%07d,%05d.%02d\n"
_ROW_BYTES = len(_ROW % (0, 0, 0, 0, 0, 0))


class _Moment(Enum):
    """When a report of a business date appears."""

    T_SESSION = "T"
    NEXT_DAY = "T+1"
    INTRADAY = "intra-day"


@frozen
class _Plan:
    """One invented code. ``rows`` is a middle: a report has between 3/4 and 5/4 of it."""

    code: str
    rows: int
    moment: _Moment = _Moment.T_SESSION
    houses: tuple[str, ...] = HOUSES
    instances: tuple[str | None, ...] = (None,)


_RP008 = _Plan("RP008", 12)

_PLANS = (
    _Plan("TP001", 6000),
    _Plan("TP002", 4200),
    _Plan("TP003", 1400),
    _Plan("TP004", 360),
    _Plan("TP005", 48),
    _Plan("CM001", 1000),
    _Plan("CM002", 72),
    _Plan("CM003", 12),
    _Plan("PS001", 4800),
    _Plan("PS002", 3000),
    _Plan("PS003", 240),
    _Plan("FE001", 24),
    _Plan("FE002", 8),
    _Plan("SE001", 1800),
    _Plan("SE002", 10),
    _Plan("TN001", 2400, _Moment.NEXT_DAY),
    _Plan("TN002", 720, _Moment.NEXT_DAY),
    _Plan("TN003", 36, _Moment.NEXT_DAY),
    _Plan("IR001", 180, _Moment.INTRADAY, ("HKCC",), ("1130", "1430")),
)

# Every code a tree can hold; the catalogue beside this module lists the same.
CODES = tuple(sorted(plan.code for plan in (*_PLANS, _RP008)))


@frozen
class SimulatedReport:
    """One invented report. Its size is known before, and without, making its content."""

    seed: int
    house: str
    code: str
    business_date: date
    instance: str | None
    modified: datetime
    rows: int

    @property
    def name(self) -> str:
        """The file name, as the catalogue of this package reads it."""
        more = f"_{self.instance}" if self.instance else ""
        return f"{self.house}_{self.code}_{self.business_date:%Y%m%d}{more}.csv"

    @property
    def size_bytes(self) -> int:
        """The length of :meth:`content`."""
        return len(self._head()) + self.rows * _ROW_BYTES

    def content(self) -> bytes:
        """The report's bytes, made anew at each call; the first line says SYNTHETIC."""
        drawn = _draw(self.seed, self.name, "rows", size_bytes=self.rows * _FIGURES.size)
        figures = enumerate(_FIGURES.iter_unpack(drawn), start=1)
        body = "".join([_ROW % (n, a, b, c, b ^ c, a % 100) for n, (a, b, c, _) in figures])
        return self._head() + body.encode("ascii")

    def _head(self) -> bytes:
        lines = (
            "SYNTHETIC: invented by hkex-ops-simulator; no exchange made this",
            f"house,{self.house}",
            f"code,{self.code}",
            f"business_date,{self.business_date.isoformat()}",
            f"instance,{self.instance or ''}",
            f"rows,{self.rows}",
            "row,series,long,short,price",
        )
        return "".join(f"{line}\n" for line in lines).encode("ascii")


def reports_of(seed: int, business_date: date) -> tuple[SimulatedReport, ...]:
    """Every report of ``business_date``, in order of name. Pure: the same for the same arguments.

    The caller decides which dates are business dates.
    """
    plans = (*_PLANS, _RP008) if _has_rp008(seed, business_date) else _PLANS
    reports = (
        _report(seed, business_date, plan, house, instance)
        for plan in plans
        for house in plan.houses
        for instance in plan.instances
    )
    return tuple(sorted(reports, key=lambda report: report.name))


def _has_rp008(seed: int, business_date: date) -> bool:
    return _number(seed, business_date.isoformat(), "RP008", below=_RP008_ONE_IN) == 0


def _report(
    seed: int, business_date: date, plan: _Plan, house: str, instance: str | None
) -> SimulatedReport:
    key = f"{business_date.isoformat()} {house} {plan.code} {instance}"
    least = plan.rows * 3 // 4
    return SimulatedReport(
        seed=seed,
        house=house,
        code=plan.code,
        business_date=business_date,
        instance=instance,
        modified=_modified(seed, key, business_date, plan.moment, instance),
        rows=least + _number(seed, key, "rows", below=plan.rows * 5 // 4 - least + 1),
    )


def _modified(
    seed: int, key: str, business_date: date, moment: _Moment, instance: str | None
) -> datetime:
    """When the report appeared at the service; to whole seconds, as SFTP version 3 says it."""
    if instance is not None:
        first = time(int(instance[:2]), int(instance[2:]))
        start, spread_s = datetime.combine(business_date, first), _INTRADAY_SPREAD_S
    elif moment is _Moment.NEXT_DAY:
        next_day = business_date + timedelta(days=1)
        start, spread_s = datetime.combine(next_day, _NEXT_DAY_FROM), _NEXT_DAY_SPREAD_S
    else:
        start, spread_s = datetime.combine(business_date, _T_SESSION_FROM), _T_SESSION_SPREAD_S
    after = timedelta(seconds=_number(seed, key, "modified", below=spread_s))
    return start.replace(tzinfo=HONG_KONG) + after


def _number(seed: int, key: str, what: str, *, below: int) -> int:
    return int.from_bytes(_draw(seed, key, what, size_bytes=8)) % below


def _draw(seed: int, key: str, what: str, *, size_bytes: int) -> bytes:
    return hashlib.shake_256(f"{seed}/{key}/{what}".encode()).digest(size_bytes)
