"""The rundown as a rehearsal shows it: one line for every step that ended, remembered as shown."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from rich.console import Console

from hkex_ops.cli.text import say, say_instant
from hkex_ops.model import JsonObject, Rollout, plain
from hkex_ops.rundown import RundownEvent, StepFinished, StepRefused, StepSkipped
from hkex_ops_simulator.stand_ins import StandIns

__all__ = ["Ended", "Screen", "row"]

Ended: TypeAlias = StepFinished | StepSkipped | StepRefused


class Screen:
    """Shows the rundown as it goes; ``lines`` is what was shown, ``ended`` what it was of."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._heading = ""
        self.lines: list[str] = []
        self.ended: list[Ended] = []

    def begin(self, rollout: Rollout) -> None:
        """Say what is rehearsed."""
        circulars = ", ".join(one.reference or one.title for one in rollout.circulars)
        self._say(f"Rehearsal of {rollout.id}: {rollout.title}")
        self._say(
            f"Circular {circulars}. The exchange is a simulator on loopback; all reports are "
            "SYNTHETIC."
        )

    def introduce(self, stand_ins: StandIns) -> None:
        """Say what stands in for the systems that no adapter speaks to."""
        for service in stand_ins.services:
            speeches = (one.speech for one in stand_ins.all if one.service == service)
            self._say(f"{service}: {'; '.join(dict.fromkeys(speeches))}.")

    def tell(self, text: str) -> None:
        """Say one thing more, and remember it as shown."""
        self._say(text)

    def interrupted(self, folder: Path, ended: int, steps: int, *, earlier: bool) -> None:
        """Say what became of a rehearsal that was ended from outside: this one or an earlier."""
        here = Path.cwd()
        shown = folder.relative_to(here) if folder.is_relative_to(here) else folder
        lead = "an earlier rehearsal was interrupted" if earlier else "INTERRUPTED"
        told = f"{lead}: {ended} of {steps} steps had ended; evidence of them in {shown}"
        say(self.console, told)

    def watch(self, event: RundownEvent) -> None:
        """One line for every step that ended, under its session and time."""
        if not isinstance(event, StepFinished | StepSkipped | StepRefused):
            return
        self.ended.append(event)
        heading = f"{say_instant(event.at)}  {event.step.session}"
        if heading != self._heading:
            self._heading = heading
            self._say("")
            self._say(heading)
        self._say(_found(event), f"  {_state(event):<8} {event.step.id:<24} ")

    def _say(self, text: str, lead: str = "") -> None:
        self.lines.append(f"{lead}{text}")
        say(self.console, text, lead=lead)


def row(event: Ended) -> JsonObject:
    """A step that ended, as the JSON document and the evidence have it."""
    return {
        "session": event.step.session,
        "step": event.step.id,
        "outcome": _state(event),
        "at": plain(event.at),
        "found": _found(event),
        "by": _by(event) or None,
    }


def _state(event: Ended) -> str:
    match event:
        case StepFinished(state=state):
            return state.value
        case StepSkipped():
            return "skipped"
        case StepRefused():
            return "refused"


def _found(event: Ended) -> str:
    return event.found if isinstance(event, StepFinished) else event.reason


def _by(event: Ended) -> str:
    return "" if isinstance(event, StepRefused) else event.by
