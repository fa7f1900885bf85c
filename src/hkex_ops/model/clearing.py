"""What a clearing house holds for a participant, and what the participant put in: exact values.

The nouns are the clearing house's own. Quantities are whole contracts, prices decimals; a business
date is never worked out from an instant. Which field of which answer, or which column of a back
office's file, is which of these is not known here: :mod:`hkex_ops.clearing` maps them.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from attrs import frozen

__all__ = [
    "ClearingPosition",
    "ClearingRecord",
    "ClearingSide",
    "ClearingTrade",
    "ClearingTransaction",
    "RecordKind",
]


class RecordKind(StrEnum):
    """The kinds of records that are fetched, read from files and reconciled."""

    TRADES = "trades"
    POSITIONS = "positions"
    TRANSACTIONS = "transactions"


class ClearingSide(StrEnum):
    """Which side of a trade the account is on."""

    BUY = "buy"
    SELL = "sell"


@frozen
class ClearingTrade:
    """One side of a trade as the clearing house has it for one account.

    ``sequence`` counts the trades that are told within an instrument group, and is not the trade's
    identity: the same trade told again has another one. Blank or ``None`` is not stated.
    """

    trade_number: int
    series: str
    side: ClearingSide
    quantity: int
    price: Decimal
    account: str
    business_date: date
    instrument_group: str = ""
    sequence: int | None = None
    traded_at: datetime | None = None


@frozen
class ClearingPosition:
    """What one account holds in one series at a business date: both sides, gross."""

    account: str
    series: str
    business_date: date
    long: int
    short: int
    instrument_group: str = ""

    @property
    def net(self) -> int:
        """Long less short."""
        return self.long - self.short


@frozen
class ClearingTransaction:
    """A clearing transaction that the participant put in: a give-up, a transfer, an exercise.

    ``reference`` is the participant's own and names it; ``type`` is the participant's word for
    what it is. ``entered_at`` and ``entered_by`` are the beginning of its audit trail.
    """

    reference: str
    type: str
    business_date: date
    entered_at: datetime
    entered_by: str = ""
    account: str = ""
    series: str = ""
    side: ClearingSide | None = None
    quantity: int | None = None
    price: Decimal | None = None
    trade_number: int | None = None
    counter_account: str = ""


ClearingRecord: TypeAlias = ClearingTrade | ClearingPosition | ClearingTransaction
