"""Where a rundown stands, told again from the events that were kept of it.

The counterpart of :meth:`Rundown.snapshot` for whoever kept the events and lost the machine: a
process that was killed. Knows events as plain data, by the names under which evidence keeps them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hkex_ops.errors import UsageError
from hkex_ops.model import JsonObject
from hkex_ops.rundown.steps import RundownStep, StepState

__all__ = ["snapshot_after"]

_WORDS = ("opened", "closed", "aborted")
"""What may be told of a session, in the order in which a snapshot says it."""


def snapshot_after(
    steps: Sequence[RundownStep], told: Iterable[tuple[str, JsonObject]]
) -> Mapping[str, str]:
    """The snapshot that a rundown of ``steps`` would give after the events ``told``.

    Each event is its kind and its body, in order. `UsageError` when one tells of a step that is
    not among ``steps``, or of a session that has none: the paper's list has changed since.
    """
    states = {f"{step.session}/{step.id}": StepState.WAITING.value for step in steps}
    sessions: dict[str, set[str]] = {step.session: set() for step in steps}
    for kind, body in told:
        match kind, body:
            case "step-started", {"step": {"session": str(session), "id": str(id)}}:
                _set(states, session, id, StepState.RUNNING)
            case "step-finished", {
                "step": {"session": str(session), "id": str(id)},
                "state": str(word),
            }:
                _set(states, session, id, word)
            case "step-skipped", {"step": {"session": str(session), "id": str(id)}}:
                _set(states, session, id, StepState.SKIPPED)
            case "session-aborted", {"session": str(session), "abandoned": [*abandoned]}:
                _tell(sessions, session, "aborted")
                for one in abandoned:
                    _set(states, session, str(one), StepState.ABANDONED)
            case (("session-opened" | "session-closed"), {"session": str(session)}):
                _tell(sessions, session, kind.removeprefix("session-"))
            case _:
                pass
    words = {name: " ".join(w for w in _WORDS if w in said) for name, said in sessions.items()}
    return states | {name: said for name, said in words.items() if said}


def _set(states: dict[str, str], session: str, id: str, word: str) -> None:
    key = f"{session}/{id}"
    if key not in states:
        raise _unstated(f"step {key}")
    states[key] = str(word)


def _tell(sessions: dict[str, set[str]], session: str, word: str) -> None:
    if session not in sessions:
        raise _unstated(f"session {session}")
    sessions[session].add(word)


def _unstated(what: str) -> UsageError:
    return UsageError(
        f"what was kept tells of {what}, which the rollout does not state: "
        "work on with the rollout that the session was begun with"
    )
