"""``hkex-ops rollouts``: the circulars that are known, as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from rich.console import Console

from hkex_ops.cli.answer import Answer
from hkex_ops.cli.options import Config, Json
from hkex_ops.cli.papers import known_papers
from hkex_ops.cli.text import say, say_bound, say_window
from hkex_ops.model import Connection, JsonObject, Rollout, Step, plain

__all__ = ["list_", "show"]


def list_(*, config: Config = None, json: Json = False) -> Answer:
    """List the rollouts that are known, with their circulars."""
    papers, _ = known_papers(config)
    rollouts = list(papers.rollouts.values())
    return Answer(
        {"rollouts": [_headline(rollout) for rollout in rollouts]},
        lambda console: _render_list(rollouts, console),
    )


def show(rollout: str, /, *, config: Config = None, json: Json = False) -> Answer:
    """Show everything a rollout's papers say, times resolved by the dated calendars.

    Parameters
    ----------
    rollout
        Its id, such as rrs-2023.
    """
    papers, _ = known_papers(config)
    [found] = papers.chosen(rollout)
    document = plain(found)
    assert isinstance(document, dict), "a rollout's plain form is an object"
    return Answer(document, lambda console: _render(found, console))


def _headline(rollout: Rollout) -> JsonObject:
    return {
        "id": rollout.id,
        "title": rollout.title,
        "circulars": [circular.reference or circular.title for circular in rollout.circulars],
        "services": list(rollout.services),
        "summary": rollout.summary,
    }


def _render_list(rollouts: Iterable[Rollout], console: Console) -> None:
    for rollout in rollouts:
        say(console, rollout.title, lead=f"{rollout.id}  ")
        if rollout.summary:
            say(console, rollout.summary, indent=len(rollout.id) + 2)


def _render(rollout: Rollout, console: Console) -> None:
    say(console, f"{rollout.title} ({rollout.id})")
    for circular in rollout.circulars:
        issued = f", {circular.issued}" if circular.issued else ""
        say(console, f"{circular.reference or circular.title}, {circular.issuer}{issued}", indent=2)
    for title, entries in _chapters(rollout):
        if entries:
            say(console, title)
        for lead, text in entries:
            say(console, text, lead=lead)


_Entries: TypeAlias = list[tuple[str, str]]


def _chapters(rollout: Rollout) -> Iterator[tuple[str, _Entries]]:
    """What the papers say, as headed lists of (lead, text)."""
    yield "Periods", [("  ", f"{say_window(one.window)}: {one.name}") for one in rollout.phases]
    for session in rollout.sessions:
        steps: _Entries = [("  ", f"{say_window(session.window)}, {session.grade.value}")]
        steps += [(f"  {one.moment.value:<7}{one.order}. ", _step(one)) for one in session.steps]
        yield session.name, steps
    yield (
        "Deadlines",
        [
            (f"  {say_bound(one.due, ends=True)}  ", f"{one.what}: {one.channel}")
            for one in rollout.registrations
        ],
    )
    yield (
        "Required",
        [
            ("  ", f"{say_window(one.window)}, {one.recurrence.value}: {one.rule}")
            for one in rollout.requirements
        ],
    )
    yield (
        "Restricted",
        [
            ("  ", f"{say_window(one.window)}, {one.action} {one.effect.value}: {one.rule}")
            for one in rollout.restrictions
        ],
    )
    yield (
        "Connections",
        [
            (
                f"  {one.service} {one.site.value:<10}",
                f"{_address(one)}, for {' and '.join(use.value for use in one.uses)}",
            )
            for one in rollout.connections
        ],
    )
    yield "Contacts", [("  ", f"{one.name or one.kind}: {one.value}") for one in rollout.contacts]


def _step(step: Step) -> str:
    """A step's text, with whom it is for where it is not for all."""
    return f"{', '.join(step.audience)}: {step.text}" if step.audience else step.text


def _address(connection: Connection) -> str:
    """As far as the paper states it: a port and a network may be missing."""
    port = "port not stated" if connection.port is None else f"port {connection.port}"
    over = f" over {', '.join(connection.networks)}" if connection.networks else ""
    named = f" ({connection.url})" if connection.url else ""
    return f"{connection.host} {port}{over}{named}"
