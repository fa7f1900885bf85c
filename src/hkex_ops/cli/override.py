"""``hkex-ops override``: set a rule aside with two people, a reason and an end; see what is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

from attrs import frozen
from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer
from hkex_ops.cli.handing import hand_over
from hkex_ops.cli.may import rule_document
from hkex_ops.cli.options import At, Config, Json, optional_settings, parse_at, parse_instant
from hkex_ops.cli.papers import OneRollout, known_papers
from hkex_ops.cli.text import say, say_instant, say_window
from hkex_ops.cli.working import Work, now_of, work_folder
from hkex_ops.clock import Clock
from hkex_ops.errors import UsageError
from hkex_ops.flows.journal import Journal, read_journal
from hkex_ops.flows.notifying.streams import occurrence_of_override
from hkex_ops.flows.overrides import overrides_of, record_override, recorded_at
from hkex_ops.model import Effect, Json as JsonValue, JsonObject, Rollout, plain
from hkex_ops.rollouts import Override, require_action
from hkex_ops.rundown import Grant, OverrideStanding, Withdraw, forbidding

__all__ = ["override"]


def override(
    action: str = "",
    /,
    *,
    reason: Annotated[str, Parameter(help="Why; wanted to grant and to withdraw.")] = "",
    by: Annotated[str, Parameter(help="Who asks for it, or withdraws it.")] = "",
    second: Annotated[str, Parameter(help="The second person, who agrees.")] = "",
    until: Annotated[
        str | None, Parameter(help="When it ends; written as --at is, and after it.")
    ] = None,
    withdraw: Annotated[
        bool, Parameter(negative="", help="End the act's overrides before they expire.")
    ] = False,
    rollout: OneRollout = None,
    at: At = None,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Set aside, until an hour and for a reason, the rules that forbid an act; list what is.

    With --reason, --by, --second and --until it grants: both people are in the record, which goes
    into the journal of every rollout whose rules forbid the act meanwhile. What the papers say
    stays: `may` shows the act as denied, and overridden. Without these options it lists.

    Parameters
    ----------
    action
        The act, such as renew-ssh-key; to list, it may be left out.
    """
    papers, _ = known_papers(config)
    clock = now_of()
    instant = parse_at(at, clock)
    folder = work_folder(work, optional_settings(config))
    desk = _Desk(papers.chosen(rollout), folder, clock)
    if action:
        require_action(action)
    granting = {"--reason": reason, "--by": by, "--second": second, "--until": until or ""}
    granted: list[tuple[str, int]] = []
    if withdraw:
        if second or until:
            raise UsageError("one person withdraws, at once: leave --second and --until out")
        desk.withdraw(action, by, reason, instant)
    elif any(granting.values()):
        missing = [name for name, value in granting.items() if not value.strip()]
        if not action:
            missing.insert(0, "ACTION")
        if missing:
            raise UsageError(f"to grant an override say all of it; missing: {', '.join(missing)}")
        ends = parse_instant(until or "", "--until")
        given = Override(action, reason, by, second, ends, instant)
        granted = desk.grant(given, instant)
        told = occurrence_of_override(given, clock.now())
        hand_over(optional_settings(config), clock, lambda: (told,))
    rows = [one for one in desk.rows() if not action or one.override.action == action]
    return Answer(
        {
            "at": plain(instant),
            "granted": [{"rollout": id, "number": number} for id, number in granted],
            "overrides": [one.document(instant) for one in rows],
        },
        lambda console: _render(rows, instant, console),
    )


@frozen
class _Row:
    """An override as it is listed: of which rollout, and when it was told to the journal."""

    rollout: str
    standing: OverrideStanding
    recorded: str

    @property
    def override(self) -> Override:
        return self.standing.granted.override

    def document(self, at: datetime) -> JsonObject:
        granted, withdrawn = self.standing.granted, self.standing.withdrawn
        rules: list[JsonValue] = [rule_document(rule) for rule in granted.rules]
        return {
            "rollout": self.rollout,
            "number": granted.number,
            "action": self.override.action,
            "state": self.standing.said(at),
            "reason": self.override.reason,
            "by": self.override.by,
            "second": self.override.second,
            "from": plain(self.override.since),
            "until": plain(self.override.expires),
            "recorded": self.recorded,
            "withdrawn": plain(withdrawn),
            "rules": rules,
        }


@frozen
class _Desk:
    """The rollouts that were asked about and their journals."""

    rollouts: Sequence[Rollout]
    work: Path
    clock: Clock

    def grant(self, override: Override, at: datetime) -> list[tuple[str, int]]:
        """Record it with every rollout that forbids the act meanwhile; which, and its number."""
        concerned = [
            one for one in self.rollouts if forbidding(one, override.action, at, override.expires)
        ]
        if not concerned:
            raise UsageError(self._nothing_forbids(override, at))
        for one in concerned:  # judged by every one of them before anything is kept
            known = overrides_of(one, read_journal(self.work, one.id))
            known.handle(Grant(override, at), self.clock.now())
        numbers: list[tuple[str, int]] = []
        for one in concerned:
            with Journal.open(self.work, one.id, clock=self.clock) as journal:
                told = record_override(journal, one, Grant(override, at), self.clock.now())
            numbers.append((one.id, told.number))
        return numbers

    def withdraw(self, action: str, by: str, reason: str, at: datetime) -> None:
        """End every override of ``action`` that is in force."""
        ending = [
            (row.rollout, row.standing.granted.number)
            for row in self.rows()
            if row.override.action == action and row.standing.said(at) == "in force"
        ]
        if not ending:
            raise UsageError(f"no override of {action or 'anything'} is in force: name the act")
        by_id = {one.id: one for one in self.rollouts}
        for id, number in ending:
            with Journal.open(self.work, id, clock=self.clock) as journal:
                given = Withdraw(number, by, reason, at)
                record_override(journal, by_id[id], given, self.clock.now())

    def rows(self) -> list[_Row]:
        """Every override there is, rollout by rollout."""
        rows: list[_Row] = []
        for one in self.rollouts:
            entries = read_journal(self.work, one.id)
            recorded: Mapping[int, str] = recorded_at(entries)
            for standing in overrides_of(one, entries).standing:
                rows.append(_Row(one.id, standing, recorded[standing.granted.number]))
        return rows

    def _nothing_forbids(self, override: Override, at: datetime) -> str:
        span = f"from {at.isoformat()} to {override.expires.isoformat()}"
        others = [
            f"{one.id} does {say_window(rule.window)}"
            for one in self.rollouts
            for rule in one.restrictions
            if rule.action == override.action and rule.effect is Effect.PROHIBITED
        ]
        hint = f" ({'; '.join(others)})" if others else ""
        whose = self.rollouts[0].id if len(self.rollouts) == 1 else "any known paper"
        return f"no rule of {whose} forbids {override.action} {span}{hint}: nothing to override"


def _render(rows: Sequence[_Row], at: datetime, console: Console) -> None:
    if not rows:
        say(console, "no override is recorded")
    for row in rows:
        override, standing = row.override, row.standing
        word = standing.said(at).upper()
        say(
            console,
            f"{override.action} ({row.rollout}, override {standing.granted.number}): {word}",
        )
        since = say_instant(override.since) if override.since else "ever"
        recorded = say_instant(datetime.fromisoformat(row.recorded))
        ends = say_instant(override.expires)
        say(console, f"from {since} until {ends}, recorded {recorded}", indent=2)
        say(console, f"{override.by}, agreed by {override.second}: {override.reason}", indent=2)
        if standing.withdrawn is not None:
            told = standing.withdrawn
            say(console, f"withdrawn {say_instant(told.at)}, {told.by}: {told.reason}", indent=2)
        for rule in standing.granted.rules:
            say(console, f"sets aside: “{rule.rule}” ({rule.source})", indent=2)
