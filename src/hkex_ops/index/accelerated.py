"""A recorded day computed again by compiled code: the same ticks, the sums moved by machine code.

The vectorised recalculation with its inner part as one loop, made for a compiler. Who compiles is
the caller's affair (`hkex_ops.flows` does, by numba of the extra ``fast``): this module is never on
the default path and imports no compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np

from hkex_ops.index import kernels
from hkex_ops.index.basket import Basket
from hkex_ops.index.kernels import Given, Stocks, Weights
from hkex_ops.index.limbs import Ints
from hkex_ops.index.rules import IndexRules
from hkex_ops.index.vector import Arrays, Trades, VectorRecalculation

__all__ = ["AcceleratedRecalculation", "Compile", "Work", "compiled_work"]

F = TypeVar("F", bound=Callable[..., Any])
Work = Callable[..., int]


class Compile(Protocol):
    """Turns a function of arrays into a fast one that gives the same."""

    def __call__(self, function: F, /) -> F:
        """The fast one."""
        ...


def compiled_work(compile: Compile) -> Work:
    """The loop, compiled."""
    return compile(kernels.work)


class AcceleratedRecalculation(VectorRecalculation):
    """One day, as :class:`~hkex_ops.index.vector.VectorRecalculation`, by a compiled loop."""

    def __init__(
        self,
        baskets: Sequence[Basket],
        rules: IndexRules | None = None,
        *,
        work: Work,
        first_ns: int | None = None,
    ) -> None:
        super().__init__(baskets, rules, first_ns=first_ns)
        self._loop = work

    def _moved(self, arrays: Arrays, moments: int, trades: Trades) -> Ints:
        limbs = arrays.limbs
        sums = np.empty((limbs.count, moments, limbs.sums.shape[1]), np.int64)
        late = np.empty((2, len(trades.slot)), np.int64)
        many = self._loop(
            Given(*trades),
            Stocks(arrays.prices, arrays.newest),
            Weights(limbs.offsets, limbs.places, limbs.weights),
            limbs.sums,
            sums,
            late,
        )
        for place, newest in late[:, :many].T.tolist():
            self._came_late(trades, place, newest)
        return sums
