"""Steps of a session at a clearing house's gateways: done without a person, told in one line."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from hkex_ops import HONG_KONG, ManualClock
from hkex_ops.config.settings import load_settings
from hkex_ops.config.shipped import load_calendar, load_rollouts
from hkex_ops.flows.clearing.gateways import ConfiguredGateway
from hkex_ops.flows.clearing.session_steps import GatewayWork
from hkex_ops.flows.hands import Reach, SessionHands, reach_of
from hkex_ops.model import SiteRole, Step, StepAction
from hkex_ops.plugins import FoundPlugin, Plugins
from hkex_ops.rollouts import session_connections
from hkex_ops.rundown import StepResult, StepState, session_named
from tests.cli import gateway_source
from tests.cli.clearing_desk import ClearingDesk
from tests.cli.program import Program

ROLLOUT = load_rollouts(load_calendar())["hkats-dcass-2019"]
SESSION = session_named("post-release-verification", ROLLOUT)
SERVICE = "DCASS-OAPI"
CLOCK = ManualClock(datetime(2019, 5, 5, 9, 30, tzinfo=HONG_KONG))


@pytest.fixture
def desk(tmp_path: Path) -> ClearingDesk:
    desk = ClearingDesk(Program(tmp_path))
    desk.configure()
    return desk


def reach(desk: ClearingDesk) -> Reach:
    plugins = Plugins([FoundPlugin("gateway", "gateway", "1", lambda: gateway_source)])
    return reach_of(ROLLOUT, SESSION, load_settings(desk.home / "config.toml"), plugins)


def step(action: StepAction) -> Step:
    return next(one for one in SESSION.steps if (one.action, one.service) == (action, SERVICE))


async def done(desk: ClearingDesk, action: StepAction) -> StepResult:
    within = reach(desk)
    assert within.gateway is not None
    named = session_connections(ROLLOUT, SERVICE, SiteRole.PRIMARY)
    work = GatewayWork(within.gateway, SiteRole.PRIMARY, named, CLOCK, expiry_warning_days=14)
    return await SessionHands(within, None, work).do(step(action))


def test_only_steps_of_its_service_are_within_reach(desk: ClearingDesk) -> None:
    """The browser is a person's, and so is the comparison of the data."""
    within = reach(desk)
    assert isinstance(within.gateway, ConfiguredGateway)
    assert [
        (StepAction.CHECK_ADDRESSES, SERVICE),
        (StepAction.LOG_IN, SERVICE),
        (StepAction.LOG_OUT, SERVICE),
    ] == [(one.action, one.service) for one in SESSION.steps if within.does(one)]


def test_where_there_is_doubt_which_gateway_a_person_does_it(desk: ClearingDesk) -> None:
    text = (desk.home / "config.toml").read_text()
    more = text.replace("oapi_gateways.dcass", "oapi_gateways.other").partition("[work]")[0]
    desk.write("config.toml", text + more)
    assert None is reach(desk).gateway


async def test_the_addresses_are_held_against_the_circulars(desk: ClearingDesk) -> None:
    right = await done(desk, StepAction.CHECK_ADDRESSES)
    assert StepState.PASSED is right.state
    text = (desk.home / "config.toml").read_text().replace("10.151.5.82", "10.152.5.82")
    desk.write("config.toml", text)
    wrong = await done(desk, StepAction.CHECK_ADDRESSES)
    assert (
        StepState.FAILED,
        "10.152.5.82:15001 is not in the circular; 10.151.5.82 is not in the configuration",
    ) == (wrong.state, wrong.found)


async def test_one_gateway_that_lets_us_in_is_enough_and_the_other_is_told(
    desk: ClearingDesk,
) -> None:
    """“10.151.5.81 and/or 10.151.5.82” (3.2)"""
    both = await done(desk, StepAction.LOG_IN)
    assert (StepState.PASSED, True) == (both.state, "logged in at 2 of 2" in both.found)
    desk.configure(goes_wrong={"10.151.5.81": "unreachable"})
    one = await done(desk, StepAction.LOG_IN)
    assert (StepState.PASSED, True) == (one.state, "logged in at 1 of 2" in one.found)
    assert "10.151.5.81:15001: the gateway cannot be reached" in one.found
    desk.configure(goes_wrong={"10.151.5.81": "unreachable", "10.151.5.82": "auth"})
    none = await done(desk, StepAction.LOG_IN)
    assert (StepState.FAILED, True) == (none.state, "does not know this user" in none.found)


async def test_nobody_is_left_logged_in(desk: ClearingDesk) -> None:
    out = await done(desk, StepAction.LOG_OUT)
    assert (StepState.PASSED, True) == (out.state, "nobody is logged in" in out.found)
