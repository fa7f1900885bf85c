"""A clearing house in memory and a gateway to it: the fake that keeps the contract.

Use it to test what stands on the port. Its books are whatever a test puts there; its answers come
in pages of three items.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date

from attrs import Factory, define, evolve, field, frozen

from hkex_ops.errors import (
    AuthRefused,
    Denied,
    RemoteError,
    TimedOut,
    TransientError,
    Unreachable,
    UsageError,
)
from hkex_ops.model import (
    ClearingMessageReceived,
    Endpoint,
    Enquiry,
    EnquiryPage,
    EventsLost,
    Fields,
    FieldValue,
    GateDecision,
    GatewayEvent,
    GatewayStatus,
    PasswordChange,
    SiteRole,
    Transaction,
    TransactionReceipt,
)
from hkex_ops.ports import OapiGateway, Offer
from hkex_ops.testing.oapi_gateway_bench import Held, OapiGatewayBench

__all__ = [
    "FakeClearingHouse",
    "FakeOapiGateway",
    "FakeOapiGatewayBench",
    "FakeOapiOptions",
    "FakeTransactingGateway",
    "open_fake_oapi_gateway",
]

KNOWN_PASSWORD = "open sesame"
PAGE_ITEMS = 3

_GATEWAYS = (Endpoint("192.0.2.81", 20000), Endpoint("192.0.2.82", 20000))
_DAY = date(2019, 5, 3)


def _books() -> dict[str, tuple[Fields, ...]]:
    trades: list[dict[str, FieldValue]] = [
        {"trade_number": 100 + number, "quantity": number, "account": f"A{number % 3}"}
        for number in range(8)
    ]
    positions: list[dict[str, FieldValue]] = [
        {"series": f"XHA{number}", "held": number, "written": 0} for number in range(4)
    ]
    return {"CQ10": tuple(trades), "CQ3": tuple(positions), "CQ38": ()}


@define
class FakeClearingHouse:
    """Books by enquiry, what was received, what was changed, and what goes wrong."""

    books: dict[str, tuple[Fields, ...]] = Factory(_books)
    business_date: date = _DAY
    changing: tuple[str, ...] = ("CD5", "CD28", "CD35", "CC13", "CC22", "UI1")
    received: list[str] = Factory(list[str])
    changed: list[str] = Factory(list[str])
    texts: list[str] = Factory(list[str])
    down: set[int] = Factory(set[int])
    in_part: set[str] = Factory(set[str])
    short: set[str] = Factory(set[str])
    silent: set[str] = Factory(set[str])
    is_forgetful: bool = False
    must_change: bool = False
    password_changes: int = 0
    sessions: list[FakeOapiGateway] = Factory(list["FakeOapiGateway"])

    def tell(self, text: str, *, heard: bool = True) -> None:
        """Send a text to every session; one that is not heard is lost on the way."""
        self.texts.append(text)
        for session in self.sessions:
            session.queue.put_nowait(text if heard else None)

    def take_down(self, place: int) -> None:
        """A gateway goes down, with the sessions that it has."""
        self.down.add(place)
        for session in [one for one in self.sessions if one.place == place]:
            session.end()


@frozen
class FakeOapiOptions:
    """Which clearing house, with which password, and what may be sent there."""

    house: FakeClearingHouse
    password: str = field(default=KNOWN_PASSWORD, repr=False)
    transactions: tuple[str, ...] = ()


class FakeOapiGateway:
    """The ports ``OapiGateway`` and ``SupportsHeartbeat`` on a house in memory."""

    def __init__(self, house: FakeClearingHouse, place: int) -> None:
        self.house: FakeClearingHouse = house
        self.place: int = place
        self.queue: asyncio.Queue[str | None] = asyncio.Queue()
        self.is_lost: bool = False
        self._ended: asyncio.Event = asyncio.Event()
        self._decisions: list[GateDecision] = []
        self._told: set[int] = set()
        self._heard_from: int = len(house.texts)

    def end(self) -> None:
        """The gateway went down."""
        self.is_lost = True
        self._ended.set()
        if self in self.house.sessions:
            self.house.sessions.remove(self)

    async def status(self) -> GatewayStatus:
        """Who is logged in where."""
        self.require_session()
        change = PasswordChange.REQUIRED if self.house.must_change else PasswordChange.NONE
        return GatewayStatus(
            site=SiteRole.PRIMARY,
            gateway=_GATEWAYS[self.place],
            user_code="ZZFAKEDESK",
            business_date=self.house.business_date,
            facility_base=170,
            central_version="fake",
            days_to_password_expiry=30,
            password_change=change,
            findings=("the first gateway is down; the next was used",) if self.place else (),
        )

    async def enquire(self, enquiry: Enquiry) -> AsyncIterator[EnquiryPage]:
        """The books of the house, three items at a time."""
        if enquiry.code not in self.house.books:
            self.decide("query", enquiry.code, allowed=False)
            raise Denied(enquiry.code, rule="no enquiry", source="fake gate", until=None)
        self.require_session()
        if self.house.must_change:
            raise AuthRefused("the password must be changed first, by a person")
        unknown = sorted(set(enquiry.parameters) - {"account", "date"})
        if unknown:
            raise UsageError(f"{enquiry.code} has no field {unknown[0]!r}")
        items = self.house.books[enquiry.code]
        count = max(1, -(-len(items) // PAGE_ITEMS))
        for number in range(1, count + 1):
            yield await self.page(enquiry, items, number, count)

    async def page(
        self, enquiry: Enquiry, items: tuple[Fields, ...], number: int, count: int
    ) -> EnquiryPage:
        """One page, asked of the gate and then of the house."""
        await asyncio.sleep(0)
        self.require_session()
        self.decide("query", enquiry.code, allowed=True)
        self.house.received.append(enquiry.code)
        if enquiry.code in self.house.silent:
            raise TimedOut(f"{enquiry.code} is not answered in time")
        is_last = number == count
        if is_last and enquiry.code in self.house.in_part:
            raise TransientError(f"{enquiry.code} was answered for one partition only")
        if is_last and enquiry.code in self.house.short:
            raise RemoteError(f"the answer to {enquiry.code} was cut short")
        piece = items[(number - 1) * PAGE_ITEMS : number * PAGE_ITEMS]
        answer = f"{enquiry.code[0]}A{enquiry.code[2:]}"
        return EnquiryPage(enquiry, answer, {"items_n": len(piece)}, piece, number, is_last)

    async def events(self) -> AsyncIterator[GatewayEvent]:
        """Texts as they are told; a loss is told and made up for from the texts of the house."""
        while True:
            text = await self.next_text()
            if text is not None:
                number = len(self.house.texts) - self.queue.qsize()
                self._told.add(number)
                yield ClearingMessageReceived(text, {"number": number})
                continue
            yield EventsLost("an event was lost", 3)
            async for event in self.recover():
                yield event

    async def recover(self) -> AsyncIterator[GatewayEvent]:
        """Every text that was not told yet."""
        for number, text in enumerate(self.house.texts, start=1):
            if number > self._heard_from and number not in self._told:
                self._told.add(number)
                yield ClearingMessageReceived(text, {"number": number}, recovered=True)

    async def next_text(self) -> str | None:
        """What comes next; `Unreachable` once the session is lost."""
        waiting = asyncio.ensure_future(self.queue.get())
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait((waiting, ended), return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                self.require_session()
            return waiting.result()
        finally:
            waiting.cancel()
            ended.cancel()

    def decisions(self) -> Sequence[GateDecision]:
        """What the gate was asked."""
        return tuple(self._decisions)

    async def heartbeat(self) -> None:
        """Nothing is asked; `Unreachable` when the session is lost."""
        self.require_session()

    def decide(self, function: str, code: str, *, allowed: bool) -> None:
        """Keep a decision of the gate."""
        number = len(self._decisions) + 1
        self._decisions.append(GateDecision(number, function, code, allowed, "fake gate"))

    def require_session(self) -> None:
        """`Unreachable` once the gateway is gone."""
        if self.is_lost:
            raise Unreachable("the session is lost: log in again")


class FakeTransactingGateway(FakeOapiGateway):
    """The same with ``SupportsTransact`` for some codes."""

    def __init__(self, house: FakeClearingHouse, place: int, transactions: Sequence[str]) -> None:
        super().__init__(house, place)
        self.transactions: Sequence[str] = transactions

    async def transact(self, transaction: Transaction) -> TransactionReceipt:
        """Change the house, once."""
        allowed = transaction.code in self.transactions
        self.decide("tx", transaction.code, allowed=allowed)
        if not allowed:
            raise Denied(transaction.code, rule="not listed", source="fake gate", until=None)
        self.require_session()
        self.house.received.append(transaction.code)
        self.house.changed.append(transaction.code)
        if self.house.is_forgetful:
            raise TimedOut(f"what became of {transaction.code} is unknown")
        return TransactionReceipt(transaction.code, "01", "02", 0)


Make = Callable[[FakeOapiOptions, int], FakeOapiGateway]


def _make(options: FakeOapiOptions, place: int) -> FakeOapiGateway:
    if options.transactions:
        return FakeTransactingGateway(options.house, place, options.transactions)
    return FakeOapiGateway(options.house, place)


@asynccontextmanager
async def open_fake_oapi_gateway(
    options: FakeOapiOptions, site: SiteRole, make: Make = _make
) -> AsyncGenerator[OapiGateway]:
    """Log in at the first gateway that is up. ``make`` builds the gateway: a faulty one, too."""
    if options.password != KNOWN_PASSWORD:
        raise AuthRefused("user or password is wrong: do not try again before it is put right")
    up = [place for place in range(len(_GATEWAYS)) if place not in options.house.down]
    if not up:
        raise Unreachable("no gateway of the site can be reached")
    gateway = make(options, up[0])
    options.house.sessions.append(gateway)
    try:
        yield gateway
    finally:
        if gateway in options.house.sessions:
            options.house.sessions.remove(gateway)


class FakeOapiGatewayBench(OapiGatewayBench):
    """The bench of the fake: every clause of the contract can be staged on it.

    ``make`` puts another gateway in the fake's place: a faulty one, for the kit's own tests.
    """

    def __init__(self, make: Make = _make) -> None:
        self.make: Make = make
        self.house: FakeClearingHouse = FakeClearingHouse()

    @property
    def offer(self) -> Offer[OapiGateway]:
        """The fake, on offer."""
        return Offer(
            "fake",
            FakeOapiOptions,
            lambda options, site: open_fake_oapi_gateway(options, site, self.make),
        )

    def options(self) -> FakeOapiOptions:
        """A password that the house knows, and nothing to send."""
        return FakeOapiOptions(self.house)

    def options_unknown(self) -> FakeOapiOptions:
        """A password that the house does not know."""
        return evolve(self.options(), password="open barley")

    def options_transacting(self) -> FakeOapiOptions:
        """One transaction may be sent."""
        return evolve(self.options(), transactions=("CD28",))

    def transaction(self) -> Transaction:
        """That one."""
        return Transaction("CD28", {"account": "A1"})

    def secrets(self) -> Sequence[str]:
        """Both passwords."""
        return (KNOWN_PASSWORD, "open barley")

    def held(self) -> Sequence[Held]:
        """Everything in the books."""
        return tuple(Held(Enquiry(code), items) for code, items in self.house.books.items())

    def received(self) -> Sequence[str]:
        """What the house received."""
        return tuple(self.house.received)

    def changed(self) -> Sequence[str]:
        """What was changed in it."""
        return tuple(self.house.changed)

    def changing(self) -> Sequence[str]:
        """What would change it."""
        return self.house.changing

    def sessions(self) -> int:
        """Who is logged in."""
        return len(self.house.sessions)

    @property
    def business_date(self) -> date:
        """The business date of the house."""
        return self.house.business_date

    @property
    def gateways(self) -> Sequence[Endpoint]:
        """Two addresses that nobody has."""
        return _GATEWAYS

    async def take_down(self, place: int = 0) -> None:
        """A gateway goes down."""
        self.house.take_down(place)

    async def fall_silent(self, enquiry: Enquiry) -> None:
        """An enquiry has no answer."""
        self.house.silent.add(enquiry.code)

    async def answer_in_part(self, enquiry: Enquiry) -> None:
        """An enquiry is answered for a part only."""
        self.house.in_part.add(enquiry.code)

    async def cut_short(self, enquiry: Enquiry) -> None:
        """An answer lacks its end."""
        self.house.short.add(enquiry.code)

    async def require_password_change(self) -> None:
        """The password must be changed."""
        self.house.must_change = True

    def password_changes(self) -> int:
        """How often it was."""
        return self.house.password_changes

    async def tell(self, text: str) -> None:
        """Send a text."""
        self.house.tell(text)

    async def tell_unheard(self, text: str) -> None:
        """Send a text that is lost."""
        self.house.tell(text, heard=False)

    async def forget_to_answer(self) -> None:
        """The next transaction is done and not answered."""
        self.house.is_forgetful = True
