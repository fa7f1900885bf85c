"""``hkex-ops reports verify``: the archive and its second copy, held against the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.options import Config, Json, config_path, system_clock
from hkex_ops.cli.report_desk import open_archive
from hkex_ops.cli.text import SHOWN, say, say_count, say_more
from hkex_ops.config.settings import load_settings
from hkex_ops.evidence import Finding, FindingKind
from hkex_ops.flows.keeping import verified_copy
from hkex_ops.flows.store import CopyVerified
from hkex_ops.model import plain

__all__ = ["verify"]

_TO_PUT_BACK = (FindingKind.CHANGED, FindingKind.MISSING, FindingKind.UNREADABLE)


def verify(
    *,
    deep: Annotated[
        bool, Parameter(negative="--shallow", help="Read every file again, not only names.")
    ] = True,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Find any changed, missing or added file and any changed, removed or reordered ledger row.

    Where the archive has a second copy, that is held against the ledger too.
    """
    settings = load_settings(config_path(config))
    place = settings.required_archive()
    with open_archive(settings, system_clock(), read_only=True) as archive:
        own = archive.verify(deep=deep)
        of_copy = verified_copy(place, archive, deep=deep)
        files = sum(1 for _ in archive.recorded()) if not own else None
    findings = (*own, *of_copy.findings)
    copy = None if place.copy is None else str(place.copy.folder or place.copy.url)
    return Answer(
        {
            "archive": str(place.folder),
            "copy": copy,
            "records": files,
            "findings": [plain(finding) for finding in findings],
            "copy_mended_by_next_fetch": of_copy.noted,
        },
        lambda console: _render_verify(place.folder, files, own, copy, of_copy, console),
        ExitCode.FINDINGS if findings else ExitCode.DONE,
    )


def _render_verify(
    folder: Path,
    files: int | None,
    own: Sequence[Finding],
    copy: str | None,
    of_copy: CopyVerified,
    console: Console,
) -> None:
    """The archive, and then its copy: what is wrong with one is not said of the other."""
    if own:
        say(console, f"{folder} is NOT whole: {say_count(len(own), 'finding')}")
    else:
        say(console, f"{folder} is whole: {files} ledger records of files, chain intact")
    _say_findings(own, console)
    if copy is None:
        return
    if of_copy.findings:
        count = say_count(len(of_copy.findings), "finding")
        word = "whole" if of_copy.whole_way else "verified"
        say(console, f"its copy {copy} is NOT {word}: {count}")
    else:
        say(console, f"its copy {copy} agrees with {'the ledger' if own else 'it'}")
    if not of_copy.findings and any(one.kind in _TO_PUT_BACK for one in own):
        say(console, "a file that was changed or is missing can be put back from there", indent=2)
    _say_findings(of_copy.findings, console)
    if of_copy.noted:
        say(console, "the next fetch writes them again from the archive", indent=2)


def _say_findings(findings: Sequence[Finding], console: Console) -> None:
    for finding in findings[:SHOWN]:
        say(console, f"{finding.where}: {finding.message}", lead=f"  {finding.kind.value}: ")
    say_more(console, len(findings))
