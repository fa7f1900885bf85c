"""The troubles of a far side that a bench can make: one at a time, until it is as at first.

Notifiers and publishers have far sides of the same kind. What a bench cannot stage is left out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from random import Random
from typing import Protocol

import pytest
from attrs import define

from hkex_ops.testing.simulated import Chronicle, Part

__all__ = ["TroubledBench", "Troubles"]


class TroubledBench(Protocol):
    """A bench that can give its far side a bad time."""

    async def take_down(self) -> None:
        """Take no connections."""
        ...

    async def fill_up(self) -> None:
        """Say: not now."""
        ...

    async def fall_silent(self) -> None:
        """Answer nothing."""
        ...

    async def bring_up(self) -> None:
        """Be as at first."""
        ...


@define
class Troubles:
    """What is wrong at the far side of ``bench``, if anything is."""

    bench: TroubledBench
    chronicle: Chronicle
    more: Sequence[tuple[str, Callable[[], Awaitable[None]]]] = ()
    is_on: bool = False

    async def begin(self, chance: Random) -> None:
        """One trouble, drawn; none, where the bench cannot make it."""
        bench = self.bench
        said, make = chance.choice(
            [
                ("takes no connections", bench.take_down),
                ("says: not now", bench.fill_up),
                ("takes connections and answers nothing", bench.fall_silent),
                *self.more,
            ]
        )
        with suppress(pytest.skip.Exception):
            await make()
            self.chronicle.tell(Part.FAR_SIDE, said)
            self.is_on = True

    async def end(self) -> None:
        """As at first. A bench that makes troubles and cannot end them skips the simulation."""
        if self.is_on:
            await self.bench.bring_up()
            self.chronicle.tell(Part.FAR_SIDE, "is as it was at first")
            self.is_on = False
