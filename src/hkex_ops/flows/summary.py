"""The summary of an evidence pack, added just before the pack is closed.

Reads the listings back from the pack itself, so that the page shows what is really kept. Nothing
may be added to the pack, and no event recorded, after it: the page would no longer tell all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime

from hkex_ops.evidence import parse_object
from hkex_ops.flows.evidence import EvidenceFolder
from hkex_ops.model import Endpoint, Json, ListedReport, Listing, Rollout, SiteRole
from hkex_ops.render.pack import (
    NO_PAPERS,
    Outcome,
    Pack,
    PackFile,
    PackListing,
    PackPapers,
    PackStep,
)
from hkex_ops.render.summary import summary
from hkex_ops.rundown import (
    RundownEvent,
    RundownStep,
    SessionAborted,
    StepFinished,
    StepRefused,
    StepSkipped,
    Verdict,
)

__all__ = ["SUMMARY", "add_summary", "pack_steps"]

SUMMARY = "summary.html"
"""The payload file that holds the page."""

_LISTINGS = "listings/"


def add_summary(
    evidence: EvidenceFolder,
    rollout: Rollout,
    verdict: Verdict,
    steps: Iterable[PackStep],
    papers: PackPapers = NO_PAPERS,
) -> None:
    """Put ``summary.html`` into the payload of ``evidence``, which must be complete otherwise.

    ``steps`` are rows such as :func:`pack_steps` gives, ``papers`` what was done beside them.
    Raises what :meth:`EvidenceFolder.add` raises.
    """
    files = evidence.files()
    pack = Pack(
        rollout=rollout,
        verdict=verdict,
        steps=tuple(steps),
        listings=tuple(
            PackListing(path, listing)
            for path in files
            if path.startswith(_LISTINGS) and (listing := _listing(evidence.read(path)))
        ),
        files=tuple(PackFile(path, sha256, size) for path, (sha256, size) in files.items()),
        head=evidence.head,
        info=tuple(evidence.info.items()),
        papers=papers,
    )
    evidence.add(SUMMARY, summary(pack))


def pack_steps(
    steps: Iterable[RundownStep], events: Iterable[RundownEvent], group: str = ""
) -> Iterator[PackStep]:
    """The rows of a rundown of ``steps``: one for each event that ended a step or the session, in
    order, then one for every step that none of them ends. ``group`` is their common heading."""
    ended: set[tuple[str, str]] = set()
    for event in events:
        match event:
            case StepFinished(at=at, step=step, state=state, found=found, by=by):
                outcome = Outcome(state.value)
            case StepSkipped(at=at, step=step, reason=found, by=by):
                outcome = Outcome.SKIPPED
            case StepRefused(at=at, step=step, reason=found):
                outcome, by = Outcome.REFUSED, ""
            case SessionAborted(at=at, session=session, reason=found, by=by, abandoned=abandoned):
                text = f"not come to: {', '.join(abandoned)}" if abandoned else ""
                ended |= {(session, id) for id in abandoned}
                yield PackStep(
                    session, "session aborted", text, Outcome.ABANDONED, at, found, None, by, group
                )
                continue
            case _:
                continue
        ended.add((step.session, step.id))
        yield PackStep(step.session, step.id, step.text, outcome, at, found, step.source, by, group)
    for step in steps:
        if (step.session, step.id) not in ended:
            yield PackStep(
                *(step.session, step.id, step.text, Outcome.NOT_DONE, None, "", step.source),
                group=group,
            )


def _listing(content: bytes) -> Listing | None:
    """The folder listing that a file of the pack spells; nothing where it is something else."""
    try:
        stated = parse_object(content.rstrip(b"\n"))
    except ValueError:
        return None
    match stated:
        case {
            "service": str(service),
            "site": str(site),
            "endpoint": {"host": str(host), "port": int(port)},
            "taken_at": str(taken_at),
            "business_date": str(business_date),
            "reports": list(reports),
        }:
            return Listing(
                service,
                SiteRole(site),
                Endpoint(host, port),
                datetime.fromisoformat(taken_at),
                date.fromisoformat(business_date),
                tuple(_reports(reports)),
            )
        case _:
            return None


def _reports(reports: Iterable[Json]) -> Iterator[ListedReport]:
    for report in reports:
        match report:
            case {"name": str(name), "size_bytes": int(size_bytes)}:
                yield ListedReport(name, size_bytes)
            case _:
                pass
