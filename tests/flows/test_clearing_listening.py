"""What a clearing house tells, heard by a flow until it is enough or the end."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from hkex_ops.clock import ManualClock
from hkex_ops.errors import Unreachable
from hkex_ops.flows.clearing.gateways import ConfiguredGateway
from hkex_ops.flows.clearing.listening import listen
from hkex_ops.flows.enquiring import EnquiriesOnly
from hkex_ops.model import (
    HONG_KONG,
    ClearingMessageReceived,
    Enquiry,
    EventsLost,
    GatewayEvent,
    GatewayStatus,
    SiteRole,
)
from hkex_ops.ports import SupportsTransact
from hkex_ops.testing import FakeOapiGatewayBench

pytestmark = pytest.mark.asyncio

AT = datetime(2019, 5, 5, 10, 0, tzinfo=HONG_KONG)
PRIMARY = SiteRole.PRIMARY


@pytest.fixture
def bench() -> FakeOapiGatewayBench:
    return FakeOapiGatewayBench()


def configured(bench: FakeOapiGatewayBench, options: object = None) -> ConfiguredGateway:
    return ConfiguredGateway("fake", "DCASS-OAPI", PRIMARY, bench.offer, options or bench.options())


async def test_events_are_handed_over_with_their_time_until_enough(
    bench: FakeOapiGatewayBench,
) -> None:
    begun: list[GatewayStatus] = []
    heard: list[tuple[GatewayEvent, datetime]] = []

    def begin(status: GatewayStatus) -> None:
        begun.append(status)
        bench.house.tell("one")
        bench.house.tell("lost", heard=False)
        bench.house.tell("never heard")

    def take(event: GatewayEvent, at: datetime) -> None:
        heard.append((event, at))

    gateway, clock = configured(bench), ManualClock(AT)
    assert 3 == await listen(gateway, PRIMARY, clock, begin, take, count=3)
    assert [
        ClearingMessageReceived("one", {"number": 1}),
        EventsLost("an event was lost", 3),
        ClearingMessageReceived("lost", {"number": 2}, recovered=True),
    ] == [event for event, _ in heard]
    assert {AT} == {at for _, at in heard}
    assert [bench.business_date] == [status.business_date for status in begun]
    assert 0 == bench.sessions()


async def test_a_session_that_is_lost_ends_the_hearing(bench: FakeOapiGatewayBench) -> None:
    hearing = asyncio.ensure_future(
        listen(configured(bench), PRIMARY, ManualClock(AT), lambda _: None, lambda *_: None)
    )
    for _ in range(5):
        await asyncio.sleep(0)
    bench.house.take_down(0)
    with pytest.raises(Unreachable):
        await hearing


async def test_a_gateway_that_could_act_is_held_without_the_means(
    bench: FakeOapiGatewayBench,
) -> None:
    """Whatever the options allow, a flow that only asks has nothing else."""
    options = bench.options_transacting()
    async with bench.offer.open(options, PRIMARY) as gateway:
        assert isinstance(gateway, SupportsTransact)
    async with configured(bench, options).open(PRIMARY) as held:
        assert isinstance(held, EnquiriesOnly)
        assert not isinstance(held, SupportsTransact)
        assert [True] == [page.is_last async for page in held.enquire(Enquiry("CQ38"))]
        assert bench.business_date == (await held.status()).business_date
