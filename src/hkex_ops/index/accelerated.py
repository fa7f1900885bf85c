"""A recorded day computed again by compiled code: the same ticks, the sums moved by machine code.

The vectorised recalculation with its inner part as two loops, made for a compiler. Who compiles is
the caller's affair (`hkex_ops.flows` does, by numba of the extra ``fast``): this module is never on
the default path and imports no compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any, NamedTuple, Protocol, TypeVar, cast

import numpy as np

from hkex_ops.index import kernels
from hkex_ops.index.basket import Basket
from hkex_ops.index.limbs import Ints
from hkex_ops.index.rules import IndexRules
from hkex_ops.index.vector import Arrays, Batch, Trades, VectorRecalculation

__all__ = ["AcceleratedRecalculation", "Compile", "Work", "compiled_work"]

F = TypeVar("F", bound=Callable[..., Any])


class Work(NamedTuple):
    """The loops of :mod:`hkex_ops.index.kernels`."""

    pick: Callable[..., int]
    work: Callable[..., int]


class Compile(Protocol):
    """Turns a function of arrays into a fast one that gives the same."""

    def __call__(self, function: F, /) -> F:
        """The fast one."""
        ...


def compiled_work(compile: Compile) -> Work:
    """The loops, compiled."""
    known: dict[str, Any] = dict(vars(kernels))
    for name in ("pick", "work", "enter"):
        plain = cast("FunctionType", known[name])
        known[name] = compile(FunctionType(plain.__code__, known, name))
    return Work(known["pick"], known["enter"])


class AcceleratedRecalculation(VectorRecalculation):
    """One day, as :class:`~hkex_ops.index.vector.VectorRecalculation`, by compiled loops."""

    def __init__(
        self,
        baskets: Sequence[Basket],
        rules: IndexRules | None = None,
        *,
        work: Work,
        first_ns: int | None = None,
    ) -> None:
        super().__init__(baskets, rules, first_ns=first_ns)
        self._loops = work

    def _that_count(self, batch: Batch) -> Trades:
        moment, (securities, trade_ids, prices, kinds) = batch.rows()
        found = np.empty((len(Trades._fields), len(moment)), np.int64)
        many = self._loops.pick(
            moment, securities, trade_ids, prices, kinds, self._slots, self._taken, found
        )
        return Trades(*found[:, :many])

    def _moved(self, arrays: Arrays, moments: int, trades: Trades) -> Ints:
        limbs = arrays.limbs
        sums = np.empty((limbs.count, moments, limbs.sums.shape[1]), np.int64)
        late = np.empty((2, len(trades.slot)), np.int64)
        many = self._loops.work(
            tuple(trades),
            (arrays.prices, arrays.newest),
            (limbs.offsets, limbs.places, limbs.weights),
            limbs.sums,
            sums,
            late,
        )
        for place, newest in late[:, :many].T.tolist():
            self._came_late(trades, place, newest)
        return sums
