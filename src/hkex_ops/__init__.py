"""Operations of Hong Kong exchange participants: circulars as data, the work done, the proof kept.

``import hkex_ops`` gives the nouns; it loads no adapter, no database and no network library.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, TypeVar

from hkex_ops.clock import Clock, ManualClock, SystemClock
from hkex_ops.errors import ConfigError, Denied, HkexOpsError, PluginError, RemoteError, StoreError
from hkex_ops.model import HONG_KONG

__all__ = [
    "HONG_KONG",
    "Clock",
    "ConfigError",
    "Denied",
    "HkexOpsError",
    "ManualClock",
    "PluginError",
    "RemoteError",
    "StoreError",
    "SystemClock",
    "each",
    "run",
]

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine of this library, in a script that has no event loop.

    Raises what it raises, and `UsageError` inside a running event loop.
    """
    # Here, so that whoever wants only the nouns loads no event loop.
    from hkex_ops.flows.scripting import run as run_it

    return run_it(work)


def each(things: AsyncIterator[T]) -> Iterator[T]:
    """The things of an asynchronous iterator, in a script that has no event loop.

    Each is given out when it is there, and the iterator is closed when the loop over it is left.
    """
    from hkex_ops.flows.scripting import each as each_of

    return each_of(things)
