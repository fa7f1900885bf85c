"""``hkex-ops reports ready``: does the client point at production, before its next use?"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.options import At, Config, Json, Source, Verbose, parse_at
from hkex_ops.cli.papers import known_papers
from hkex_ops.cli.report_desk import report_desk
from hkex_ops.cli.text import say, say_instant
from hkex_ops.model import Endpoint, plain
from hkex_ops.reports import Readiness, first_use_after, judge_readiness
from hkex_ops.rollouts import directions, services_of

__all__ = ["ready"]


def ready(
    *,
    at: At = None,
    source: Source = None,
    config: Config = None,
    verbose: Verbose = False,
    json: Json = False,
) -> Answer:
    """Check that the client points at production before the next business day's first use.

    For the evening after a drill, and before the first run of every day: the configured site and
    its addresses are held against the papers. Connects to nothing. Exits 1 when it does not.
    """
    desk = report_desk(config, source, verbose=verbose, as_json=json)
    moment = first_use_after(desk.calendar, parse_at(at, desk.clock))
    papers, _ = known_papers(config)
    rollouts = tuple(papers.rollouts.values())
    service, site = desk.configured.service, desk.configured.site
    named = {one.casefold() for one in services_of(rollouts)}
    found = directions(rollouts, service, moment) if service.casefold() in named else None
    judged = judge_readiness(service, moment, site, desk.configured.addresses(site), found)
    return Answer(
        {
            "service": judged.service,
            "first_use": plain(judged.at),
            "ready": judged.ready,
            "site": judged.configured.value,
            "wanted": judged.wanted.value,
            "addresses": _endpoints(judged.addresses),
            "stated": _endpoints(judged.stated),
            "faults": list(judged.faults),
            "unknown": list(judged.unknown),
            "why": judged.why,
        },
        lambda console: _render(judged, console),
        ExitCode.DONE if judged.ready else ExitCode.FINDINGS,
    )


def _endpoints(endpoints: Sequence[Endpoint] | None) -> list[str] | None:
    return None if endpoints is None else [str(one) for one in endpoints]


def _render(judged: Readiness, console: Console) -> None:
    word = "ready" if judged.ready else "NOT READY"
    say(console, f"{judged.service} for its next use, {say_instant(judged.at)}: {word}")
    say(console, f"configured: the {judged.configured} site", indent=2)
    for fault in judged.faults:
        say(console, fault, lead="  wrong: ")
    for unknown in judged.unknown:
        say(console, unknown, lead="  not known: ")
    say(console, judged.why, lead="  why: ")
