"""An answers file is judged whole before a step is begun."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from hkex_ops.config.answers import AnswerOutcome, OnFailure, load_answers
from hkex_ops.errors import ConfigError
from hkex_ops.flows.asking import Again, FileAsker, GiveUp, LeaveOut
from hkex_ops.model import HONG_KONG
from hkex_ops.rundown import RundownStep, StepState

NOW = datetime(2023, 4, 15, 14, 35, tzinfo=HONG_KONG)
LOG_IN = RundownStep("session-1", "log-in", "log in")
MANUAL = RundownStep("session-1", "manual", "call", by_person=True)
FORM = RundownStep("session-1", "manual-2", "send the form", by_person=True)


def asker(folder: Path, text: str) -> FileAsker:
    path = folder / "answers.toml"
    path.write_text(text, encoding="utf-8")
    return FileAsker(load_answers(path, [LOG_IN, MANUAL, FORM], NOW))


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        asker(folder, text)
    return [str(fault) for fault in refused.value.faults]


async def test_what_a_person_would_have_said(tmp_path: Path) -> None:
    given = asker(
        tmp_path,
        """
        [[answers]]
        step = "manual"
        outcome = "passed"
        by = "陳大文"
        at = "2023-04-15T14:31"
        remark = "called at once"
        """,
    )
    said = await given.ask(MANUAL, "")
    assert said is not None
    assert (StepState.PASSED, "陳大文", "called at once") == (said.state, said.by, said.remark)
    assert datetime(2023, 4, 15, 14, 31, tzinfo=HONG_KONG) == said.at
    assert await given.ask(FORM, "") is None
    assert await given.ask(MANUAL, "the window is over") is None


async def test_a_failure_is_tried_again_as_often_as_stated_and_then_decided(
    tmp_path: Path,
) -> None:
    given = asker(
        tmp_path,
        """
        [[answers]]
        step = "log-in"
        by = "duty desk"
        remark = "as agreed"
        retry = 2
        on_failure = "skip"
        """,
    )
    decided = [await given.decide(LOG_IN, "down", tries) for tries in range(4)]
    assert [Again, Again, Again, LeaveOut] == [type(one) for one in decided]


async def test_without_a_word_a_failure_stops_and_is_tried_again_by_the_next_run(
    tmp_path: Path,
) -> None:
    given = asker(tmp_path, "")
    assert isinstance(await given.decide(LOG_IN, "down", 0), Again)
    assert await given.decide(LOG_IN, "down", 1) is None


async def test_a_failure_may_abort_the_session(tmp_path: Path) -> None:
    text = '[[answers]]\nstep = "log-in"\nby = "a"\nremark = "b"\non_failure = "abort"\n'
    assert GiveUp("a", "b") == await asker(tmp_path, text).decide(LOG_IN, "down", 1)


async def test_an_automatic_step_may_be_left_out(tmp_path: Path) -> None:
    text = '[[answers]]\nstep = "log-in"\noutcome = "skipped"\nby = "a"\nremark = "b"\n'
    said = await asker(tmp_path, text).leaves_out(LOG_IN)
    assert said is not None
    assert (StepState.SKIPPED, "a", "b") == (said.state, said.by, said.remark)
    assert await asker(tmp_path, "").leaves_out(LOG_IN) is None


def test_every_fault_of_shape_is_told_at_once(tmp_path: Path) -> None:
    text = """
    answer = 1
    [[answers]]
    outcome = "pased"
    at = 12
    """
    expected = [
        "answer: unknown key; did you mean 'answers'?",
        "answers[0].at: must be a date with a time, such as 2023-04-15T14:35",
        "answers[0].outcome: unknown word 'pased'; did you mean 'passed'?",
        "answers[0].step: is missing",
    ]
    assert expected == faults(tmp_path, text)


def test_every_fault_of_sense_is_told_at_once(tmp_path: Path) -> None:
    text = """
    [[answers]]
    step = "log-im"
    [[answers]]
    step = "log-in"
    outcome = "passed"
    by = "a"
    retry = 21
    [[answers]]
    step = "manual"
    outcome = "skipped"
    retry = 1
    at = 2023-04-15T14:36:00
    [[answers]]
    step = "manual"
    outcome = "passed"
    by = "a"
    """
    expected = [
        "answers[0].step: there is no step 'log-im'; did you mean 'log-in'?",
        "answers[1].outcome: this step is done through a port and nobody answers for it: "
        "leave it out",
        "answers[1].retry: must be 0 to 20",
        "answers[2].at: 2023-04-15T14:36:00+08:00 has not come yet",
        "answers[2].by: is missing: say who answers",
        "answers[2].remark: is missing: skipping and aborting want a reason",
        "answers[2].retry: a person does this step: run the session again instead",
        "answers[3].step: 'manual' is answered twice: keep one",
    ]
    assert expected == faults(tmp_path, text)


def test_the_words_of_a_file_are_few() -> None:
    assert ["passed", "failed", "skipped"] == [str(one) for one in AnswerOutcome]
    assert ["stop", "skip", "abort"] == [str(one) for one in OnFailure]
