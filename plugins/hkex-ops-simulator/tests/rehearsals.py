"""A rehearsal that is over, read back from its evidence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hkex_ops_simulator.staging import Rehearsed


class Told:
    """A rehearsal that is over, as its evidence tells it."""

    def __init__(self, done: Rehearsed, folder: Path) -> None:
        self.folder = folder
        self.outcome = done.outcome.value
        self.document: dict[str, Any] = self.read("rundown.json")
        self.steps: list[dict[str, Any]] = self.document["steps"]

    def read(self, path: str) -> dict[str, Any]:
        read: dict[str, Any] = json.loads((self.folder / "data" / path).read_text("utf-8"))
        return read

    def step(self, session: str, id: str) -> dict[str, Any]:
        [found] = [one for one in self.steps if (session, id) == (one["session"], one["step"])]
        return found

    def ids(self, session: str) -> list[str]:
        return [one["step"] for one in self.steps if one["session"] == session]

    def wrong(self) -> list[str]:
        return [
            f"{one['session']} {one['step']}" for one in self.steps if one["outcome"] != "passed"
        ]

    def facts(self, session: str, id: str) -> dict[str, Any]:
        """The facts with which the step ended, from the chain of events."""
        lines = (self.folder / "data" / "events.jsonl").read_text("utf-8").splitlines()
        for line in lines:
            record = json.loads(line)
            step = record["body"].get("step", {})
            if record["kind"] == "step-finished" and (session, id) == (step["session"], step["id"]):
                facts: dict[str, Any] = record["body"]["facts"]
                return facts
        raise AssertionError(f"{session} {id} never ended")
