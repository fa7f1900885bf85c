"""``hkex-ops status``: the desk's four answers on one screen, the nearest deadline counted down."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from rich.console import Console

from hkex_ops.cli.agenda import item_document, say_when
from hkex_ops.cli.answer import Answer
from hkex_ops.cli.connections import directions_document, say_address
from hkex_ops.cli.may import rule_document
from hkex_ops.cli.options import At, Config, Json, optional_settings
from hkex_ops.cli.papers import Audience, OneRollout, ask
from hkex_ops.cli.text import say, say_bound, say_end, say_instant, say_time_left
from hkex_ops.cli.working import Work, done_items, work_folder
from hkex_ops.flows.overrides import guard_of
from hkex_ops.model import JsonObject, Restriction, plain
from hkex_ops.rollouts import (
    AgendaItem,
    Directions,
    Override,
    Proof,
    ProofKind,
    Status,
    status as status_of,
)

__all__ = ["status"]

NEXT_ITEMS = 6
"""How many items the screen shows; the agenda has them all."""

BULLET = "  - "


def status(
    *,
    at: At = None,
    rollout: OneRollout = None,
    audience: Audience = None,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Show what is next, what is forbidden, where clients point, and what must be shown later."""
    asked = ask(at, rollout, audience, config)
    done = done_items(asked.rollouts, config, work)
    guard = guard_of(asked.rollouts, work_folder(work, optional_settings(config)))
    found = status_of(
        asked.rollouts,
        asked.calendar,
        asked.at,
        audience=asked.audience,
        done=done,
        guard=guard,
    )
    return Answer(_document(found), lambda console: _render(found, console))


def _document(found: Status) -> JsonObject:
    left = found.remaining
    return {
        "at": plain(found.at),
        "nearest": None if found.nearest is None else item_document(found.nearest, found.at),
        "remaining_s": None if left is None else int(left.total_seconds()),
        "items": [item_document(item, found.at) for item in found.agenda],
        "restrictions": [
            {**rule_document(rule), "overridden": _override_of(rule, found) is not None}
            for rule in found.restrictions
        ],
        "connections": [directions_document(one) for one in found.directions],
        "proofs": [
            {
                "id": proof.id,
                "kind": proof.kind.value,
                "what": proof.what,
                "rule": proof.rule,
                "from": plain(proof.start.at) if proof.start else None,
                "to": plain(proof.until.at) if proof.until else None,
                "days": proof.days,
                "days_begun": proof.days_begun,
                "source": plain(proof.source),
            }
            for proof in found.proofs
        ],
    }


def _render(found: Status, console: Console) -> None:
    say(console, f"Status at {say_instant(found.at)}, Hong Kong time")
    _say_next(found, console)
    _say_restrictions(found, console)
    _say_directions(found, console)
    _say_proofs(found, console)


def _head(console: Console, text: str) -> None:
    say(console, "")
    console.print(text, style="bold", markup=False, emoji=False, soft_wrap=True)


def _say_next(found: Status, console: Console) -> None:
    _head(console, "1. What next, and by when?")
    left, nearest = found.remaining, found.nearest
    if nearest is not None and left is not None:
        say(console, f"nearest deadline in {say_time_left(left)}: {nearest.what}", lead="  > ")
    shown = _first_of_each_series(found.agenda)
    for item in shown[:NEXT_ITEMS]:
        daily = " (daily)" if item.series else ""
        say(console, f"{say_when(item, found.at)}: {item.what}{daily}", lead=BULLET)
    if len(shown) > NEXT_ITEMS:
        say(console, f"and {len(shown) - NEXT_ITEMS} more: hkex-ops agenda", lead=BULLET)
    elif not shown:
        say(console, "nothing is open, due or coming", lead=BULLET)


def _first_of_each_series(items: Iterable[AgendaItem]) -> list[AgendaItem]:
    return list({item.series or item.id: item for item in reversed(list(items))}.values())[::-1]


def _say_restrictions(found: Status, console: Console) -> None:
    _head(console, "2. What is forbidden or limited now?")
    for rule in found.restrictions:
        limit = f" {rule.limit}" if rule.limit else ""
        effect = rule.effect.value.replace("_", " ")
        end = say_end(rule.window.until)
        override = _override_of(rule, found)
        aside = f"; SET ASIDE until {say_instant(override.expires)}" if override else ""
        say(console, f"{rule.action}: {effect}{limit}, {end}{aside}", lead=BULLET)
    if not found.restrictions:
        say(console, "nothing that a known paper speaks of", lead=BULLET)


def _override_of(rule: Restriction, found: Status) -> Override | None:
    """The override that sets ``rule`` aside, if one does."""
    for event in found.set_aside:
        if rule in event.rules:
            return event.override
    return None


def _say_directions(found: Status, console: Console) -> None:
    _head(console, "3. Where do clients point?")
    for where, group in groupby(found.directions, key=_where):
        services = ", ".join(one.service for one in group)
        say(console, f"{services}: {where}", lead=BULLET)


def _where(found: Directions) -> str:
    if found.site is None:
        return f"NO SITE ({found.why})"
    addresses = ", ".join(say_address(one) for one in found.connections)
    session = f" (session {found.session})" if found.session else ""
    return f"{found.site}{session}, {addresses or 'no address stated'}"


def _say_proofs(found: Status, console: Console) -> None:
    _head(console, "4. What must be shown afterwards?")
    for proof in found.proofs:
        say(console, f"{proof.kind.value}: {proof.what}{_extent(proof)}", lead=BULLET)
    if not found.proofs:
        say(console, "nothing of these weeks", lead=BULLET)


def _extent(proof: Proof) -> str:
    if proof.kind is ProofKind.FORM:
        due = proof.until
        return "" if due is None else f", by {say_bound(due, ends=True)}"
    end = "" if proof.until is None else f", {say_end(proof.until)}"
    if proof.kind is ProofKind.DAILY:
        return f": {proof.days_begun} of {proof.days} business days have begun{end}"
    return end
