"""All four rollouts worked while things go wrong at random steps: the evidence tells the truth.

What should have been found is judged by the saboteur, who knows which listener was open, and never
by the rehearsal.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import stamina
from rich.console import Console

from hkex_ops.config.shipped import load_calendar, load_rollouts
from hkex_ops.flows.evidence import verify_evidence
from hkex_ops.model import Rollout, Session, SiteRole
from hkex_ops.rundown import RundownStep
from hkex_ops_simulator.screen import Screen
from hkex_ops_simulator.server import SimulatedExchange
from hkex_ops_simulator.staging import Saboteur, outcome, rehearse_rollout
from hkex_ops_simulator.stand_ins import StandIns

ROLLOUTS = ("backbone-prt-2024", "backbone-ps2-2023", "hkats-dcass-2019", "rrs-2023")
SEEDS = 100
SAMPLE = 3

# Acts of sabotage before one step, at the most; they break more often than they mend.
MOST_STRIKES = 3


class Vandal(Saboteur):
    """Does things at random before most steps, the same for the same seed.

    ``answers`` is, for every look at a service, whether all its listeners were open then, and for
    every log-in to the report service, whether its site was up.
    """

    def __init__(self, rollout: Rollout, seed: int) -> None:
        self._rollout = rollout
        self._random = Random(f"{rollout.id} {seed}")
        self._down: set[SiteRole] = set()
        self.answers: dict[tuple[str, str], bool] = {}

    async def before(
        self, step: RundownStep, exchange: SimulatedExchange, stand_ins: StandIns
    ) -> None:
        for _ in range(self._random.randint(0, MOST_STRIKES)):
            await self._strike(exchange, stand_ins)
        if step.id.startswith("check-connection"):
            self.answers[step.session, step.id] = self._all_open(step, stand_ins)
        if step.id == "log-in" and "RRS" in self._session(step).services:
            self.answers[step.session, step.id] = self._session(step).site not in self._down

    async def _strike(self, exchange: SimulatedExchange, stand_ins: StandIns) -> None:
        site = self._random.choice(list(SiteRole))
        match self._random.randrange(7):
            case 0:
                self._down.add(site)
                await exchange.take_down(site)
            case 1:
                self._down.discard(site)
                await exchange.bring_up(site)
            case 2:
                exchange.remove(site, self._random.choice(exchange.names(site)))
            case 3 | 4 | 5 if stand_ins.all:
                await self._random.choice(stand_ins.all).listener.close()
            case _:
                await stand_ins.bring_up(site)

    def _session(self, step: RundownStep) -> Session:
        [session] = [one for one in self._rollout.sessions if one.id == step.session]
        return session

    def _all_open(self, step: RundownStep, stand_ins: StandIns) -> bool:
        session = self._session(step)
        named = step.id.removeprefix("check-connection").removeprefix("-")
        [service] = [one for one in session.services if one.casefold() == (named or "dcass-online")]
        there = stand_ins.of(service, session.site or SiteRole.PRIMARY)
        return bool(there) and all(one.listener.is_open for one in there)


@pytest.fixture(autouse=True)
def _nobody_waits() -> Iterator[None]:
    """A far side that is away is tried as often as ever, without the pauses."""
    stamina.set_testing(True, attempts=2)
    yield
    stamina.set_testing(False)


async def work(id: str, seed: int, target: Path) -> None:
    calendar = load_calendar()
    rollout = load_rollouts(calendar)[id]
    vandal = Vandal(rollout, seed)
    screen = Screen(Console(file=io.StringIO()))
    done = await rehearse_rollout(rollout, calendar, target, screen, saboteur=vandal)

    assert () == verify_evidence(target).findings
    told = json.loads((target / "data" / "rundown.json").read_text("utf-8"))
    ended = {(one["session"], one["step"]): one["outcome"] for one in told["steps"]}
    assert vandal.answers == {key: ended[key] == "passed" for key in vandal.answers}
    assert {(step.session, step.id) for step in done.rundown.states} == ended.keys()
    whole = {"passed"} == set(ended.values())
    assert ("passed" if whole else "failed") == told["outcome"] == outcome(done.rundown)


@pytest.mark.parametrize("seed", range(SAMPLE))
@pytest.mark.parametrize("id", ROLLOUTS)
async def test_the_evidence_tells_the_truth(tmp_path: Path, id: str, seed: int) -> None:
    await work(id, seed, tmp_path / "evidence")


@pytest.mark.long
@pytest.mark.parametrize("seed", range(SAMPLE, SEEDS))
async def test_the_evidence_tells_the_truth_at_length(tmp_path: Path, seed: int) -> None:
    for id in ROLLOUTS:
        await work(id, seed, tmp_path / id)


async def test_a_client_that_connects_during_the_failover_is_found_out(tmp_path: Path) -> None:
    calendar = load_calendar()
    rollout = load_rollouts(calendar)["backbone-ps2-2023"]

    class Impatient(Saboteur):
        async def before(
            self, step: RundownStep, exchange: SimulatedExchange, stand_ins: StandIns
        ) -> None:
            if step.id == "clients-stayed-away":
                listener = stand_ins.of("OTP-C", SiteRole.SECONDARY)[0].listener
                reader, writer = await asyncio.open_connection(listener.host, listener.port)
                writer.write_eof()
                await reader.read()  # until the far side has seen us and hung up
                writer.close()
                await writer.wait_closed()

    screen = Screen(Console(file=io.StringIO()))
    done = await rehearse_rollout(
        rollout, calendar, tmp_path / "evidence", screen, saboteur=Impatient()
    )
    wrong = [step.id for step, state in done.rundown.states.items() if state != "passed"]
    assert ["clients-stayed-away"] == wrong
