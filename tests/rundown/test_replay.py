"""A rundown told again from its events stands where the machine that told them stood."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from hkex_ops.errors import UsageError
from hkex_ops.flows.rundown import event_kind
from hkex_ops.model import JsonObject, plain
from hkex_ops.rundown import (
    Abort,
    Fail,
    Pass,
    Rundown,
    RundownEvent,
    Skip,
    Start,
    snapshot_after,
)
from tests.rundown.steps import (
    CHECK,
    FETCH,
    FIRST_OPENS,
    FREE,
    LOG_IN,
    SECOND_CLOSES,
    SECOND_OPENS,
    STEPS,
)


def kept(events: Iterable[RundownEvent]) -> list[tuple[str, JsonObject]]:
    """The events as evidence keeps them."""
    told: list[tuple[str, JsonObject]] = []
    for event in events:
        body = plain(event)
        assert isinstance(body, dict)
        told.append((event_kind(event), body))
    return told


def test_the_events_of_a_rundown_give_its_own_snapshot_after_each_of_them() -> None:
    rundown = Rundown(STEPS)
    told: list[RundownEvent] = []
    for given, at in (
        (Start(LOG_IN), FIRST_OPENS),
        (Pass(LOG_IN), FIRST_OPENS),
        (Skip(CHECK, "by phone"), FIRST_OPENS),
        (Abort("session-1", "storm", "the operator"), SECOND_OPENS),
        (Start(FETCH), SECOND_OPENS),
        (Fail(FETCH, "refused"), SECOND_CLOSES),
        (Start(FREE), SECOND_CLOSES),
    ):
        told += rundown.handle(given, at)
        assert rundown.snapshot() == snapshot_after(STEPS, kept(told))
    snapshot = rundown.snapshot()
    assert ["opened closed aborted", "opened closed", "failed"] == [
        snapshot[key] for key in ("session-1", "session-2", "session-2/fetch")
    ]


@pytest.mark.parametrize("kind", ["session-opened", "session-closed", "session-aborted"])
def test_what_was_told_of_a_session_that_has_no_steps_is_of_another_paper(kind: str) -> None:
    body: JsonObject = {"session": "session-9", "abandoned": []}
    with pytest.raises(UsageError, match="tells of session session-9, which the rollout does not"):
        snapshot_after(STEPS, [(kind, body)])
