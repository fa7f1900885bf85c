"""Faults of telling people, each named after what it does, around any notifier.

A far side refuses, is silent, or goes away half-way; the library's own mailroom then tells nobody
twice, and says of whom it does not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import evolve

from hkex_ops.model import Notification, Outcome, Receipt
from hkex_ops.ports import Notifier
from hkex_ops.testing.faulty import Stall

__all__ = [
    "Disconnecting",
    "Duplicating",
    "Faulty",
    "Refusing",
    "Reordering",
    "Stalling",
    "Truncating",
]


class Faulty:
    """A notifier that tells. A fault overrides what it does wrong."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        """As the notifier within does."""
        return await self._notifier.notify(notification, receivers)


class Truncating(Faulty):
    """Loses all of a body but its first line, and says nothing of it."""

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        """The beginning of it."""
        first, _, _ = notification.body.partition("\n")
        return await self._notifier.notify(evolve(notification, body=first), receivers)


class Stalling(Faulty, Stall):
    """Tells ``after`` messages and then waits until :meth:`go_on`, which may be never."""

    def __init__(self, notifier: Notifier, after: int = 1) -> None:
        Faulty.__init__(self, notifier)
        Stall.__init__(self, after)

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        """A few messages, and then silence."""
        await self.let_pass()
        return await self._notifier.notify(notification, receivers)


class Reordering(Faulty):
    """Gives the receipts last first."""

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        """The same receipts, the wrong way round."""
        return (await self._notifier.notify(notification, receivers))[::-1]


class Duplicating(Faulty):
    """Tells everybody twice, and says so once."""

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        """The second receipts."""
        await self._notifier.notify(notification, receivers)
        return await self._notifier.notify(notification, receivers)


class Refusing(Faulty):
    """The far side refuses the receivers ``refused`` for good; everybody, if none is named."""

    def __init__(self, notifier: Notifier, refused: Iterable[str] = ()) -> None:
        super().__init__(notifier)
        self._refused = frozenset(refused)

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        """Receipts in order, of whom it refuses without telling them."""
        receipts: list[Receipt] = []
        for one in receivers:
            if not self._refused or one in self._refused:
                detail = "the far side refused it"
                at = notification.at
                receipts.append(Receipt("", one, at, Outcome.REFUSED, detail=detail))
            else:
                receipts += await self._notifier.notify(notification, [one])
        return tuple(receipts)


class Disconnecting(Faulty):
    """Loses the connection when ``after`` receivers have been told and the next one's answer is
    awaited: of that one nobody knows, and the others were not told. It says so, as it must."""

    def __init__(self, notifier: Notifier, after: int = 1) -> None:
        super().__init__(notifier)
        self._after = after

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        """Taken, unknown, deferred."""
        told = await self._notifier.notify(notification, receivers[: self._after + 1])
        lost = "the connection was lost before it answered"
        left = [
            Receipt("", one, notification.at, Outcome.DEFERRED, detail="the connection was lost")
            for one in receivers[self._after + 1 :]
        ]
        unknown = [evolve(one, outcome=Outcome.UNKNOWN, detail=lost) for one in told[self._after :]]
        return (*told[: self._after], *unknown, *left)
