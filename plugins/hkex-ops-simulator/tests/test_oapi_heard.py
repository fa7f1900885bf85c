"""Heard once: whatever the house tells is told to the desk once, as an event or made up for.

The house loses events, has no room for them, says that a link was down, or sends bytes that are no
event; the truth is what it told.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from oapi_calls import needs_compiler
from oapi_houses import SHAPE, configured

from hkex_ops.model import (
    BroadcastReceived,
    ClearingMessageReceived,
    EventsLost,
    EventsRecovered,
    Fields,
    GatewayEvent,
)
from hkex_ops_simulator.oapi import stand_in
from hkex_ops_simulator.oapi.faults import Faults
from hkex_ops_simulator.oapi.house import ClearingHouse
from hkex_ops_simulator.oapi.stand_in import Variant

pytestmark = needs_compiler

TOLD = 30
PATIENCE_S = 60
DATA_LOST, PATH_NORMAL = -208_002, 4002


class Heard:
    """What came to the desk: texts and trades, each with how often."""

    def __init__(self) -> None:
        self.texts = Counter[str]()
        self.trades = Counter[int]()
        self.losses = 0
        self.changed = asyncio.Event()

    def take(self, event: GatewayEvent) -> None:
        match event:
            case ClearingMessageReceived(text=text):
                self.texts[text.split("\n")[0].strip()] += 1
            case BroadcastReceived(code="BD6", items=items):
                self._trades(items)
            case EventsRecovered(code="BD6", items=items):
                self._trades(items)
            case EventsLost():
                self.losses += 1
            case _:
                pass
        self.changed.set()

    def _trades(self, items: tuple[Fields, ...]) -> None:
        for one in items:
            number = one["trade_base.trade_number_i"]
            assert isinstance(number, int)
            self.trades[number] += 1

    async def until_all(self, texts: set[str], trades: set[int]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not (texts <= self.texts.keys() and trades <= self.trades.keys()):
                self.changed.clear()
                await self.changed.wait()


def meddle(draw: Random, house: ClearingHouse, texts: set[str], trades: set[int]) -> None:
    """The house tells something, or something goes wrong."""
    match draw.choice(["text", "text", "trade", "trade", "lose", "link", "heartbeat", "garbage"]):
        case "text":
            line = f"SYNTHETIC message {len(house.texts)}"
            house.tell_text(line)
            texts.add(line)
        case "trade":
            trades.add(house.tell_trade().number)
        case "lose":
            house.lose_events()
        case "link":
            house.tell_network(*draw.choice([(1, DATA_LOST), (4, PATH_NORMAL)]))
        case "heartbeat":
            house.tell_heartbeat()
        case _:
            house.tell_garbage(draw.randbytes(draw.randrange(1, 30)))


async def listen(events: AsyncIterator[GatewayEvent], heard: Heard) -> None:
    async for event in events:
        heard.take(event)


def subscribed(house: ClearingHouse) -> bool:
    return any(len(one.subscribed) == 8 for one in house.queues)


@pytest.mark.parametrize("seed", range(4))
async def test_everything_is_heard_once(tmp_path: Path, seed: int) -> None:
    draw, heard = Random(seed), Heard()
    texts, trades = set[str](), set[int]()
    faults = Faults(event_room=draw.choice((2, 5, 500)))
    variant = draw.choice((Variant.PLAIN, Variant.SWAPPED))
    async with stand_in.open(seed, variant=variant, faults=faults, shape=SHAPE) as it:
        gateway = configured(it, tmp_path)
        async with gateway.open(gateway.site) as session:
            listening = asyncio.create_task(listen(session.events(), heard))
            while not subscribed(it.house):  # noqa: ASYNC110 - the house has threads, and no events
                await asyncio.sleep(0.002)
            for _ in range(TOLD):
                meddle(draw, it.house, texts, trades)
                await asyncio.sleep(draw.choice((0, 0.004)))
            it.house.lose_events()
            waiting = asyncio.create_task(heard.until_all(texts, trades))
            await asyncio.wait((listening, waiting), return_when=asyncio.FIRST_COMPLETED)
            assert not listening.done(), listening.exception()
            await waiting
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
        assert (0, []) == (it.house.collisions, it.house.changed)
    assert heard.losses > 0
    assert {1} == {heard.texts[one] for one in texts}
    assert {1} == set(heard.trades.values())
