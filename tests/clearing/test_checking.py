"""The check of gateways, where an adapter cannot be told which one to use, and what papers name."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime

from attrs import frozen

from hkex_ops import HONG_KONG, ManualClock
from hkex_ops.config.shipped import load_calendar, load_rollouts
from hkex_ops.flows.clearing.checking import check_gateways
from hkex_ops.flows.clearing.gateways import (
    ConfiguredGateway,
    rulings_at,
    stated_gateways,
)
from hkex_ops.model import Endpoint, SiteRole
from hkex_ops.ports import OapiGateway, Offer
from tests.clearing.test_answers import Scripted

SESSION = datetime(2019, 5, 5, 10, tzinfo=HONG_KONG)
SERVICE = "DCASS-OAPI"
ROLLOUTS = tuple(load_rollouts(load_calendar()).values())


@frozen
class Nothing:
    """Options of an adapter that finds its gateway by itself."""


@asynccontextmanager
async def opened(options: Nothing, site: SiteRole) -> AsyncGenerator[OapiGateway]:
    yield Scripted()


async def test_an_adapter_that_finds_its_gateway_itself_is_checked_once() -> None:
    """Which gateways there are is then not known, and none is said to be missing."""
    offer: Offer[OapiGateway] = Offer(
        "itself", Nothing, opened, lambda options, site: [Endpoint("192.0.2.1", 1)]
    )
    gateway = ConfiguredGateway("dcass", SERVICE, SiteRole.PRIMARY, offer, Nothing())
    named = stated_gateways(ROLLOUTS, SERVICE, SESSION)
    [check] = await check_gateways(
        gateway, SiteRole.PRIMARY, named, ManualClock(SESSION), expiry_warning_days=14
    )
    assert ("dcass, whichever answers", None, True) == (check.gateway, check.stated, check.passed)
    assert SESSION == check.logged_in_at == check.logged_out_at


def test_the_papers_name_the_primary_gateways_of_2019_and_forbid_to_do_more_than_ask() -> None:
    named = stated_gateways(ROLLOUTS, SERVICE, SESSION)
    assert ["10.151.5.81", "10.151.5.82"] == [one.host for one in named]
    assert () == stated_gateways(ROLLOUTS, "OAPI-of-another-house", SESSION)
    rulings = rulings_at(ROLLOUTS, SERVICE, SESSION)
    assert [("post-trade-activity", "deny"), ("simulate-daily-operations", "limited")] == [
        (one.action, one.decision.value) for one in rulings
    ]
