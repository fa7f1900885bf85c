"""A count of what is read, on a terminal while it takes its time; elsewhere nothing is said."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from rich.console import Console

from hkex_ops.clearing.lines import Placed

__all__ = ["Count", "counting"]

Count: TypeAlias = Callable[[Iterable[Placed], str], Iterable[Placed]]
"""Records and what they are called, to the same records, counted as they pass."""

SHOWN_EVERY = 20_000


@contextmanager
def counting(console: Console | None = None) -> Generator[Count]:
    """Counts records on ``console``, or on stderr; the count is gone at the end."""
    console = console or Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda records, _: records
        return
    with console.status("reading") as status:

        def count(records: Iterable[Placed], what: str) -> Iterator[Placed]:
            for number, one in enumerate(records, start=1):
                if number % SHOWN_EVERY == 0:
                    status.update(f"{what}: {number:,} records")
                yield one
            status.update("comparing")

        yield count
