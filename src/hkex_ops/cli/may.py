"""``hkex-ops may ACTION``: the guard's answer, with the rules in the paper's words."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.handing import hand_over
from hkex_ops.cli.options import At, Config, Json, optional_settings, system_clock
from hkex_ops.cli.papers import Audience, OneRollout, ask
from hkex_ops.cli.text import say, say_instant, say_window
from hkex_ops.cli.working import Work, work_folder
from hkex_ops.errors import Denied
from hkex_ops.flows.notifying.streams import occurrence_of_denial
from hkex_ops.flows.overrides import guard_of
from hkex_ops.model import JsonObject, Restriction, plain
from hkex_ops.rollouts import Decision, Guard, RuleOverridden, Ruling

__all__ = ["may", "rule_document", "ruling_document"]

_EXIT = {
    Decision.ALLOW: ExitCode.DONE,
    Decision.LIMITED: ExitCode.DONE,
    Decision.DENY: ExitCode.DENIED,
}


def may(
    action: str,
    /,
    *,
    at: At = None,
    rollout: OneRollout = None,
    audience: Audience = None,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Say whether an act is allowed, by which rule, until when. Exits 3 when it is denied.

    While an override sets every rule aside that forbids it, the act is shown as denied and
    overridden, and the command exits 0.

    Parameters
    ----------
    action
        The act, such as renew-ssh-key.
    """
    asked = ask(at, rollout, audience, config)
    guard = guard_of(asked.rollouts, work_folder(work, optional_settings(config)))
    ruling = guard.may(action, asked.at, audience=asked.audience)
    if at is None and ruling.decision is Decision.DENY and not ruling.overridden:
        # Whoever asks about now means to do it.
        _hand_over(guard, action, asked.at, asked.audience, config)
    return Answer(
        ruling_document(ruling),
        lambda console: _render(ruling, console),
        ExitCode.DONE if ruling.overridden else _EXIT[ruling.decision],
    )


def _hand_over(
    guard: Guard, action: str, at: datetime, audience: str | None, config: Path | None
) -> None:
    try:
        guard.require(action, at, audience=audience)
    except Denied as denied:
        told = occurrence_of_denial(denied, at)
        hand_over(optional_settings(config), system_clock(), lambda: (told,))


def ruling_document(ruling: Ruling) -> JsonObject:
    """The ruling as the document that ``--json`` prints."""
    return {
        "action": ruling.action,
        "at": plain(ruling.at),
        "decision": ruling.decision.value,
        "overridden": ruling.overridden,
        "rules": [rule_document(rule) for rule in ruling.rules],
        "overrides": [_override_document(event) for event in ruling.events],
    }


def rule_document(rule: Restriction) -> JsonObject:
    """A rule as ``--json`` prints it."""
    return {
        "id": rule.id,
        "action": rule.action,
        "rule": rule.rule,
        "effect": rule.effect.value,
        "limit": rule.limit or None,
        "from": plain(rule.window.start.at),
        "until": plain(rule.window.until.at),
        "audience": list(rule.audience),
        "source": plain(rule.source),
    }


def _override_document(event: RuleOverridden) -> JsonObject:
    override = event.override
    return {
        "reason": override.reason,
        "by": override.by,
        "second": override.second,
        "from": plain(override.since),
        "until": plain(override.expires),
        "rules": [rule.id for rule in event.rules],
    }


def _render(ruling: Ruling, console: Console) -> None:
    word = {Decision.ALLOW: "allowed", Decision.LIMITED: "limited", Decision.DENY: "DENIED"}
    lifted = ", but OVERRIDDEN" if ruling.overridden else ""
    said = f"{word[ruling.decision]}{lifted}"
    say(console, f"{ruling.action} at {say_instant(ruling.at)}: {said}")
    if not ruling.rules:
        say(console, "no rule of any known rollout speaks of it at that time", indent=2)
    for rule in ruling.rules:
        say(console, f"“{rule.rule}”", indent=2)
        limit = f", {rule.limit}" if rule.limit else ""
        say(
            console,
            f"{rule.effect.value.replace('_', ' ')}{limit}, {say_window(rule.window)}",
            indent=2,
        )
        say(console, str(rule.source), indent=2)
    for event in ruling.events:
        one = event.override
        names = " and ".join(rule.id for rule in event.rules)
        say(
            console,
            f"{names} set aside until {say_instant(one.expires)} by {one.by}, agreed by "
            f"{one.second}: {one.reason}",
            indent=2,
        )
