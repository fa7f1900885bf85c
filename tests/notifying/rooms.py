"""A mailroom with notifiers in memory, on a clock that is turned by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from hkex_ops.clock import ManualClock
from hkex_ops.config.routes import load_templates
from hkex_ops.flows.notifying.configured import Channel, Correspondence
from hkex_ops.flows.notifying.mailroom import Mailroom
from hkex_ops.model import SiteRole
from hkex_ops.notifications import DeliveryRules, Route, Routing
from hkex_ops.ports import Notifier, Offer
from hkex_ops.testing import (
    FakeExchange,
    FakeNotifier,
    FakeNotifierOptions,
    open_fake_notifier,
)
from tests.notifications.made import MORNING

__all__ = ["Room"]

RULES = DeliveryRules(attempts=3, first_wait_s=5, longest_wait_s=60)


class Room:
    """Channels ``mail`` and ``sms``, each with a far side of its own."""

    def __init__(
        self,
        folder: Path,
        *routes: Route,
        drops_repeats: bool = False,
        make: Mapping[str, Callable[[FakeNotifierOptions], Notifier]] | None = None,
    ) -> None:
        self.clock = ManualClock(MORNING)
        self.exchanges = {"mail": FakeExchange(), "sms": FakeExchange()}
        makers = {} if make is None else make
        self.correspondence = Correspondence(
            folder,
            Routing(routes),
            load_templates(()),
            {
                name: Channel(
                    name,
                    SiteRole.PRIMARY,
                    offer_of(makers.get(name, FakeNotifier)),
                    FakeNotifierOptions(exchange),
                    drops_repeats,
                )
                for name, exchange in self.exchanges.items()
            },
            rules=RULES,
        )

    def open(self) -> Mailroom:
        """A mailroom on the folder, as another process would open it."""
        return Mailroom(self.correspondence, self.clock)

    def later(self, **by: int) -> None:
        """Turn the clock."""
        self.clock.advance(timedelta(**by))

    def arrived(self, channel: str = "mail") -> list[str]:
        """Who has something, in order."""
        return [one.receiver for one in self.exchanges[channel].arrived]


def offer_of(make: Callable[[FakeNotifierOptions], Notifier]) -> Offer[Notifier]:
    return Offer(
        "fake",
        FakeNotifierOptions,
        lambda options, site: open_fake_notifier(options, site, make),
    )
