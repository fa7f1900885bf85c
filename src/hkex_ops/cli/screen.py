"""What a person sees of a session while it is worked."""

from __future__ import annotations

from datetime import datetime

from rich.console import Console

from hkex_ops.cli.text import say, say_count, say_window
from hkex_ops.flows.attempts import Attempt
from hkex_ops.flows.working import SessionRun
from hkex_ops.model import Rollout, Session
from hkex_ops.reports.events import ReportEvent
from hkex_ops.rundown import (
    RundownEvent,
    SessionAborted,
    StepFinished,
    StepRefused,
    StepSkipped,
    rules_in,
)

__all__ = ["STEP_WIDTH", "Screen"]

# The longest name of a step in any paper so far, and room for its number.
STEP_WIDTH = 25


class Screen:
    """Shows a run as it goes: one line for every step that ended."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.run: SessionRun | None = None

    def begin(self, rollout: Rollout, session: Session, audience: str | None) -> None:
        """Say what is worked, and by which rules."""
        self.tell(f"{rollout.id} {session.id}: {session.name}")
        site = f", {session.site} site" if session.site else ""
        self.tell(f"{say_window(session.window)}{site} ({session.source})")
        for rule in rules_in(rollout, session, audience):
            self.tell(f"rule: “{rule.rule}” ({rule.source})")

    def tell(self, text: str) -> None:
        """Say one thing."""
        say(self._console, text)

    def resume(self, attempt: Attempt) -> None:
        """Say where an earlier run stood."""
        ended = sum(kind in ("step-finished", "step-skipped") for kind, _ in attempt.events)
        self.tell(f"resumed: begun {attempt.entries[0].at}, {say_count(ended, 'step result')} kept")

    def observe(self, event: ReportEvent) -> None:
        """Keep what a retrieval tells."""
        if self.run is not None and self.run.conduct is not None:
            self.run.conduct.observe(event)

    def watch(self, event: RundownEvent) -> None:
        """One line for what ended a step or the session."""
        match event:
            case StepFinished(at, step, state, found, _, by):
                self._line(at, step.id, state.value, found, by)
            case StepSkipped(at, step, reason, by):
                self._line(at, step.id, "skipped", reason, by)
            case StepRefused(at, step, reason):
                self._line(at, step.id, "refused", reason, "")
            case SessionAborted(at, session, reason, by):
                self._line(at, session, "aborted", reason, by)
            case _:
                pass

    def _line(self, at: datetime, name: str, state: str, found: str, by: str) -> None:
        lead = f"{at:%H:%M:%S}  {state:<9}{name:<{STEP_WIDTH}}"
        say(self._console, f"{found} ({by})" if by else found, lead=lead)
