"""A seeded clearing house: books, users, texts and signals, and what it does with a message.

It answers enquiries and says so; and it *does* what changes something, from whoever may log in and
through whichever function it came. A gate on the participant's side that lets such a message
through is therefore seen in the books, and in :attr:`ClearingHouse.changed`.

SYNTHETIC throughout. Its gateways call it from threads of their own, one at a time: everything
here is done under one lock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import date, datetime, time
from functools import partial
from threading import RLock
from typing import cast

from attrs import define, evolve, field, frozen

from hkex_ops.clock import Clock, ManualClock
from hkex_ops.errors import UsageError
from hkex_ops.model import HONG_KONG, SiteRole
from hkex_ops_simulator.oapi import answers, records
from hkex_ops_simulator.oapi.answers import Signal, Text
from hkex_ops_simulator.oapi.books import (
    COUNTRY,
    CUSTOMER,
    Books,
    Change,
    Trade,
    make_books,
    weekdays_before,
)
from hkex_ops_simulator.oapi.enquiries import ANSWERED, FACILITY_OFFSETS, Asked, Refused
from hkex_ops_simulator.oapi.events import DEDICATED, GENERAL, Event, EventQueue, network_event
from hkex_ops_simulator.oapi.faults import Faults
from hkex_ops_simulator.oapi.records import Order

__all__ = [
    "PASSWORD",
    "PRODUCTION_BASE",
    "TEST_BASE",
    "USER",
    "Changed",
    "ClearingHouse",
    "HouseShape",
    "Received",
    "Reply",
    "User",
]

PRODUCTION_BASE, TEST_BASE = 170, 180
FACILITIES = 10
MOMENTS_KEPT = 1000

USER = "BO_CSYN801"
PASSWORD = "Synthetic-2019"
USER_CODE = f"{COUNTRY}{CUSTOMER}BO801"

TRADES_FINAL, POSITIONS_FINAL = 901, 902

_LETTERS = 2
_INVALID_TYPE, _OUT_OF_RANGE, _WRONG_LENGTH = -17, -3, -18
_DEFAULT_OFFSET = 3
_DELETED = ("CC15", "CC40")  # what these undo is cancelled in the books

_CHANGING = (
    *("CD28", "CD35", "CD5", "CD34", "CD54"),
    *("CC13", "CC14", "CC15", "CC22", "CC38", "CC40", "UI1"),
)


@frozen
class HouseShape:
    """How much there is, and how much of it goes into one answer."""

    trades_a_day: int = 40  # in each instrument group
    trades: int = 25  # in one answer
    segment_items: int = 40
    changes: int = 2  # in each instrument group


@define
class User:
    """Who may log in. ``password`` is the only place that has it."""

    name: str
    code: str
    password: str = field(repr=False)


@frozen
class Received:
    """A message that came, through which function of the library and which gateway."""

    function: str
    code: str
    facility: int
    user: str
    gateway: str


@frozen
class Changed:
    """Something that was changed in the house, by whom and through which function."""

    code: str
    function: str
    user: str
    at: datetime
    trade_number: int | None = None


@frozen
class Reply:
    """One answer: completion status, transaction status, bytes, and the two ids."""

    status: int = 0
    txstat: int = 0
    data: bytes = b""
    txid: int = 0
    ordid: int = 0


@define
class ClearingHouse:
    """The house, made by :meth:`made`.

    ``moments`` are those of the last calls, told before a call is answered; ``collisions`` counts
    the calls that were made in a session while another one was under way.
    """

    seed: int
    clock: Clock
    shape: HouseShape
    faults: Faults
    books: Books
    facility_base: int = PRODUCTION_BASE
    in_service: SiteRole = SiteRole.PRIMARY
    users: dict[str, User] = field(factory=dict[str, User])
    texts: list[Text] = field(factory=list[Text])
    signals: list[Signal] = field(factory=list[Signal])
    received: list[Received] = field(factory=list[Received])
    changed: list[Changed] = field(factory=list[Changed])
    queues: list[EventQueue] = field(factory=list[EventQueue])
    lock: RLock = field(factory=RLock)
    moments: deque[str] = field(factory=lambda: deque[str](maxlen=MOMENTS_KEPT))
    collisions: int = 0
    _numbers: int = 0

    @classmethod
    def made(
        cls,
        seed: int,
        *,
        dates: Sequence[date] = (),
        clock: Clock | None = None,
        shape: HouseShape | None = None,
        faults: Faults | None = None,
    ) -> ClearingHouse:
        """A house with books for ``dates``; without any, for four weekdays to 3 May 2019."""
        days = tuple(dates) or (*weekdays_before(date(2019, 5, 3), 3), date(2019, 5, 3))
        shape = shape or HouseShape()
        books = make_books(seed, days, trades=shape.trades_a_day, changes=shape.changes)
        if clock is None:
            clock = ManualClock(datetime.combine(days[-1], time(20), HONG_KONG))
        house = cls(seed, clock, shape, faults or Faults(), books)
        house.users[USER] = User(USER, USER_CODE, PASSWORD)
        end = datetime.combine(days[-1], time(19), HONG_KONG)
        for number, (kind, text) in enumerate(
            ((TRADES_FINAL, "SYNTHETIC: trades"), (POSITIONS_FINAL, "SYNTHETIC: positions")), 1
        ):
            house.signals.append(Signal(kind, days[-1], end, number, text))
        lines = ("SYNTHETIC clearing message.", f"End of clearing for {days[-1]:%d %B %Y}.")
        house.texts.append(Text(1, days[-1], end, lines))
        return house

    @property
    def business_date(self) -> date:
        """The present business date of the clearing house."""
        return self.books.business_date

    @property
    def changing(self) -> tuple[str, ...]:
        """The codes of messages that change something, as far as a layout is known."""
        return _CHANGING

    # -- messages --------------------------------------------------------------------------------

    def take(
        self, function: str, facility: int, body: bytes, order: Order, user: str, gateway: str
    ) -> Reply:
        """Do with a message what its type asks, whichever function it came through."""
        if len(body) < records.TYPE.size or not body[:_LETTERS].isalpha():
            return Reply(_WRONG_LENGTH)
        letters, number = records.TYPE.decode(order, body[: records.TYPE.size])
        code = f"{cast('bytes', letters).decode('ascii')}{cast('int', number)}"
        with self.lock:
            self.received.append(Received(function, code, facility, user, gateway))
            self._numbers += 1
            scripted = self.faults.next_script(code)
            if scripted is not None and not scripted.whole:
                return Reply(scripted.status, scripted.txstat)
            reply = self._taken(function, facility, code, body, order, user)
            if scripted is not None:
                reply = Reply(scripted.status, scripted.txstat, reply.data)
            ids = (self.seed << 40) + self._numbers, (self.seed << 48) + self._numbers
            return Reply(reply.status, reply.txstat, reply.data, *ids)

    def _taken(
        self, function: str, facility: int, code: str, body: bytes, order: Order, user: str
    ) -> Reply:
        offset = facility - self.facility_base
        if not 0 <= offset < FACILITIES:
            return Reply(_OUT_OF_RANGE)
        if offset != FACILITY_OFFSETS.get(code, _DEFAULT_OFFSET):
            return Reply(_INVALID_TYPE)
        if code not in ANSWERED:
            return self._change(function, code, body, order, user)
        record = records.ENQUIRIES[code]
        if len(body) != record.size:
            return Reply(_WRONG_LENGTH, min(len(body), record.size))
        try:
            data = ANSWERED[code](Asked(self, order, record.decode(order, body)[_LETTERS:]))
        except Refused as refused:
            return Reply(refused.status, refused.txstat)
        if code in self.faults.short:
            data = data[:-3]
        if code in self.faults.long:
            data += b"\xee" * 3
        return Reply(data=data)

    def _change(self, function: str, code: str, body: bytes, order: Order, user: str) -> Reply:
        """Whatever is no enquiry changes something, also what no layout is known of."""
        number: int | None = None
        change: Change | None = None
        if len(body) == records.CHANGE_BOOKS.size:
            _, _, _, raw, _, to_account, quantity, _ = records.CHANGE_BOOKS.decode(order, body)
            number = cast("int", raw)
            account = cast("bytes", to_account).decode("ascii", "replace")
            change = self.books.rectify(
                number,
                self.clock.now(),
                account=account[len(COUNTRY + CUSTOMER) :].strip(" \0") or None,
                quantity=0 if code in _DELETED else cast("int", quantity) or None,
            )
        self.changed.append(Changed(code, function, user, self.clock.now(), number))
        if change is not None:
            self._tell_change(change)
        return Reply()

    # -- what the house tells ------------------------------------------------------------------

    def tell_text(self, *lines: str, urgent: bool = False) -> Text:
        """Send a clearing message (BI27) to everybody; it can be asked for afterwards."""
        with self.lock:
            text = Text(
                len(self.texts) + 1, self.business_date, self.clock.now(), lines, urgent=urgent
            )
            self.texts.append(text)
            self.tell(Event(GENERAL, lambda order: answers.text_event(order, text)))
            return text

    def tell_signal(self, kind: int, text: str) -> Signal:
        """Send a signal (BI7) to everybody; it can be asked for afterwards."""
        with self.lock:
            now = self.clock.now()
            signal = Signal(kind, self.business_date, now, len(self.signals) + 1, text)
            self.signals.append(signal)
            self.tell(Event(GENERAL, lambda order: answers.signal_event(order, signal)))
            return signal

    def tell_trade(self, trade: Trade | None = None) -> Trade:
        """Make a trade, like the last one of its group unless it is given, and tell it (BD6)."""
        with self.lock:
            if trade is None:
                trade = self._another_trade()
            self.books.add(trade)
            told = trade
            self.tell(Event(DEDICATED, lambda order: answers.trade_event(order, told)))
            return trade

    def tell_change(self, number: int, *, account: str | None = None) -> Change:
        """Rectify a trade and tell it (BD39)."""
        with self.lock:
            change = self.books.rectify(number, self.clock.now(), account=account)
            if change is None:
                raise UsageError(f"the house has no trade {number}")
            self._tell_change(change)
            return change

    def tell_heartbeat(self) -> None:
        """Tell that the house is alive (BI9)."""
        self.tell(Event(GENERAL, lambda order: records.HEARTBEAT.encode(order, "BI", 9, 30, 1, 1)))

    def tell_network(self, number: int, status: int, text: str = "SYNTHETIC") -> None:
        """Tell something of the network: BN1 or BN4 with its status."""
        self.tell(network_event(number, status, text))

    def lose_events(self) -> None:
        """Every session has lost events, and is told so with its next read."""
        with self.lock:
            for queue in self.queues:
                queue.lose()

    def tell_garbage(self, data: bytes) -> None:
        """Put bytes that are no event into every session's events."""
        with self.lock:
            for queue in self.queues:
                queue.put_raw(data)

    def tell(self, event: Event) -> None:
        """Give an event to every session that is to have it."""
        with self.lock:
            for queue in self.queues:
                queue.put(event)

    def _tell_change(self, change: Change) -> None:
        self.tell(Event(DEDICATED, lambda order: answers.change_event(order, change)))
        trade, at = change.trade, change.at
        for one in self.books.positions(self.business_date):
            if (one.series, one.account) == (trade.series, trade.account):
                self.tell(Event(DEDICATED, partial(answers.position_event, position=one, at=at)))

    def _another_trade(self) -> Trade:
        group = self.books.groups[0]
        last = self.books.of(group, self.business_date)[-1]
        number = max(one.number for one in self.books.trades) + 1
        return evolve(
            last,
            number=number,
            sequence=last.sequence + 1,
            order_number=last.order_number + 1,
            traded_at=self.clock.now(),
        )
