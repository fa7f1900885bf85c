"""A desk works all four rollouts for real against the exchange in a box, while everything breaks.

Not a rehearsal: the flows of ``rundown run``, ``checklist``, ``forms fill``, ``override`` and
``fallback`` with their journal, the SFTP adapter and the probes. Before any automatic step sites
and listeners go down and come back; people answer anything; the process dies at any entry of the
journal, before or after it is on the disk, or is cancelled in the middle of a step; and somebody
begins again. In the end the rollout is packed, the packing too being killed now and then, and the
pack is judged by what the far side knows.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
import stamina
from attrs import define, evolve, field

from hkex_ops.clock import ManualClock
from hkex_ops.config.settings import load_catalogue, load_settings
from hkex_ops.config.shipped import load_calendar, load_rollouts
from hkex_ops.errors import Denied, HkexOpsError
from hkex_ops.evidence import Record
from hkex_ops.flows import forms
from hkex_ops.flows.asking import Again, Decision, GiveUp, LeaveOut, Said
from hkex_ops.flows.checklist import answer_items, attach_file
from hkex_ops.flows.evidence import verify_evidence
from hkex_ops.flows.fallback import record_fallback
from hkex_ops.flows.fetch import fetch_reports
from hkex_ops.flows.hands import SessionHands, reach_of
from hkex_ops.flows.journal import Journal, read_journal
from hkex_ops.flows.overrides import record_override
from hkex_ops.flows.pack import pack_session
from hkex_ops.flows.pack_rollout import pack_rollout
from hkex_ops.flows.rundown import SessionWork
from hkex_ops.flows.sources import configured_source
from hkex_ops.flows.store import Archive
from hkex_ops.flows.working import SessionRun
from hkex_ops.model import (
    Connection,
    JsonObject,
    Rollout,
    Session,
    SiteRole,
    Step,
    StepAction,
)
from hkex_ops.plugins import Plugins
from hkex_ops.reports.events import ReportEvent
from hkex_ops.rollouts import Override
from hkex_ops.rundown import (
    AnswerNo,
    AnswerYes,
    Decide,
    Grant,
    PlannedStep,
    RundownStep,
    StepResult,
    StepState,
    TickStanding,
    Verdict,
    planned_steps,
)
from hkex_ops_simulator.addresses import REPORT_SERVICE, report_places
from hkex_ops_simulator.configuration import configuration_text, write_configuration
from hkex_ops_simulator.possible import held_sessions, site_of
from hkex_ops_simulator.server import SimulatedExchange
from hkex_ops_simulator.stand_ins import StandIns

ROLLOUTS = ("backbone-prt-2024", "backbone-ps2-2023", "hkats-dcass-2019", "rrs-2023")
CALENDAR = load_calendar()
SEEDS, SAMPLE = 100, 1

MOST_RUNS = 6  # of one session, before somebody patient ends it
MOST_STRIKES = 2
MOST_ENTRIES = 30  # a process that dies does so within this many entries
MOST_TURNS = 200
MINUTE = timedelta(minutes=1)
DESK = "duty desk"


class Dies(BaseException):
    """The process is gone."""


class MortalJournal(Journal):
    """A journal whose process dies at its ``left``-th entry, ``after`` writing it or before."""

    left: int = 0
    after: bool = False

    def record(self, kind: str, body: JsonObject) -> Record:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Dies
        kept = super().record(kind, body)
        if self.left == 0:
            raise Dies
        return kept


@define
class Clerk:
    """A person of whom anything may be expected; a patient one does everything well."""

    draw: Random
    patient: bool = False

    async def ask(self, step: RundownStep, refused: str) -> Said | None:
        done = Said(StepState.PASSED, DESK, None, "")
        if self.patient:
            return done
        failed = Said(StepState.FAILED, DESK, None, "nobody answers")
        skipped = Said(StepState.SKIPPED, DESK, None, "not for us")
        return self.draw.choice([None, done, done, done, failed, skipped])

    async def leaves_out(self, step: RundownStep) -> Said | None:
        return None

    async def decide(self, step: RundownStep, found: str, tries: int) -> Decision:
        if self.patient:
            return Again(DESK, "again") if tries < 3 else LeaveOut(DESK, "it never came up")
        again, out = Again(DESK, "once more"), LeaveOut(DESK, "does not matter")
        return self.draw.choice([None, again, again, out, GiveUp(DESK, "too late")])


@define
class Life:
    """One rollout at one desk, from its first session to the pack."""

    rollout: Rollout
    folder: Path
    draw: Random
    clock: ManualClock
    exchange: SimulatedExchange
    stand_ins: StandIns
    settings_file: Path
    archive: Archive
    plugins: Plugins
    truths: list[tuple[str, bool]] = field(factory=list[tuple[str, bool]])
    verdicts: dict[str, Verdict] = field(factory=dict[str, Verdict])
    deaths: int = 0
    _down: set[SiteRole] = field(factory=set[SiteRole])

    @property
    def work(self) -> Path:
        return self.folder / "work"

    async def live(self) -> None:
        for session in sorted(held_sessions(self.rollout), key=_start):
            if session.steps:
                await self._session(session)
        for act in (self._forms, self._checklist, self._override, self._fallback, self._note):
            self._until_it_is_kept(act)
        self.clock.advance(MINUTE)
        self._until_it_is_kept(self._pack)

    def _pack(self, journal: Journal) -> None:
        target = self.folder / "whole"
        if any(entry.kind == "pack-made" for entry in journal.entries()):
            return  # its maker died when all was done and told
        pack_rollout(journal, self.rollout, target, self.clock)

    # -- sessions ------------------------------------------------------------------------------

    async def _session(self, session: Session) -> None:
        self.clock.turn_to(max(self.clock.now(), _start(session)))
        self._point_at(site_of(session) or SiteRole.PRIMARY)
        audience = self.draw.choice(session.audience) if _has_own(session) else None
        for run in range(MOST_RUNS + 1):
            verdict = await self._run(session, audience, patient=run == MOST_RUNS)
            if verdict is not None and verdict is not Verdict.WAITING:
                self.verdicts[session.id] = verdict
                return
        raise AssertionError("somebody patient always ends it")

    async def _run(
        self, session: Session, audience: str | None, *, patient: bool
    ) -> Verdict | None:
        """One run of a session; nothing when its process died."""
        settings = load_settings(self.settings_file)
        reach = reach_of(self.rollout, session, settings, self.plugins)
        steps = planned_steps(self.rollout, session, audience, lambda step: not reach.does(step))
        hands = _Hands(self, session, SessionHands(reach, self._work(session), stands_for=self._of))
        clerk = Clerk(self.draw, patient)
        with self._mortal(spared=patient) as journal:
            run = SessionRun(
                *(self.rollout, session, audience, steps, journal, hands, clerk, self.clock),
                lambda event: None,
            )
            self._observe_with(run)
            task = asyncio.create_task(self._whole(run, session, steps, journal))
            if not patient and self.draw.random() < 0.3:
                _cancel_after(task, self.draw.randrange(MOST_TURNS))
            return await task
        self.deaths += 1
        return None

    async def _whole(
        self,
        run: SessionRun,
        session: Session,
        steps: tuple[PlannedStep, ...],
        journal: Journal,
    ) -> Verdict:
        worked = await run.work()
        if worked.outcome is not Verdict.WAITING:
            pack_session(journal, self.rollout, session, steps, self.folder / session.id)
        return worked.outcome

    def _work(self, session: Session) -> SessionWork | None:
        if REPORT_SERVICE not in session.services:
            return None
        return SessionWork(
            self.rollout,
            session,
            lambda: configured_source(load_settings(self.settings_file), self.plugins, None),
            self.archive,
            load_catalogue(load_settings(self.settings_file)),
            self.clock,
            last_business_date=CALENDAR.previous_business_day(_start(session).date()),
            observe=self._observe,
            stands_for=self._of,
        )

    _run_now: SessionRun | None = field(default=None, init=False)

    def _observe_with(self, run: SessionRun) -> None:
        self._run_now = run

    def _observe(self, event: ReportEvent) -> None:
        if self._run_now is not None and self._run_now.conduct is not None:
            self._run_now.conduct.observe(event)

    def _of(self, stated: Connection) -> Connection:
        if stated.service != REPORT_SERVICE:
            return self.stand_ins.stands_for(stated)
        host = self.exchange.places.host_of(stated)
        return evolve(stated, host=host, port=self.exchange.port)

    def _point_at(self, site: SiteRole) -> None:
        text = configuration_text(
            self.exchange, archive=self.archive.folder, site=site, stand_ins=self.stand_ins
        )
        self.settings_file.write_text(text, encoding="utf-8")

    # -- what goes wrong -----------------------------------------------------------------------

    async def strike(self) -> None:
        """What breaks, breaks whole, even if whoever waits for it is cancelled."""
        striking = asyncio.ensure_future(self._strike())
        try:
            await asyncio.shield(striking)
        except asyncio.CancelledError:
            await striking
            raise

    async def _strike(self) -> None:
        for _ in range(self.draw.randint(0, MOST_STRIKES)):
            site = self.draw.choice(list(SiteRole))
            match self.draw.randrange(5):
                case 0:
                    self._down.add(site)
                    await self.exchange.take_down(site)
                case 1 | 2:
                    self._down.discard(site)
                    await self.exchange.bring_up(site)
                case 3 if self.stand_ins.all:
                    await self.draw.choice(self.stand_ins.all).listener.close()
                case _:
                    await self.stand_ins.bring_up(site)

    def is_up(self, step: Step, session: Session) -> bool | None:
        """Whether the step must pass; nothing where that follows from more than the far side."""
        site = site_of(session) or SiteRole.PRIMARY
        if step.action is StepAction.LOG_IN:
            return site not in self._down
        if step.action is StepAction.CHECK_CONNECTION:
            there = self.stand_ins.of(step.service or session.services[0], site)
            return all(one.listener.is_open for one in there)
        return None

    @contextmanager
    def _mortal(self, *, spared: bool = False) -> Iterator[Journal]:
        """A journal whose process may die; whoever looks then finds a journal that reads whole."""
        opened = MortalJournal.open(self.work, self.rollout.id, clock=self.clock)
        journal = cast("MortalJournal", opened)
        if not spared and self.draw.random() < 0.6:
            journal.left = self.draw.randrange(1, MOST_ENTRIES)
            journal.after = self.draw.random() < 0.5
        try:
            with journal:
                yield journal
        except (Dies, asyncio.CancelledError):
            if self.draw.random() < 0.3:
                with (self.work / self.rollout.id / "journal.jsonl").open("ab") as file:
                    file.write(b'{"at":"2019-05-0'[: self.draw.randrange(1, 16)])
            read_journal(self.work, self.rollout.id)

    # -- beside the sessions -------------------------------------------------------------------

    def _until_it_is_kept(self, act: Callable[[Journal], None]) -> None:
        """Do it again as often as the process dies of it."""
        for spared in (False, False, False, True):
            with self._mortal(spared=spared) as journal:
                act(journal)
                return
            self.deaths += 1
        raise AssertionError("one that is spared ends")

    def _forms(self, journal: Journal) -> None:
        for form in self.rollout.forms:
            data = self.folder / f"{form.id}.toml"
            data.write_text("# SYNTHETIC\n", encoding="utf-8")
            out = self.folder / f"{form.id}-{self.draw.random()}.pdf"
            at = self.clock.now() if form.valid is None else form.valid.start.at
            assert at is not None
            forms.fill(self.rollout, form, data, out, at=at, journal=lambda: _Lent(journal))

    def _checklist(self, journal: Journal) -> None:
        now = self.clock.now()
        for item in self.rollout.checklist:
            answer = self.draw.choice([AnswerYes, AnswerNo, None])
            if answer is not None:
                answer_items(journal, self.rollout, [answer(item.number, DESK, now)], now)
        if self.rollout.checklist:
            shown = self.folder / "shown.txt"
            shown.write_text("SYNTHETIC")
            attach_file(journal, self.rollout, 14, shown, by=DESK, at=now, now=now)

    def _override(self, journal: Journal) -> None:
        for rule in self.rollout.restrictions:
            start = rule.window.start.at
            if rule.effect.value == "prohibited" and start is not None and self.draw.random() < 0.5:
                until = start + timedelta(hours=1)
                override = Override(rule.action, "SYNTHETIC", DESK, "second", until)
                now = max(self.clock.now(), start)
                record_override(journal, self.rollout, Grant(override, start), now)

    def _fallback(self, journal: Journal) -> None:
        plan = self.rollout.fallback
        if plan is None:
            return
        at = (plan.trigger_window or plan.window).start.at
        assert at is not None
        now = max(self.clock.now(), at)
        for thing in plan.standing:
            stands = self.draw.random() < 0.8
            given = TickStanding(thing.id, stands, DESK, at)
            record_fallback(journal, self.rollout, given, now)
        try:
            record_fallback(journal, self.rollout, Decide(DESK, "SYNTHETIC", at), now)
        except (Denied, HkexOpsError):
            assert any(entry.kind == "fallback-decided" for entry in journal.entries())

    def _note(self, journal: Journal) -> None:
        for one in self.rollout.registrations:
            item = f"{self.rollout.id}/registration/{one.id}"
            journal.record(
                "agenda-item-done",
                {
                    "item": item,
                    "done": True,
                    "by": DESK,
                    "at": self.clock.now().isoformat(),
                    "remark": "",
                },
            )


class _Lent:
    """The journal at hand, which whoever asks for one must not close."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def __enter__(self) -> Journal:
        return self._journal

    def __exit__(self, *_: object) -> None:
        return None


@define
class _Hands:
    """Hands that notice what the far side was like when they were used."""

    life: Life
    session: Session
    hands: SessionHands

    async def do(self, step: Step) -> StepResult:
        await self.life.strike()
        up = self.life.is_up(step, self.session)
        done = await self.hands.do(step)
        if up is not None:
            key = f"{self.session.id} {step.action}"
            self.life.truths.append((key, up))
            assert up == (done.state is StepState.PASSED), (key, done)
        return done

    async def begin_afresh(self) -> None:
        await self.hands.begin_afresh()

    async def close(self) -> None:
        await self.hands.close()


def _cancel_after(task: asyncio.Task[Verdict], turns: int) -> None:
    loop = asyncio.get_running_loop()

    def turn(left: int) -> None:
        if task.done():
            return
        loop.call_soon(task.cancel) if left == 0 else loop.call_soon(turn, left - 1)

    turn(turns)


def _start(session: Session) -> datetime:
    assert session.window.start.at is not None
    return session.window.start.at


def _has_own(session: Session) -> bool:
    return any(step.audience for step in session.steps)


@asynccontextmanager
async def desk(id: str, seed: int, folder: Path) -> AsyncGenerator[Life]:
    rollout = load_rollouts(CALENDAR)[id]
    first = min(_start(one) for one in held_sessions(rollout))
    last = CALENDAR.previous_business_day(first.date())
    clock = ManualClock(CALENDAR.close_of_t1(last))
    places = report_places(rollout)
    async with (
        SimulatedExchange(folder=folder, places=places) as exchange,
        StandIns(rollout, folder) as stand_ins,
    ):
        exchange.publish(last)
        settings_file = write_configuration(exchange, folder, stand_ins=stand_ins)
        with Archive.open(folder / "archive", clock=clock) as archive:
            plugins = Plugins.load()
            draw = Random(f"life {id} {seed}")
            life = Life(
                *(rollout, folder, draw, clock, exchange, stand_ins, settings_file, archive),
                plugins,
            )
            if REPORT_SERVICE in rollout.services:
                await fetch_reports(
                    configured_source(load_settings(settings_file), plugins, None),
                    archive,
                    load_catalogue(load_settings(settings_file)),
                    clock,
                    site=SiteRole.PRIMARY,
                    business_date=last,
                    observe=lambda event: None,
                )
            yield life


def read(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "data" / name).read_text("utf-8"))
    return found


def judge(life: Life) -> None:
    """The packs verify, and tell of every session, form, tick and decision what is true."""
    whole = life.folder / "whole"
    for pack in (whole, *(life.folder / id for id in life.verdicts)):
        assert () == verify_evidence(pack).findings
    assert [] == [path.name for path in life.folder.iterdir() if path.suffix == ".partial"]
    journal = (life.work / life.rollout.id / "journal.jsonl").read_bytes()
    events = (whole / "data" / "events.jsonl").read_bytes()
    assert events == journal[: len(events)]
    told = read(whole, "rundown.json")
    latest = {one["session"]: one["outcome"] for one in told["sessions"]}
    assert {id: verdict.value for id, verdict in life.verdicts.items()} == latest
    require_true(life, [json.loads(line) for line in events.splitlines()])
    if life.rollout.checklist:
        items = {one["number"]: one for one in read(whole, "checklist.json")["items"]}
        assert len(life.rollout.checklist) == len(items)
        assert items[14]["files"]
        assert "decided" == read(whole, "fallback.json")["state"]
        made = {one["form"] for one in read(whole, "forms.json")["forms"]}
        assert {form.id for form in life.rollout.forms} == made
    page = (whole / "data" / "summary.html").read_text("utf-8")
    assert told["outcome"].upper() in page


def require_true(life: Life, records: list[dict[str, Any]]) -> None:
    """What the journal tells of logins and looks is what the far side knows, in order."""
    steps: dict[str, str] = {}
    for session in life.rollout.sessions:
        for audience in (None, *session.audience):
            try:
                planned = planned_steps(life.rollout, session, audience)
            except HkexOpsError:
                continue
            steps |= {f"{session.id}/{one.step.id}": one.does.action.value for one in planned}
    truths = iter(life.truths)
    for record in records:
        event = record["body"].get("event", {})
        if record["kind"] != "step-finished" or event["by"]:
            continue
        step = event["step"]
        action = steps[f"{step['session']}/{step['id']}"]
        if action not in (StepAction.LOG_IN, StepAction.CHECK_CONNECTION):
            continue
        # What was done and not kept, because the process died of it, is passed over.
        wanted = (f"{step['session']} {action}", event["state"] == "passed")
        assert wanted in truths, wanted


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A far side that is away is tried as often as ever, without the pauses; forms are plain."""
    monkeypatch.setattr(forms, "form_pdf", lambda filled, _: f"%PDF {filled.form.id}".encode())
    monkeypatch.setattr(forms, "fill_form", lambda form, data, document: FilledPlainly(form))
    stamina.set_testing(True, attempts=2)
    yield
    stamina.set_testing(False)


@define
class FilledPlainly:
    """A form without values."""

    form: object


async def live(id: str, seed: int, folder: Path) -> int:
    async with desk(id, seed, folder) as life:
        await life.live()
    judge(life)
    return life.deaths


@pytest.mark.parametrize("seed", range(SAMPLE))
@pytest.mark.parametrize("id", ROLLOUTS)
async def test_a_rollout_is_worked_to_its_pack_whatever_breaks(
    tmp_path: Path, id: str, seed: int
) -> None:
    await live(id, seed, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(SAMPLE, SEEDS))
async def test_many_rollouts_are_worked_to_their_packs(tmp_path: Path, seed: int) -> None:
    for id in ROLLOUTS:
        (tmp_path / id).mkdir()
        await live(id, seed, tmp_path / id)
