"""What was done, read from what a rollout's journal keeps: ids that no agenda lists again.

A session is done when its rundown was concluded and no step of it failed, stayed open or proved
nothing; a checklist item when it was last answered with yes; anything else when somebody said so.
Pure: takes entries as (kind, body), in order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from hkex_ops.model import JsonObject

__all__ = ["Entry", "done_ids"]

Entry: TypeAlias = tuple[str, JsonObject]


def done_ids(rollout: str, entries: Iterable[Entry]) -> frozenset[str]:
    """The ids of agenda items of ``rollout`` that are done after ``entries``."""
    done: dict[str, bool] = {}
    for kind, body in entries:
        match kind, body:
            case "session-concluded", {"session": str(session), "done": bool(is_done)}:
                done[f"{rollout}/session/{session}"] = is_done
            case "item-answered", {"number": int(number), "answer": answer}:
                done[f"{rollout}/checklist/{number}"] = answer == "yes"
            case "agenda-item-done", {"item": str(item), "done": bool(is_done)}:
                done[item] = is_done
            case _:
                pass
    return frozenset(item for item, is_done in done.items() if is_done)
