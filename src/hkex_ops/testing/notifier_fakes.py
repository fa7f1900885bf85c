"""A notifier in memory: no network, the same behaviour as the port demands.

``FakeExchange`` is the far side and its own back door; ``open_fake_notifier`` is what an ``Offer``
opens:

>>> import asyncio
>>> from datetime import datetime
>>> from hkex_ops.model import HONG_KONG, Audience, Notification, Severity, SiteRole
>>> from hkex_ops.testing import FakeExchange, FakeNotifierOptions, open_fake_notifier
>>> exchange = FakeExchange()
>>> at = datetime(2026, 2, 2, 10, 5, tzinfo=HONG_KONG)
>>> told = Notification("k", Audience.DESK, Severity.MINOR, "message/sent", "Late", "Late.", at)
>>> async def tell():
...     options = FakeNotifierOptions(exchange)
...     async with open_fake_notifier(options, SiteRole.PRIMARY) as notifier:
...         return await notifier.notify(told, ["desk"])
>>> [str(receipt.outcome) for receipt in asyncio.run(tell())]
['taken']
>>> [one.receiver for one in exchange.arrived]
['desk']
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from attrs import define, field, frozen

from hkex_ops.errors import AuthRefused, Busy, Rejected, TimedOut, Unreachable, UsageError
from hkex_ops.model import HONG_KONG, Notification, Outcome, Receipt, SiteRole
from hkex_ops.ports import Acknowledgement, Notifier, Offer
from hkex_ops.testing.notifier_bench import Arrived, NotifierBench

__all__ = [
    "FakeExchange",
    "FakeNotifier",
    "FakeNotifierBench",
    "FakeNotifierOptions",
    "open_fake_notifier",
]

FAKE_SECRET = "fake-secret"

_AT = datetime(2026, 2, 2, 10, 5, tzinfo=HONG_KONG)


@define(eq=False)
class FakeExchange:
    """The far side. Change it freely between two calls.

    ``refused`` are receivers whom it does not know; ``loses_answers`` takes what it is given and
    says nothing of it.
    """

    is_up: bool = True
    is_silent: bool = False
    is_full: bool = False
    refuses: bool = False
    loses_answers: bool = False
    refused: set[str] = field(factory=set[str])
    arrived: list[Arrived] = field(factory=list[Arrived])
    acknowledged: list[Acknowledgement] = field(factory=list[Acknowledgement])
    visitors: int = 0


@frozen
class FakeNotifierOptions:
    """Which far side, and what we say that we are."""

    exchange: FakeExchange
    secret: str = field(default=FAKE_SECRET, repr=False)


class FakeNotifier:
    """The port ``Notifier`` on :class:`FakeExchange`, with every capability."""

    def __init__(self, options: FakeNotifierOptions) -> None:
        self.options = options
        self.exchange: FakeExchange = options.exchange

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        """Tell everybody."""
        for receiver in receivers:
            if receiver.startswith("nobody"):
                raise UsageError(f"{receiver!r} is nobody")
        self._knock()
        if self.exchange.is_full:
            raise Busy("the exchange has no room")
        if self.exchange.refuses:
            raise Rejected("the exchange takes nothing from us")
        return tuple(self._tell(notification, receiver) for receiver in receivers)

    def _tell(self, notification: Notification, receiver: str) -> Receipt:
        if receiver in self.exchange.refused:
            return Receipt("", receiver, _AT, Outcome.REFUSED, detail="not known here")
        text = f"{notification.subject}\n{notification.body}"
        identity = f"{notification.key} {notification.language}"
        self.exchange.arrived.append(Arrived(receiver, identity, text))
        if self.exchange.loses_answers:
            return Receipt("", receiver, _AT, Outcome.UNKNOWN, detail="the answer was lost")
        number = len(self.exchange.arrived)
        return Receipt("", receiver, _AT, Outcome.TAKEN, reference=f"fake {number}")

    async def check(self, receivers: Sequence[str]) -> str:
        """Knock."""
        self._knock()
        return f"the exchange is there for {len(receivers)} receivers"

    async def inquire(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        """Look at what arrived."""
        identity = f"{notification.key} {notification.language}"
        here = {one.receiver for one in self.exchange.arrived if one.identity == identity}
        return tuple(
            Receipt("", one, _AT, Outcome.TAKEN if one in here else Outcome.DEFERRED)
            for one in receivers
        )

    async def acknowledgements(self, keys: Sequence[str]) -> tuple[Acknowledgement, ...]:
        """What was acknowledged."""
        return tuple(one for one in self.exchange.acknowledged if one.key in keys)

    def _knock(self) -> None:
        if not self.exchange.is_up:
            raise Unreachable("the exchange is down")
        if self.exchange.is_silent:
            raise TimedOut("the exchange says nothing")
        if self.options.secret != FAKE_SECRET:
            raise AuthRefused("the exchange does not know us")


@asynccontextmanager
async def open_fake_notifier(
    options: FakeNotifierOptions,
    site: SiteRole,
    make: Callable[[FakeNotifierOptions], Notifier] = FakeNotifier,
) -> AsyncGenerator[Notifier]:
    """A notifier. ``make`` builds it: a faulty one, for the kit's own tests."""
    options.exchange.visitors += 1
    try:
        yield make(options)
    finally:
        options.exchange.visitors -= 1


class FakeNotifierBench(NotifierBench):
    """The bench of the fake: every clause of the contract can be staged on it.

    ``make`` puts another notifier in the fake's place: a faulty one, for the kit's own tests.
    """

    def __init__(self, make: Callable[[FakeNotifierOptions], Notifier] = FakeNotifier) -> None:
        self.make = make
        self.exchange: FakeExchange = FakeExchange()

    @property
    def offer(self) -> Offer[Notifier]:
        """The fake, on offer."""
        return Offer(
            "fake",
            FakeNotifierOptions,
            lambda options, site: open_fake_notifier(options, site, self.make),
        )

    def options(self) -> FakeNotifierOptions:
        """Options that the exchange is content with."""
        return FakeNotifierOptions(self.exchange)

    def options_unknown(self) -> FakeNotifierOptions:
        """Another secret."""
        return FakeNotifierOptions(self.exchange, "wrong")

    def receivers(self) -> Sequence[str]:
        """Two."""
        return ("desk", "management")

    def unknown_receiver(self) -> str:
        """Nobody."""
        return "nobody at all"

    def secrets(self) -> Sequence[str]:
        """The fake's secret."""
        return (FAKE_SECRET,)

    async def arrived(self) -> Sequence[Arrived]:
        """What arrived."""
        return tuple(self.exchange.arrived)

    async def take_down(self) -> None:
        """Nobody there."""
        self.exchange.is_up = False

    async def bring_up(self) -> None:
        """As at first."""
        self.exchange.is_up = True
        self.exchange.is_silent = self.exchange.is_full = self.exchange.refuses = False
        self.exchange.loses_answers = False

    async def fall_silent(self) -> None:
        """Say nothing."""
        self.exchange.is_silent = True

    async def take_and_hang_up(self) -> None:
        """Take it, say nothing of it."""
        self.exchange.loses_answers = True

    async def fill_up(self) -> None:
        """Not now."""
        self.exchange.is_full = True

    async def refuse(self) -> None:
        """Never."""
        self.exchange.refuses = True

    async def refuse_receiver(self, receiver: str) -> None:
        """Not this one."""
        self.exchange.refused.add(receiver)

    async def acknowledge(self, key: str, receiver: str) -> None:
        """Somebody has read it."""
        self.exchange.acknowledged.append(Acknowledgement(key, receiver, _AT, receiver))

    def visitors(self) -> int:
        """Who is there."""
        return self.exchange.visitors
