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
from hkex_ops.render.pack import Outcome, Pack, PackFile, PackListing, PackStep
from hkex_ops.render.summary import summary
from hkex_ops.rundown import (
    Rundown,
    RundownEvent,
    SessionAborted,
    StepFinished,
    StepRefused,
    StepSkipped,
)

__all__ = ["SUMMARY", "add_summary"]

SUMMARY = "summary.html"
"""The payload file that holds the page."""

_LISTINGS = "listings/"


def add_summary(
    evidence: EvidenceFolder, rollout: Rollout, rundown: Rundown, events: Iterable[RundownEvent]
) -> None:
    """Put ``summary.html`` into the payload of ``evidence``, which must be complete otherwise.

    ``events`` are the rundown's, in order; those that end a step become rows, and a step that
    none of them ends is shown as not done. Raises what :meth:`EvidenceFolder.add` raises.
    """
    files = evidence.files()
    pack = Pack(
        rollout=rollout,
        passed=rundown.passed,
        steps=tuple(_steps(rundown, tuple(events))),
        listings=tuple(
            PackListing(path, listing)
            for path in files
            if path.startswith(_LISTINGS) and (listing := _listing(evidence.read(path)))
        ),
        files=tuple(PackFile(path, sha256, size) for path, (sha256, size) in files.items()),
        head=evidence.head,
        info=tuple(evidence.info.items()),
    )
    evidence.add(SUMMARY, summary(pack))


def _steps(rundown: Rundown, events: tuple[RundownEvent, ...]) -> Iterator[PackStep]:
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
                    session, "session aborted", text, Outcome.ABANDONED, at, found, None, by
                )
                continue
            case _:
                continue
        ended.add((step.session, step.id))
        yield PackStep(step.session, step.id, step.text, outcome, at, found, step.source, by)
    for step in rundown.states:
        if (step.session, step.id) not in ended:
            yield PackStep(
                step.session, step.id, step.text, Outcome.NOT_DONE, None, "", step.source
            )


def _listing(content: bytes) -> Listing | None:
    """The folder listing that a file of the pack spells; nothing where it is something else."""
    match parse_object(content.rstrip(b"\n")):
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
