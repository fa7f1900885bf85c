"""``hkex-ops rollouts``: the circulars that are known, as data."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer
from hkex_ops.cli.chapters import chapters
from hkex_ops.cli.options import Config, Json
from hkex_ops.cli.papers import known_papers
from hkex_ops.cli.text import say
from hkex_ops.model import JsonObject, Rollout, Source, plain

__all__ = ["list_", "show"]


def list_(*, config: Config = None, json: Json = False) -> Answer:
    """List the rollouts that are known, with their circulars."""
    papers, _ = known_papers(config)
    rollouts = list(papers.rollouts.values())
    return Answer(
        {"rollouts": [_headline(rollout) for rollout in rollouts]},
        lambda console: _render_list(rollouts, console),
    )


def show(
    rollout: str,
    /,
    *,
    sources: Annotated[
        bool, Parameter(negative="", help="Say of each fact where the paper states it.")
    ] = False,
    config: Config = None,
    json: Json = False,
) -> Answer:
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
    return Answer(document, lambda console: _render(found, console, sources=sources))


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


def _render(rollout: Rollout, console: Console, *, sources: bool) -> None:
    say(console, f"{rollout.title} ({rollout.id})")
    for circular in rollout.circulars:
        issued = f", {circular.issued}" if circular.issued else ""
        say(console, f"{circular.reference or circular.title}, {circular.issuer}{issued}", indent=2)
    own = {one.reference or one.title for one in rollout.circulars[:1]}
    for title, entries in chapters(rollout):
        if entries:
            say(console, title)
        for lead, text, source in entries:
            said = f"{text} {_cited(source, own)}" if sources and source else text
            say(console, said, lead=lead)


def _cited(source: Source, own: Collection[str]) -> str:
    """The place alone where it is in the rollout's own circular."""
    return f"[{source.place}]" if source.circular in own else f"[{source}]"
