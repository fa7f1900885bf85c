"""All four rollouts worked while things fail and the work is ended at random steps.

One simulation is one rollout and one seed: before any step listeners, sites and their market data
go down and come back, reports vanish, and now and then the rehearsal is cancelled or killed, in the
middle of whatever it does; it is begun again until it comes to its end. Whatever is left on the
disk is judged by the saboteur, who knows what could be reached, and never by the rehearsal: every
folder verifies, what was interrupted says so and how far it came, and the last one passed only if
everything did.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import stamina
from attrs import define, field
from rich.console import Console

from hkex_ops.calendars import Calendar
from hkex_ops.config.shipped import load_calendar, load_rollouts
from hkex_ops.flows.evidence import partial_of, verify_evidence
from hkex_ops.model import Rollout, Session, SiteRole
from hkex_ops.rundown import RundownStep
from hkex_ops_simulator import staging
from hkex_ops_simulator.backbone import client
from hkex_ops_simulator.backbone.service import MarketService
from hkex_ops_simulator.screen import Screen
from hkex_ops_simulator.staging import FarSides, Saboteur, rehearse_rollout
from hkex_ops_simulator.stand_ins import StandIns

ROLLOUTS = ("backbone-prt-2024", "backbone-ps2-2023", "hkats-dcass-2019", "rrs-2023")
CALENDAR = load_calendar()
SEEDS, SAMPLE = 100, 1

# Acts of sabotage before one step, at the most; they break more often than they mend.
MOST_STRIKES = 3
# How often one simulation is ended before it is let come to its end.
MOST_ENDINGS = 3
# A step takes a few turns of the event loop, or, with a server, some hundred.
MOST_TURNS = 300
LONGEST_PLAN = 42


@define
class Ending:
    """How a rehearsal is ended from outside: before which step, how many turns of the loop later.

    A cancelled one may still close its evidence; of a killed one nothing is done any more.
    """

    step: int
    turns: int
    kills: bool
    tears: int = 0  # bytes of half an event that a killed one leaves

    @classmethod
    def drawn(cls, draw: Random) -> Ending:
        turns = draw.choice([0, draw.randrange(20), draw.randrange(MOST_TURNS)])
        kills = draw.random() < 0.5
        return cls(draw.randrange(LONGEST_PLAN), turns, kills, draw.randrange(60) if kills else 0)


@define
class Vandal(Saboteur):
    """Does things at random before most steps, the same for the same seed.

    ``answers`` is, for every look at a service, whether all its listeners were open then or its
    market data was sent, and for every log-in to the report service, whether its site was up.
    ``unheard`` are the steps with market data at which nothing was sent.
    """

    rollout: Rollout
    draw: Random
    ending: Ending | None = None
    end: Callable[[], object] = lambda: None
    answers: dict[tuple[str, str], bool] = field(factory=dict[tuple[str, str], bool])
    unheard: list[tuple[str, str]] = field(factory=list[tuple[str, str]])
    _down: set[SiteRole] = field(factory=set[SiteRole])
    _steps: int = 0

    async def before(self, step: RundownStep, far: FarSides) -> None:
        for _ in range(self.draw.randint(0, MOST_STRIKES)):
            await self._strike(far)
        market = _market_of(step, far)
        if step.id.startswith("check-connection"):
            up = self._all_open(step, far.stand_ins) if market is None else self._is_up(step)
            self.answers[step.session, step.id] = up
        elif market is not None and (market.market is None or market.market.is_silent):
            self.unheard.append((step.session, step.id))
        if step.id == "log-in" and "RRS" in self._session(step).services:
            self.answers[step.session, step.id] = self._is_up(step)
        if self.ending is not None and self._steps == self.ending.step:
            self._end_after(self.ending.turns)
            await asyncio.sleep(0)
        self._steps += 1

    def _end_after(self, turns: int) -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(self.end) if turns == 0 else loop.call_soon(self._end_after, turns - 1)

    async def _strike(self, far: FarSides) -> None:
        site = self.draw.choice(list(SiteRole))
        match self.draw.randrange(7):
            case 0:
                self._down.add(site)
                await far.take_down(site)
            case 1:
                self._down.discard(site)
                await far.bring_up(site)
            case 2:
                far.exchange.remove(site, self.draw.choice(far.exchange.names(site)))
            case 3 | 4 | 5 if far.stand_ins.all:
                await self.draw.choice(far.stand_ins.all).listener.close()
            case _:
                await far.stand_ins.bring_up(site)

    def _is_up(self, step: RundownStep) -> bool:
        # Without a stated site clients stay where production leads them.
        return (self._session(step).site or SiteRole.PRIMARY) not in self._down

    def _session(self, step: RundownStep) -> Session:
        [session] = [one for one in self.rollout.sessions if one.id == step.session]
        return session

    def _all_open(self, step: RundownStep, stand_ins: StandIns) -> bool:
        session = self._session(step)
        named = step.id.removeprefix("check-connection").removeprefix("-")
        [service] = [one for one in session.services if one.casefold() == (named or "dcass-online")]
        there = stand_ins.of(service, session.site or SiteRole.PRIMARY)
        return bool(there) and all(one.listener.is_open for one in there)


def _market_of(step: RundownStep, far: FarSides) -> MarketService | None:
    """The market data that a step is about, where an adapter speaks to it."""
    services = () if far.market is None else far.market.services.values()
    return next((one for one in services if step.id.endswith(f"-{one.name.casefold()}")), None)


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A far side that is away is tried as often as ever, without the pauses."""
    monkeypatch.setattr(client, "_PATIENCE_S", 1)
    monkeypatch.setattr(client, "_LOOKS_IN_VAIN", 50)
    stamina.set_testing(True, attempts=2)
    yield
    stamina.set_testing(False)


@define
class Simulation:
    """One rollout worked with one seed: every run's saboteur, and what each run left."""

    rollout: Rollout
    calendar: Calendar
    target: Path
    draw: Random
    runs: list[Vandal] = field(factory=list[Vandal])

    async def work(self) -> None:
        """Begin again until it comes to its end; after a few endings it is let."""
        for _ in range(self.draw.randint(1, MOST_ENDINGS)):
            await self._run(Ending.drawn(self.draw))
            if self.target.exists():  # it was ended too late, or not at all
                return
        await self._run(None)

    async def _run(self, ending: Ending | None) -> None:
        """One run, to its end or until it is ended."""
        vandal = Vandal(self.rollout, self.draw, ending)
        self.runs.append(vandal)
        screen = Screen(Console(file=io.StringIO()))
        task = asyncio.create_task(
            rehearse_rollout(self.rollout, self.calendar, self.target, screen, saboteur=vandal)
        )
        vandal.end = task.cancel
        kills = ending is not None and ending.kills
        with pytest.MonkeyPatch.context() as patch:
            if kills:
                patch.setattr(staging, "close_left", _closes_only_earlier)
            try:
                await task
            except asyncio.CancelledError:
                if ending is not None and kills:
                    self._tear(ending.tears)

    def _tear(self, size: int) -> None:
        path = partial_of(self.target) / "data" / "events.jsonl"
        if path.exists():
            with path.open("ab") as file:
                file.write(
                    b'{"at":"2023-04-15T14:30:00+08:00","body":{"step":{"id":"log-in"}}'[:size]
                )


_really_close = staging.close_left


def _closes_only_earlier(*given: Any, earlier: bool = False) -> None:
    """A killed process closes nothing of its own."""
    if earlier:
        _really_close(*given, earlier=True)


def told(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "data" / "rundown.json").read_text("utf-8"))
    return read


def ended_in(folder: Path) -> dict[tuple[str, str], str]:
    return {(one["session"], one["step"]): one["outcome"] for one in told(folder)["steps"]}


def records_of(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "data" / "events.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def require_interrupted(folder: Path, vandal: Vandal) -> None:
    """It verifies, says that it was interrupted, and tells the truth as far as it came."""
    assert () == verify_evidence(folder).findings
    assert "interrupted" == told(folder)["outcome"]
    ended = ended_in(folder)
    assert {key: ended[key] == "passed" for key in vandal.answers if key in ended} == {
        key: answer for key, answer in vandal.answers.items() if key in ended
    }
    assert [] == [key for key in vandal.unheard if ended.get(key) == "passed"]
    records = records_of(folder)
    planned = [f"{one['session']}/{one['id']}" for one in _begun(records)["steps"]]
    last = records[-1]
    assert "run-interrupted" == last["kind"]
    assert planned == [
        one
        for one in planned
        if one in last["body"]["not_come_to"] or tuple(one.split("/")) in ended
    ]
    assert last["body"]["ended"] == len(ended) == len(planned) - len(last["body"]["not_come_to"])


def _begun(records: list[dict[str, Any]]) -> dict[str, Any]:
    """What it set out to do; one that was ended before it knew had no steps."""
    found = [record["body"] for record in records if record["kind"] == "rehearsal-begun"]
    return found[0] if found else {"steps": []}


async def simulate(id: str, seed: int, folder: Path) -> None:
    """Work one rollout with one seed and judge everything it left."""
    rollout = load_rollouts(CALENDAR)[id]
    simulation = Simulation(rollout, CALENDAR, folder / "evidence", Random(f"{id} {seed}"))
    await simulation.work()
    judge(simulation, folder)


def judge(simulation: Simulation, folder: Path) -> None:
    """Every folder that the runs left is what the saboteur knows it must be."""
    assert () == verify_evidence(simulation.target).findings
    vandal = simulation.runs[-1]
    ended = ended_in(simulation.target)
    assert vandal.answers == {key: ended[key] == "passed" for key in vandal.answers}
    assert [] == [key for key in vandal.unheard if ended[key] == "passed"]
    planned = _begun(records_of(simulation.target))["steps"]
    assert {(one["session"], one["id"]) for one in planned} == ended.keys()
    whole = {"passed"} == set(ended.values())
    assert ("passed" if whole else "failed") == told(simulation.target)["outcome"]

    left = sorted(path.name for path in folder.iterdir())
    interrupted = [name for name in left if name != "evidence"]
    numbered = ["evidence.interrupted", *(f"evidence.interrupted-{n}" for n in range(2, 9))]
    assert sorted(numbered[: len(interrupted)]) == interrupted  # and nothing else: no .partial
    assert len(interrupted) == len(simulation.runs) - 1
    for name, run in zip(numbered, simulation.runs[:-1], strict=False):
        require_interrupted(folder / name, run)


@pytest.mark.parametrize("seed", range(SAMPLE))
@pytest.mark.parametrize("id", ROLLOUTS)
async def test_the_evidence_tells_the_truth_however_often_it_is_ended(
    tmp_path: Path, id: str, seed: int
) -> None:
    await simulate(id, seed, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(SAMPLE, SEEDS))
async def test_the_evidence_tells_the_truth_at_length(tmp_path: Path, seed: int) -> None:
    for id in ROLLOUTS:
        (tmp_path / id).mkdir()
        await simulate(id, seed, tmp_path / id)


async def test_a_client_that_connects_during_the_failover_is_found_out(tmp_path: Path) -> None:
    rollout = load_rollouts(CALENDAR)["backbone-ps2-2023"]

    class Impatient(Saboteur):
        async def before(self, step: RundownStep, far: FarSides) -> None:
            if step.id == "clients-stayed-away":
                listener = far.stand_ins.of("OTP-C", SiteRole.SECONDARY)[0].listener
                reader, writer = await asyncio.open_connection(listener.host, listener.port)
                writer.write_eof()
                await reader.read()  # until the far side has seen us and hung up
                writer.close()
                await writer.wait_closed()

    screen = Screen(Console(file=io.StringIO()))
    done = await rehearse_rollout(
        rollout, CALENDAR, tmp_path / "evidence", screen, saboteur=Impatient()
    )
    wrong = [step.id for step, state in done.rundown.states.items() if state != "passed"]
    assert ["clients-stayed-away"] == wrong
