"""One session at one desk: everything a command knows of it before it is begun."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from attrs import frozen
from rich.console import Console

from hkex_ops.cli.screen import Screen
from hkex_ops.cli.text import say
from hkex_ops.cli.working import Desk, desk_of
from hkex_ops.config.answers import Answers, load_answers
from hkex_ops.config.settings import load_catalogue, load_settings
from hkex_ops.flows.asking import Asker, FileAsker, Lines, TerminalAsker
from hkex_ops.flows.attempts import Attempt, latest_attempt
from hkex_ops.flows.clearing.session_steps import GatewayWork
from hkex_ops.flows.hands import Reach, SessionHands, reach_of
from hkex_ops.flows.journal import Journal, read_journal
from hkex_ops.flows.plugged import load_plugins
from hkex_ops.flows.rundown import SessionWork
from hkex_ops.flows.sources import configured_source
from hkex_ops.flows.store import Archive
from hkex_ops.model import JsonObject, Session
from hkex_ops.plugins import Plugins
from hkex_ops.rollouts import audience_named
from hkex_ops.rundown import Barred, PlannedStep, barred, planned_steps, session_named

__all__ = ["Bench", "bench_of"]


@frozen
class Bench:
    """A session with everything that is known of it before it is begun."""

    desk: Desk
    session: Session
    audience: str | None
    reach: Reach
    steps: tuple[PlannedStep, ...]

    @property
    def headline(self) -> JsonObject:
        """What every document of a session begins with."""
        return {
            "rollout": self.desk.rollout.id,
            "session": self.session.id,
            "audience": self.audience,
        }

    def attempt(self) -> Attempt | None:
        """The last attempt at the session, as the journal has it."""
        entries = read_journal(self.desk.work, self.desk.rollout.id)
        return latest_attempt(entries, self.session.id)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do but to keep its evidence, or to show it again."""
        attempt = self.attempt()
        return attempt is not None and attempt.is_final

    def bar(self, now: datetime) -> Barred | None:
        """Why the session may not be worked now; one that is over is only shown again."""
        if self.is_over:
            return None
        attempt = self.attempt()
        begun = attempt is not None and attempt.concluded is None
        return barred(self.session, self.steps, self.audience, now, begun=begun)

    def journal(self, screen: Screen) -> Journal:
        """The rollout's journal; a torn line in it is told."""
        journal = Journal.open(self.desk.work, self.desk.rollout.id, clock=self.desk.clock)
        if journal.dropped_bytes:
            screen.tell(
                f"an interrupted run left half a line in the journal: {journal.dropped_bytes} "
                "bytes dropped, every entry before it is whole"
            )
        return journal

    def asker(self, answers: Path | None) -> Asker:
        """A file, a person at the terminal, or nobody."""
        steps = [one.step for one in self.steps]
        if answers is not None:
            return FileAsker(load_answers(answers, steps, self.desk.clock.now()))
        if not sys.stdin.isatty():
            return FileAsker(Answers())
        console = Console(stderr=True, highlight=False)
        return TerminalAsker(
            Lines(sys.stdin.fileno()),
            lambda text: say(console, text, indent=2),
            lambda text: console.print(f"  {text} ", end="", markup=False),
            self.desk.clock,
        )

    def hands(self, stack: ExitStack, screen: Screen) -> SessionHands:
        """What does the steps that need no person; ``stack`` closes what it opens."""
        settings, source = self.desk.settings, self.reach.source
        gateways = self._gateways()
        if settings is None or source is None:
            return SessionHands(self.reach, None, gateways)
        start = self.session.window.start.at or self.desk.clock.now()
        place = settings.required_archive()
        archive = Archive.open(place.folder, clock=self.desk.clock, head_file=place.head_file)
        stack.enter_context(archive)
        plugins = Plugins.load(block=settings.plugins.block)
        work = SessionWork(
            self.desk.rollout,
            self.session,
            lambda: configured_source(load_settings(settings.path), plugins, source.name),
            archive,
            load_catalogue(settings),
            self.desk.clock,
            last_business_date=self.desk.calendar.previous_business_day(start.date()),
            observe=screen.observe,
        )
        return SessionHands(self.reach, work, gateways)

    def _gateways(self) -> GatewayWork | None:
        """What logs in at the gateways of a clearing house, where one is within reach."""
        settings, gateway, site = self.desk.settings, self.reach.gateway, self.session.site
        if settings is None or gateway is None or site is None:
            return None
        return GatewayWork(
            gateway,
            site,
            self.reach.connections(gateway.service),
            self.desk.clock,
            expiry_warning_days=settings.clearing.expiry_warning_days,
        )


def bench_of(
    rollout: str,
    session: str,
    audience: str | None,
    config: Path | None,
    work: Path | None,
    source: str | None,
) -> Bench:
    """The session that six words of a command line name; raises what they deserve."""
    desk = desk_of(rollout, config, work)
    chosen = session_named(session, desk.rollout)
    known = None if audience is None else audience_named(audience, [desk.rollout])
    plugins = load_plugins(desk.settings.plugins.block if desk.settings else ())
    reach = reach_of(desk.rollout, chosen, desk.settings, plugins, source)
    steps = planned_steps(desk.rollout, chosen, known, lambda step: not reach.does(step))
    return Bench(desk, chosen, known, reach, steps)
