"""``hkex-ops evidence verify``: prove a folder whole, offline."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.options import Json
from hkex_ops.cli.text import say, say_count
from hkex_ops.flows.evidence import EvidenceReport, verify_evidence
from hkex_ops.model import plain

__all__ = ["verify"]


def verify(folder: Path, /, *, json: Json = False) -> Answer:
    """Find any changed, missing or added byte of an evidence folder. Exits 1 when there is one.

    Parameters
    ----------
    folder
        The evidence folder, as a rehearsal or a session wrote it.
    """
    report = verify_evidence(folder)
    return Answer(
        {
            "folder": str(folder),
            "files": report.files,
            "events": report.events,
            "seal": report.seal,
            "findings": [plain(finding) for finding in report.findings],
        },
        lambda console: _render(folder, report, console),
        ExitCode.FINDINGS if report.findings else ExitCode.DONE,
    )


def _render(folder: Path, report: EvidenceReport, console: Console) -> None:
    if not report.findings:
        say(console, f"{folder} is whole: {report.files} files, {report.events} events")
        say(console, f"seal {report.seal}")
        return
    say(console, f"{folder} is NOT whole: {say_count(len(report.findings), 'finding')}")
    for finding in report.findings:
        say(console, f"{finding.where}: {finding.message}", lead=f"  {finding.kind.value}: ")
