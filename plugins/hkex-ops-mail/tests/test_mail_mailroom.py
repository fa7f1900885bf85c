"""A mailroom on real servers: one that refuses, is slow, or accepts the half."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from basic_certificates import Authority
from basic_hooks import HookBench
from mail_benches import MailNotifierBench
from mail_servers import MailServer

from hkex_ops.clock import ManualClock
from hkex_ops.config.routes import load_templates
from hkex_ops.flows.notifying.configured import Channel, Correspondence
from hkex_ops.flows.notifying.mailroom import Mailroom
from hkex_ops.flows.notifying.preflight import RouteState, check_channels
from hkex_ops.flows.notifying.standing import standing
from hkex_ops.model import HONG_KONG, Audience, Occurrence, Severity, SiteRole
from hkex_ops.notifications import DeliveryState, EscalationStep, Route, Routing, Telling

AT = datetime(2010, 1, 22, 10, 2, tzinfo=HONG_KONG)
DESK, SFC = "duty@broker.example", "duty@authority.example"
HAPPENED = Occurrence(
    "index/mode-changed",
    "index/mode-changed/1",
    AT,
    Severity.MAJOR,
    {"mode": "contingency", "was": "standby", "reason": "all engines are silent"},
)
ROUTE = Route(
    "all",
    Audience.PARTICIPANTS,
    (Telling("mail", (DESK, SFC)),),
    fallback=(Telling("hook", ("desk",)),),
    escalation=(EscalationStep(10, "hook", ("management",)),),
)


class Scene:
    """One mailroom, one mail server, one webhook server, and a clock that is turned."""

    def __init__(self, folder: Path, mail: MailNotifierBench, hook: HookBench) -> None:
        self.mail, self.hook = mail, hook
        self.clock = ManualClock(AT)
        self.correspondence = Correspondence(
            folder / "outbox",
            Routing((ROUTE,)),
            load_templates(()),
            {
                name: Channel(name, SiteRole.PRIMARY, bench.offer, bench.options())
                for name, bench in (("mail", mail), ("hook", hook))
            },
        )
        self.mailroom = Mailroom(self.correspondence, self.clock)

    async def tell(self) -> None:
        self.mailroom.hand_in(HAPPENED)
        await self.mailroom.deliver()

    def states(self) -> dict[tuple[str, str], DeliveryState]:
        return {
            (one.channel, one.receiver): one.state
            for told in standing(self.mailroom.outbox)
            for one in told.receivers
        }

    async def arrived(self) -> list[str]:
        return [one.receiver for bench in (self.mail, self.hook) for one in await bench.arrived()]


@pytest.fixture
async def scene(authority: Authority, tmp_path: Path) -> AsyncIterator[Scene]:
    async with MailServer(authority) as server, HookBench(tmp_path, authority) as hook:
        scene = Scene(tmp_path, MailNotifierBench(server, tmp_path, by_token=False), hook)
        with scene.mailroom:
            yield scene


async def test_a_server_that_refuses_brings_the_fallback_at_once(scene: Scene) -> None:
    await scene.mail.refuse()
    await scene.tell()
    assert {
        ("mail", DESK): DeliveryState.REFUSED,
        ("mail", SFC): DeliveryState.REFUSED,
        ("hook", "desk"): DeliveryState.TAKEN,
    } == scene.states()
    assert ["desk"] == await scene.arrived()


async def test_a_server_that_half_accepts_has_told_the_others(scene: Scene) -> None:
    """Somebody has it, so there is no fallback; who was refused is for a person to see to."""
    await scene.mail.refuse_receiver(SFC)
    await scene.tell()
    assert {
        ("mail", DESK): DeliveryState.TAKEN,
        ("mail", SFC): DeliveryState.REFUSED,
    } == scene.states()
    (told,) = standing(scene.mailroom.outbox)
    assert told.wants_a_person
    assert ["550 5.1.1 User unknown"] == [
        one.receipts[0].detail for one in told.receivers if one.receiver == SFC
    ]


async def test_a_server_that_is_too_slow_is_unknown_and_never_told_again(scene: Scene) -> None:
    await scene.mail.fall_silent()
    await scene.tell()
    unknown = DeliveryState.UNKNOWN
    assert [unknown, unknown, DeliveryState.TAKEN] == list(scene.states().values())
    await scene.mail.bring_up()
    scene.clock.advance(timedelta(hours=1))
    await scene.mailroom.deliver()
    assert [] == await scene.mail.arrived()


async def test_a_server_that_was_busy_has_it_later(scene: Scene) -> None:
    await scene.mail.fill_up()
    await scene.tell()
    assert {DeliveryState.QUEUED} == set(scene.states().values())
    await scene.mail.bring_up()
    scene.clock.advance(timedelta(seconds=5))
    await scene.mailroom.deliver()
    assert [DESK, SFC] == await scene.arrived()


async def test_nobody_acknowledges_and_the_next_are_told(scene: Scene) -> None:
    await scene.tell()
    scene.clock.advance(timedelta(minutes=10))
    await scene.mailroom.deliver()
    assert [DESK, SFC, "management"] == await scene.arrived()
    scene.mailroom.acknowledge(HAPPENED.key, "A. Chan")
    scene.clock.advance(timedelta(hours=1))
    await scene.mailroom.deliver()
    assert [DESK, SFC, "management"] == await scene.arrived()


async def test_a_preflight_tries_every_route_and_sends_nothing(scene: Scene) -> None:
    """A server that is down, an address that is not known: found before the day."""
    alive = await check_channels(scene.correspondence)
    assert [("hook", RouteState.ALIVE), ("mail", RouteState.ALIVE)] == [
        (one.channel, one.state) for one in alive
    ]
    await scene.hook.take_down()
    await scene.mail.refuse_receiver(SFC)
    dead = await check_channels(scene.correspondence)
    assert [RouteState.DEAD, RouteState.DEAD] == [one.state for one in dead]
    assert f"{SFC} (550 5.1.1 User unknown)" in dead[1].detail
    assert [] == await scene.arrived()
