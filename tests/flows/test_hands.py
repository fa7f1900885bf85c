"""What is done without a person: what a configuration reaches, and what looking at it tells."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from attrs import frozen

from hkex_ops.config.settings import load_settings
from hkex_ops.config.shipped import load_calendar, load_rollouts
from hkex_ops.errors import ConfigError, UsageError
from hkex_ops.flows.hands import ConfiguredProbe, Reach, SessionHands, reach_of
from hkex_ops.model import Connection, Rollout, SiteRole, Step, StepAction
from hkex_ops.plugins import FoundPlugin, Plugins
from hkex_ops.ports import Offer, Probe, ProbeResult
from hkex_ops.rundown import StepState, session_named
from tests.cli import circular_source

ONLINE = "DCASS-Online"


@frozen
class Eyes:
    """What the fake probe cannot see."""

    blind_to: str = ""


@frozen
class FakeProbe:
    """Sees every connection but one, and connects to nothing."""

    options: Eyes

    async def probe(self, connection: Connection) -> ProbeResult:
        """Say what was seen."""
        seen = connection.host != self.options.blind_to
        return ProbeResult(connection, seen, seen, f"{connection.host} {seen}")


@asynccontextmanager
async def _open(options: Eyes, site: SiteRole) -> AsyncGenerator[Probe]:
    assert SiteRole.PRIMARY is site
    yield FakeProbe(options)


@pytest.fixture(scope="module")
def rollouts() -> dict[str, Rollout]:
    return dict(load_rollouts(load_calendar()))


@pytest.fixture(scope="module")
def hkats(rollouts: dict[str, Rollout]) -> Rollout:
    return rollouts["hkats-dcass-2019"]


def reaching(hkats: Rollout, blind_to: str = "") -> Reach:
    probe = ConfiguredProbe(ONLINE, Offer("eyes", Eyes, _open), Eyes(blind_to))
    session = session_named("post-release-verification", hkats)
    return Reach(hkats, session, None, {ONLINE: probe})


def check_connection(reach: Reach) -> Step:
    steps = reach.session.steps
    return next(one for one in steps if one.action is StepAction.CHECK_CONNECTION)


async def test_a_probe_looks_at_every_connection_that_the_paper_states(hkats: Rollout) -> None:
    reach = reaching(hkats)
    done = await SessionHands(reach, None).do(check_connection(reach))
    assert StepState.PASSED is done.state
    stated = [(one.host, one.port) for one in reach.connections(ONLINE)]
    seen = done.facts["connections"]
    assert isinstance(seen, list)
    assert 4 == len(stated)
    assert stated == [(one["host"], one["port"]) for one in seen if isinstance(one, dict)]


async def test_one_connection_that_does_not_answer_fails_the_step(hkats: Rollout) -> None:
    reach = reaching(hkats, blind_to="10.151.14.101")
    done = await SessionHands(reach, None).do(check_connection(reach))
    assert (StepState.FAILED, "10.151.14.101 False") == (done.state, done.found)


def test_what_no_adapter_serves_is_a_persons(hkats: Rollout) -> None:
    reach = reaching(hkats)
    assert [StepAction.CHECK_CONNECTION] == [
        step.action for step in reach.session.steps if reach.does(step)
    ]
    alone = Reach(hkats, reach.session)
    assert not any(alone.does(step) for step in reach.session.steps)


async def test_hands_refuse_a_persons_step(hkats: Rollout) -> None:
    reach = reaching(hkats)
    manual = next(one for one in reach.session.steps if one.action is StepAction.MANUAL)
    with pytest.raises(UsageError, match="a person does this step"):
        await SessionHands(reach, None).do(manual)


# -- from a configuration ----------------------------------------------------------------------

TWO_SOURCES = """
[report_sources.a]
adapter = "circular"
service = "RRS"
options = { folder = "x" }
[report_sources.b]
adapter = "circular"
service = "RRS"
options = { folder = "x" }
[report_sources.c]
adapter = "circular"
service = "OTHER"
options = { folder = "x" }
"""


def plugins() -> Plugins:
    return Plugins([FoundPlugin("circular", "circular", "1", lambda: circular_source)])


def test_a_session_is_served_by_the_source_of_its_service(
    tmp_path: Path, rollouts: dict[str, Rollout]
) -> None:
    (tmp_path / "config.toml").write_text(TWO_SOURCES)
    settings = load_settings(tmp_path / "config.toml")
    rrs = rollouts["rrs-2023"]
    session = session_named("session-1", rrs)
    with pytest.raises(UsageError, match="several report sources serve it, name one: a, b"):
        reach_of(rrs, session, settings, plugins())
    reach = reach_of(rrs, session, settings, plugins(), "b")
    assert reach.source is not None
    assert "b" == reach.source.name
    assert all(reach.does(step) for step in session.steps)


def test_a_probe_that_nobody_offers_is_a_fault_of_the_configuration(
    tmp_path: Path, hkats: Rollout
) -> None:
    (tmp_path / "config.toml").write_text(
        f'[probes.dcass]\nadapter = "eyes"\nservice = "{ONLINE}"\n'
    )
    settings = load_settings(tmp_path / "config.toml")
    session = session_named("post-release-verification", hkats)
    with pytest.raises(ConfigError, match="probe eyes is not on offer"):
        reach_of(hkats, session, settings, plugins())
