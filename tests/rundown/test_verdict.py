"""How work ended, in a word: what was left out is neither a pass nor a failure."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from hkex_ops.rundown import (
    Abort,
    Doubt,
    Fail,
    Pass,
    Rundown,
    RundownEvent,
    RundownInput,
    RundownStep,
    Skip,
    Start,
    Verdict,
    verdict_of,
    worst,
)
from tests.rundown.steps import hkt

ONE, TWO = (RundownStep("session", id, id) for id in ("one", "two"))


def verdict(*given: RundownInput) -> Verdict:
    rundown = Rundown([ONE, TWO])
    events: list[RundownEvent] = []
    for told in given:
        events += rundown.handle(told, hkt(12))
    return verdict_of(rundown.states, events)


PASSED_ONE = (Start(ONE), Pass(ONE))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ((*PASSED_ONE, Start(TWO), Pass(TWO)), Verdict.PASSED),
        ((*PASSED_ONE, Start(TWO), Fail(TWO, "no"), Start(TWO), Pass(TWO)), Verdict.PASSED),
        ((*PASSED_ONE, Skip(TWO, "not for us", "desk")), Verdict.PARTIAL),
        ((*PASSED_ONE, Start(TWO), Skip(TWO, "not for us", "desk")), Verdict.PARTIAL),
        # Nobody said so: a program left it out because something before it went wrong.
        ((*PASSED_ONE, Start(TWO), Skip(TWO, "not logged in")), Verdict.FAILED),
        ((*PASSED_ONE, Start(TWO), Fail(TWO, "no"), Skip(TWO, "later", "desk")), Verdict.FAILED),
        ((*PASSED_ONE, Start(TWO), Doubt(TWO, "?"), Skip(TWO, "later", "desk")), Verdict.FAILED),
        ((*PASSED_ONE, Start(TWO), Doubt(TWO, "?")), Verdict.FAILED),
        (PASSED_ONE, Verdict.FAILED),
        ((Skip(ONE, "not for us", "desk"), Skip(TWO, "nor this", "desk")), Verdict.FAILED),
        ((*PASSED_ONE, Abort("session", "the line is down", "desk")), Verdict.ABORTED),
    ],
)
def test_the_verdict_follows_from_the_steps_and_from_who_left_them_out(
    told: tuple[RundownInput, ...], expected: Verdict
) -> None:
    assert expected is verdict(*told)


@given(st.lists(st.sampled_from(Verdict), min_size=1))
def test_a_whole_is_as_bad_as_its_worst_part(parts: list[Verdict]) -> None:
    found = worst(parts)
    assert found in parts
    assert (found is Verdict.PASSED) == (set(parts) == {Verdict.PASSED})
    assert found is worst(reversed(parts))


def test_a_whole_without_parts_waits() -> None:
    assert Verdict.WAITING is worst([])
