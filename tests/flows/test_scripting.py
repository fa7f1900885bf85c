"""The library in a script: coroutines run, asynchronous iterators iterated, without a loop."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

import hkex_ops
from hkex_ops.errors import Unreachable, UsageError


async def counting(upto: int, closed: list[str]) -> AsyncGenerator[int]:
    try:
        for number in range(upto):
            yield number
    finally:
        closed.append("closed")


async def failing() -> int:
    raise Unreachable("nobody is there: try again")


def test_a_coroutine_is_run_and_its_error_is_raised() -> None:
    with pytest.raises(Unreachable, match="nobody is there"):
        hkex_ops.run(failing())


def test_things_come_one_after_the_other() -> None:
    closed: list[str] = []
    assert ([0, 1, 2], ["closed"]) == (list(hkex_ops.each(counting(3, closed))), closed)


def test_a_loop_that_is_left_closes_what_it_iterated() -> None:
    closed: list[str] = []
    things = hkex_ops.each(counting(1000, closed))
    assert 0 == next(things)
    things.close()  # type: ignore[attr-defined]
    assert ["closed"] == closed


async def test_inside_a_running_loop_both_say_what_to_do() -> None:
    with pytest.raises(UsageError, match="await the coroutine instead"):
        hkex_ops.run(failing())
    generator = counting(1, [])
    with pytest.raises(UsageError, match="use async for instead"):
        next(hkex_ops.each(generator))
    await generator.aclose()
