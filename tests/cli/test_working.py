"""Sessions, checklists and the way back as people and their programs work them."""

from __future__ import annotations

import json
import os
import pty
import random
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hkex_ops.clock import ManualClock
from hkex_ops.flows.evidence import verify_evidence
from hkex_ops.flows.journal import read_journal
from hkex_ops.model import HONG_KONG
from tests.cli import circular_source, folder_source, working_child
from tests.cli.desk import CATALOGUE, Desk
from tests.cli.program import Ended, Program, require_refused

CHILD = Path(working_child.__file__)
SEED, SAMPLE, LONG = 20190505, 6, 100
TIMEOUT_S = 60
IN_SESSION_1 = "2023-04-15T14:35:00+08:00"
VERIFYING = "2019-05-05T09:10:00+08:00"
HKATS, VERIFICATION = "hkats-dcass-2019", "post-release-verification"
SOURCE = 'adapter = "circular"\nservice = "RRS"\nsite = "secondary"\ndrill_reports = ["TP001"]'
STEPS = [
    "check-addresses",
    "check-addresses-2",
    "check-connection",
    "log-in",
    "log-in-2",
    "manual",
    "manual-2",
    "log-out",
    "log-out-2",
    "manual-3",
]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk whose client points at the secondary site, Friday's reports fetched."""
    site, home = tmp_path / "site", tmp_path / "desk"
    folder_source.install(site, "circular-source", module=circular_source.__name__)
    (home / "exchange").mkdir(parents=True)
    (home / "catalogue.toml").write_text(CATALOGUE, encoding="utf-8")
    desk = Desk(Program(home, (site,)), home / "config.toml")
    desk.configure(source=SOURCE, more='[work]\nfolder = "work"')
    desk.publish_day()
    assert 1 == desk.fetch().code, "that the client points at the secondary site is told"
    return desk


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    """The clock of every command in this process."""
    clock = ManualClock(datetime(2019, 5, 3, 9, tzinfo=HONG_KONG))
    monkeypatch.setattr("hkex_ops.cli.working.system_clock", lambda: clock)
    return clock


def turn(clock: ManualClock, at: str) -> None:
    clock.turn_to(datetime.fromisoformat(at))


def worked(desk: Desk, *more: str) -> Ended:
    """``rundown run rrs-2023 session-1``, in this process."""
    config = ("--config", desk.config)
    return desk.program.here("rundown", "run", "rrs-2023", "session-1", *config, "--json", *more)


def rows(ended: Ended) -> dict[str, str]:
    return {row["step"]: row["outcome"] for row in ended.document["steps"]}


def write_answers(path: Path, **more: dict[str, str]) -> Path:
    """Every step of the verification session passed, but for what is said otherwise."""
    tables: list[str] = []
    for step in STEPS:
        stated = {"step": step, "outcome": "passed", "by": "duty desk", **more.get(step, {})}
        tables.append(
            "[[answers]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in stated.items())
        )
    path.write_text("\n".join(tables), encoding="utf-8")
    return path


def require_whole(folder: Path) -> None:
    assert () == verify_evidence(folder).findings


# -- rundown run -------------------------------------------------------------------------------


def test_a_session_whose_steps_all_need_no_person_passes(desk: Desk, clock: ManualClock) -> None:
    turn(clock, IN_SESSION_1)
    ended = worked(desk)
    assert 0 == ended.code, ended
    document = ended.document
    assert ("rrs-2023", "session-1", "passed") == (
        document["rollout"],
        document["session"],
        document["outcome"],
    )
    assert {"passed"} == set(rows(ended).values())
    assert "evidence/rrs-2023-session-1-20230415T143500" == document["evidence"]
    folder = desk.home / document["evidence"]
    require_whole(folder)
    kept = {path.relative_to(folder / "data").as_posix() for path in (folder / "data").rglob("*")}
    assert {"events.jsonl", "rundown.json", "rundown.txt", "summary.html"} <= kept
    assert "listings/01-secondary-2023-04-15T1435.json" in kept


def test_a_finished_session_run_again_shows_its_evidence_or_makes_one_more(
    desk: Desk, clock: ManualClock
) -> None:
    turn(clock, IN_SESSION_1)
    first = worked(desk, "--out", "pack").document
    again = worked(desk, "--out", "pack").document
    assert first == {**again, "resumed": False}
    other = worked(desk, "--out", "other").document
    assert ("other", False) == (other["evidence"], other["seal"] == first["seal"])
    for name in ("pack", "other"):
        require_whole(desk.home / name)
    (desk.home / "taken").mkdir()
    require_refused(worked(desk, "--out", "taken"), 6, "StoreError", "taken: is there already")


def test_a_step_that_fails_stops_the_session_and_the_next_run_goes_on_there(
    desk: Desk, clock: ManualClock
) -> None:
    turn(clock, IN_SESSION_1)
    (desk.home / "down").touch()
    first = worked(desk)
    assert (1, "waiting", None) == (
        first.code,
        first.document["outcome"],
        first.document["evidence"],
    )
    assert "log-in" == first.document["waiting"]["step"]
    assert "cannot be reached" in first.document["waiting"]["why"]
    (desk.home / "down").unlink()
    clock.advance(timedelta(minutes=5))
    second = worked(desk)
    assert (0, "passed", True) == (
        second.code,
        second.document["outcome"],
        second.document["resumed"],
    )
    require_whole(desk.home / second.document["evidence"])


def test_a_session_may_be_aborted_by_the_answers_file(desk: Desk, clock: ManualClock) -> None:
    turn(clock, IN_SESSION_1)
    (desk.home / "down").touch()
    answers = desk.home / "answers.toml"
    answers.write_text(
        '[[answers]]\nstep = "log-in"\nby = "duty desk"\nremark = "no site"\nretry = 1\n'
        'on_failure = "abort"\n'
    )
    ended = worked(desk, "--answers", str(answers), "--out", "pack")
    assert (1, "aborted", "pack") == (
        ended.code,
        ended.document["outcome"],
        ended.document["evidence"],
    )
    assert ("failed", "abandoned") == (rows(ended)["log-in"], rows(ended)["log-out"])
    require_whole(desk.home / "pack")
    kinds = [entry.kind for entry in read_journal(desk.home / "work", "rrs-2023")]
    assert 4 == kinds.count("step-started")


@pytest.mark.parametrize(
    ("at", "rule"),
    [
        ("2023-04-15T14:29:59+08:00", "opens at 2023-04-15T14:30:00+08:00"),
        ("2023-04-15T15:30:00+08:00", "closed at 2023-04-15T15:30:00+08:00"),
    ],
)
def test_outside_its_window_a_session_is_denied_and_nothing_is_kept(
    desk: Desk, clock: ManualClock, at: str, rule: str
) -> None:
    turn(clock, at)
    ended = worked(desk)
    assert (3, "denied") == (ended.code, ended.document["outcome"])
    denied = ended.document["denied"]
    assert rule in denied["rule"]
    assert "CD/OEC/HKCC/073/2023" == denied["source"]["circular"]
    assert "Attachment, Session 1" in denied["source"]["place"]
    assert not (desk.home / "work").exists()


def test_for_an_audience_that_it_is_not_for_a_session_is_denied(
    program: Program, clock: ManualClock
) -> None:
    turn(clock, "2023-11-25T09:00:00+08:00")
    words = ("rundown", "run", "backbone-ps2-2023", "ps2-primary", "--json")
    require_refused(program.here(*words), 2, "UsageError", "name the audience (CCEP, EP)")
    require_refused(program.here(*words, "--audience", "EPP"), 2, "UsageError", "did you mean EP?")
    ended = program.here(*words, "--audience", "CCEP")
    assert (1, ["log-in-2"]) == (ended.code, list(rows(ended)))


def test_a_session_of_manual_steps_is_worked_from_a_file(
    program: Program, clock: ManualClock
) -> None:
    turn(clock, VERIFYING)
    answers = write_answers(program.home / "answers.toml")
    words = ("rundown", "run", HKATS, VERIFICATION, "--answers", answers, "--out", "pack", "--json")
    ended = program.here(*words)
    assert (0, "passed") == (ended.code, ended.document["outcome"])
    assert STEPS == list(rows(ended))
    require_whole(program.home / "pack")
    work = program.home / ".local" / "state" / "hkex-ops" / "work"
    assert 0 < len(read_journal(work, HKATS))


def test_an_answer_that_is_missing_is_waited_for(program: Program, clock: ManualClock) -> None:
    turn(clock, VERIFYING)
    answers = program.home / "answers.toml"
    answers.write_text(
        '[[answers]]\nstep = "check-addresses"\noutcome = "passed"\nby = "duty desk"\n'
    )
    words = ("rundown", "run", HKATS, VERIFICATION, "--json")
    ended = program.here(*words, "--answers", answers)
    assert (1, "waiting") == (ended.code, ended.document["outcome"])
    assert "check-addresses-2" == ended.document["waiting"]["step"]
    assert ["passed", "waiting"] == list(rows(ended).values())[:2]
    assert (1, "check-addresses-2") == (
        (again := program.here(*words)).code,
        again.document["waiting"]["step"],
    )


def test_a_step_left_out_by_a_person_is_told_and_is_neither_pass_nor_failure(
    program: Program, clock: ManualClock
) -> None:
    turn(clock, VERIFYING)
    skipped = {"outcome": "skipped", "remark": "no OAPI programs here"}
    answers = write_answers(program.home / "answers.toml", **{"log-in-2": skipped})
    ended = program.here("rundown", "run", HKATS, VERIFICATION, "--answers", answers, "--json")
    assert (1, "partial") == (ended.code, ended.document["outcome"])
    row = next(row for row in ended.document["steps"] if row["step"] == "log-in-2")
    assert ("skipped", "no OAPI programs here", "duty desk") == (
        row["outcome"],
        row["found"],
        row["by"],
    )


def test_an_answers_file_with_faults_is_refused_before_anything_is_begun(
    program: Program, clock: ManualClock
) -> None:
    turn(clock, VERIFYING)
    answers = write_answers(program.home / "answers.toml", manual={"by": "", "step": "manuel"})
    ended = program.here("rundown", "run", HKATS, VERIFICATION, "--answers", answers, "--json")
    assert (6, "ConfigError") == (ended.code, ended.document["error"]["kind"])
    for words in ("answers[5].step", "did you mean 'manual'", "answers[5].by"):
        assert words in ended.document["error"]["message"]
    assert not (program.home / ".local").exists()


@pytest.mark.parametrize("taken", ["pack", "missing/pack"])
def test_a_place_that_cannot_take_the_evidence_is_refused_before_the_work(
    program: Program, clock: ManualClock, taken: str
) -> None:
    turn(clock, VERIFYING)
    (program.home / "pack").mkdir()
    ended = program.here("rundown", "run", HKATS, VERIFICATION, "--out", taken, "--json")
    assert (6, "StoreError") == (ended.code, ended.document["error"]["kind"])
    assert not (program.home / ".local").exists()


def test_two_people_cannot_work_one_session_but_may_tick_beside_it(
    program: Program, clock: ManualClock
) -> None:
    turn(clock, VERIFYING)
    from hkex_ops.flows.journal import Journal

    with Journal.open(program.home / "work", HKATS, clock=clock) as journal:
        lock = journal.working(VERIFICATION, clock.now())
        words = ("rundown", "run", HKATS, VERIFICATION, "--work", "work", "--json")
        require_refused(
            program.here(*words),
            6,
            "StoreInUse",
            f"{VERIFICATION} is in use by pid",
            "since 2019-05-05",
        )
        ticked = program.here(
            *("checklist", HKATS, "--work", "work", "--json"),
            *("--answer", "15=yes", "--by", "duty desk"),
        )
        assert 1 == ticked.document["counts"]["done"]
        lock.release()


# -- rundown show and done ---------------------------------------------------------------------


def test_a_session_is_shown_with_what_needs_a_person(desk: Desk) -> None:
    words = ("rundown", "show", "rrs-2023", "session-1", "--json", "--at")
    config = ("--config", str(desk.config))
    alone = desk.program.here(*words, "2023-04-15T14:35", "--work", "w")
    assert (0, {True}) == (alone.code, {row["by_person"] for row in alone.document["steps"]})
    served = desk.program.here(*words, "2023-04-15T14:35", *config)
    assert (0, {False}) == (served.code, {row["by_person"] for row in served.document["steps"]})
    early = desk.program.here(*words, "2023-04-15T14:29", *config)
    assert (3, "deny") == (early.code, early.document["decision"])
    assert not (desk.home / "w").exists()


def test_what_was_done_leaves_the_agenda(program: Program) -> None:
    item = "rrs-2023/registration/connectivity-sessions"
    agenda = ("agenda", "--rollout", "rrs-2023", "--at", "2023-04-03T10:00", "--json")
    assert item in {one["id"] for one in program.here(*agenda).document["items"]}
    done = ("rundown", "done", item, "--by", "duty desk", "--json")
    assert 0 == program.here(*done, "--at", "2023-04-03T09:00").code
    assert item not in {one["id"] for one in program.here(*agenda).document["items"]}
    assert 0 == program.here(*done, "--undo").code
    assert item in {one["id"] for one in program.here(*agenda).document["items"]}


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("rrs-2023/registration/sessions", "did you mean 'rrs-2023/registration/connect"),
        ("rrs-2023/session/session-1", "work it with rundown run"),
        ("hkats-dcass-2019/checklist/14", "answer it with checklist"),
        ("rrs-2022/registration/x", "there is no rollout 'rrs-2022'"),
    ],
)
def test_what_cannot_be_noted_is_refused(program: Program, item: str, said: str) -> None:
    ended = program.here("rundown", "done", item, "--by", "duty desk", "--json")
    require_refused(ended, 2, "UsageError", said)


# -- checklist ---------------------------------------------------------------------------------


def listed(program: Program, *more: str) -> dict[int, dict[str, Any]]:
    ended = program.here("checklist", HKATS, "--json", *more)
    assert ended.code in (0, 1), ended
    return {one["number"]: one for one in ended.document["items"]}


def test_answers_and_files_are_kept_and_shown(program: Program, clock: ManualClock) -> None:
    turn(clock, "2019-05-04T12:00:00+08:00")
    (program.home / "services.png").write_bytes(b"picture")
    words = ("--by", "陳大文", "--answer", "14=yes", "--attach", "14=services.png")
    found = listed(program, *words, "--remark", "all three servers")[14]
    assert ("done", "yes", "陳大文", "all three servers") == (
        found["state"],
        found["answer"]["answer"],
        found["answer"]["by"],
        found["answer"]["remark"],
    )
    (attached,) = found["attached"]
    kept = program.home / ".local/state/hkex-ops/work" / HKATS / "kept" / attached["file"]["path"]
    assert b"picture" == kept.read_bytes()
    assert attached["file"]["sha256"] in kept.name


def test_the_checklist_is_seen_as_it_was_at_any_time(program: Program, clock: ManualClock) -> None:
    turn(clock, "2019-05-06T12:00:00+08:00")
    by = ("--by", "duty desk")
    listed(program, *by, "--answer", "14=yes", "--at", "2019-05-04T11:00")
    listed(program, *by, "--answer", "14=no", "--at", "2019-05-04T13:00")
    states = [
        listed(program, "--at", at)[14]["state"]
        for at in ("2019-05-04T10:00", "2019-05-04T12:00", "2019-05-04T14:00", "2019-05-05T00:00")
    ]
    assert ["open", "done", "open", "overdue"] == states


def test_an_overdue_item_is_a_finding(program: Program) -> None:
    words = ("checklist", HKATS, "--group", "C", "--json", "--at")
    assert 0 == program.here(*words, "2019-05-04T12:00").code
    late = program.here(*words, "2019-05-05T00:00")
    assert (1, 3) == (late.code, late.document["counts"]["overdue"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--answer", "14=yes"), "say who, with --by"),
        (("--answer", "14=maybe", "--by", "a"), "write it as 14=yes or 14=no"),
        (("--answer", "14=yes", "--answer", "99=yes", "--by", "a"), "no checklist item 99"),
        (("--answer", "14=yes", "--by", "a", "--at", "2999-01-01T00:00"), "ahead of time"),
        (("--attach", "14", "--by", "a"), "write it as 14=services.png"),
        (("--answer", "14=yes", "--by", "a", "--group", "Z"), "no checklist group 'Z'"),
    ],
)
def test_an_answer_that_is_none_keeps_nothing(
    program: Program, words: tuple[str, ...], said: str
) -> None:
    require_refused(program.here("checklist", HKATS, "--json", *words), 2, "UsageError", said)
    work = program.home / ".local/state/hkex-ops/work"
    assert () == read_journal(work, HKATS)


def test_a_file_that_is_not_there_is_not_attached(program: Program) -> None:
    words = ("checklist", HKATS, "--attach", "14=none.png", "--by", "a", "--json")
    require_refused(program.here(*words), 6, "ConfigError", "none.png cannot be attached")


# -- fallback ----------------------------------------------------------------------------------


def test_the_way_back_shows_what_must_stand_and_what_comes_after(program: Program) -> None:
    ended = program.here("fallback", HKATS, "--json", "--at", "2019-05-08T10:00")
    document = ended.document
    assert (0, "ready", None) == (ended.code, document["state"], document["decided"])
    assert "network-gateways" in {one["id"] for one in document["standing"]}
    assert "power-off-network-gateway" in {rule["action"] for rule in document["rules"]}
    assert (None, "2019-05-04T01:45:00+08:00") == (
        document["reentry"]["transactions"],
        document["reentry"]["since"],
    )
    assert "day end of 3 May 2019" in document["credentials"]
    said = program.here("fallback", HKATS, "--at", "2019-05-08T10:00").words
    assert "No list of these transactions is kept here yet" in said


def test_a_decision_is_recorded_with_who_when_and_why(program: Program) -> None:
    words = ("fallback", HKATS, "--json", "--at", "2019-05-08T10:00", "--by", "duty desk")
    ticked = program.here(*words, "--tick", "network-gateways=yes", "--tick", "passwords=no")
    assert 0 == ticked.code
    decided = program.here(*words, "--decide", "--reason", "HKEX called at 09:50")
    assert (0, "decided") == (decided.code, decided.document["state"])
    assert ("2019-05-08T10:00:00+08:00", "duty desk", "HKEX called at 09:50") == (
        decided.document["decided"]["at"],
        decided.document["decided"]["by"],
        decided.document["decided"]["reason"],
    )
    stands = {one["id"]: one["ticked"] for one in decided.document["standing"]}
    assert (True, False, None) == (
        stands["network-gateways"]["stands"],
        stands["passwords"]["stands"],
        stands["oapi-programs"],
    )
    again = program.here(*words, "--decide", "--reason", "once more")
    require_refused(again, 2, "UsageError", "was decided already")


def test_outside_the_plans_window_a_decision_is_denied_and_not_kept(program: Program) -> None:
    words = ("fallback", HKATS, "--json", "--by", "a", "--reason", "b", "--decide", "--at")
    ended = program.here(*words, "2019-05-05T10:00")
    assert (3, "ready") == (ended.code, ended.document["state"])
    assert "as a last resort" in ended.document["denied"]["rule"]
    assert "2.9" in ended.document["denied"]["source"]
    assert () == read_journal(program.home / ".local/state/hkex-ops/work", HKATS)


# -- killed ------------------------------------------------------------------------------------


def command(at: str, *words: str) -> list[str]:
    return [sys.executable, str(CHILD), at, *words]


def kill_and_resume(program: Program, seed: int, work_s: float) -> None:
    """Killed once or several times, the same command ends it, and its evidence holds."""
    draw = random.Random(seed)
    answers = write_answers(program.home / "answers.toml")
    words = (
        "rundown",
        "run",
        HKATS,
        VERIFICATION,
        "--answers",
        str(answers),
        "--out",
        "pack",
        "--json",
    )
    work = program.home / ".local/state/hkex-ops/work"
    for _ in range(draw.randrange(1, 4)):
        with begun(program, *words) as process:
            try:
                process.wait(draw.uniform(0, work_s))
            except subprocess.TimeoutExpired:
                process.kill()
        read_journal(work, HKATS)
    ended = ended_run(program, *words)
    assert (0, "passed") == (ended.code, ended.document["outcome"]), ended
    assert dict.fromkeys(STEPS, "passed") == rows(ended)
    require_whole(program.home / "pack")
    assert not (program.home / "pack.partial").exists()
    passed = [
        entry.body["event"] for entry in read_journal(work, HKATS) if entry.kind == "step-finished"
    ]
    assert len(STEPS) == len(passed)


def begun(program: Program, *words: str) -> subprocess.Popen[str]:
    """A run that has said what it works, and begins."""
    process = subprocess.Popen(
        command(VERIFYING, *words),
        cwd=program.home,
        env=program.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert HKATS in process.stderr.readline()
    return process


def ended_run(program: Program, *words: str) -> Ended:
    done = subprocess.run(
        command(VERIFYING, *words),
        cwd=program.home,
        env=program.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def work_s(tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long a run takes, from its first word on, that nobody kills."""
    home = tmp_path_factory.mktemp("whole") / "home"
    home.mkdir()
    answers = write_answers(home / "answers.toml")
    words = ("rundown", "run", HKATS, VERIFICATION, "--answers", str(answers), "--json")
    with begun(Program(home), *words) as process:
        start = time.perf_counter()
        assert 0 == process.wait(TIMEOUT_S)
    return time.perf_counter() - start


@pytest.mark.parametrize("run", range(SAMPLE))
def test_kill_9_at_random_moments(program: Program, run: int, work_s: float) -> None:
    kill_and_resume(program, SEED + run, work_s)


@pytest.mark.long
@pytest.mark.parametrize("run", range(SAMPLE, LONG))
def test_kill_9_at_many_random_moments(program: Program, run: int, work_s: float) -> None:
    kill_and_resume(program, SEED + run, work_s)


# -- at a terminal -----------------------------------------------------------------------------


class Terminal:
    """A person at a terminal, before a program that runs on it."""

    def __init__(self, program: Program, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command(VERIFYING, *words),
            cwd=program.home,
            env=program.environment(),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(theirs)
        self.seen = ""

    def sees(self, words: str) -> None:
        """Wait until ``words`` stand on the screen."""
        end = time.monotonic() + TIMEOUT_S
        while words not in self.seen:
            assert time.monotonic() < end, self.seen
            try:
                data = os.read(self._ours, 4096)
            except OSError:
                data = b""
            assert data, f"{words!r} never came: {self.seen}"
            self.seen += data.decode(errors="replace")
        self.seen = self.seen.partition(words)[2]

    def types(self, text: str) -> None:
        """Type a line."""
        os.write(self._ours, text.encode() + b"\n")

    def presses_ctrl_c(self) -> None:
        """Interrupt."""
        os.write(self._ours, b"\x03")

    def ends(self) -> int:
        """The exit code."""
        code = self.process.wait(TIMEOUT_S)
        os.close(self._ours)
        return code


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_a_person_answers_at_a_terminal_is_interrupted_and_goes_on(program: Program) -> None:
    words = ("rundown", "run", HKATS, VERIFICATION)
    first = Terminal(program, *words)
    first.sees("done, failed, skip or later?")
    first.types("perhaps")
    first.sees("done, failed, skip or later?")
    first.types("d")
    first.sees("who?")
    first.types("陳大文")
    first.sees("when? [now]")
    first.types("23:00")
    first.sees("not ahead of time")
    first.types("09:05")
    first.sees("remark?")
    first.types("")
    first.sees("passed   check-addresses")
    first.sees("done, failed, skip or later?")
    first.presses_ctrl_c()
    assert 130 == first.ends()
    second = Terminal(program, *words)
    second.sees("resumed")
    second.sees("check-addresses-2")
    second.sees("done, failed, skip or later?")
    second.types("failed")
    second.sees("who?")
    second.types("night desk")
    second.sees("when? [now]")
    second.types("")
    second.sees("remark?")
    second.types("no route")
    second.sees("retry, skip, abort or later?")
    second.types("abort")
    second.sees("who? [night desk]")
    second.types("")
    second.sees("why?")
    second.types("the line is down")
    second.sees("ABORTED: 1 of 10 steps passed")
    assert 1 == second.ends()
    (pack,) = (program.home / "evidence").iterdir()
    require_whole(pack)
    assert "陳大文" in (pack / "data" / "events.jsonl").read_text(encoding="utf-8")


def test_an_interrupted_run_holds_no_lock(program: Program) -> None:
    terminal = Terminal(program, "rundown", "run", HKATS, VERIFICATION)
    terminal.sees("done, failed, skip or later?")
    terminal.process.send_signal(signal.SIGKILL)
    assert -signal.SIGKILL == terminal.ends()
    ended = ended_run(program, "rundown", "run", HKATS, VERIFICATION, "--json")
    assert (1, "waiting", True) == (
        ended.code,
        ended.document["outcome"],
        ended.document["resumed"],
    )
