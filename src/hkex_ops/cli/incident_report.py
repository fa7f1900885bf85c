"""``hkex-ops incident report``: an incident told in a form, as a page, a text, a PDF or JSON."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.incident_asking import action_document, deadline_document
from hkex_ops.cli.incident_compare import row_document
from hkex_ops.cli.incident_options import Room, entry_document, room_of
from hkex_ops.cli.options import Config, Json, parse_at
from hkex_ops.cli.text import say, say_count
from hkex_ops.cli.working import Work
from hkex_ops.config.structuring import nearest
from hkex_ops.errors import UsageError
from hkex_ops.flows.incidents.reporting import ReportFormat, rendered, report_of
from hkex_ops.flows.outputs import write_new_file
from hkex_ops.incidents import (
    IncidentReport,
    IssueReport,
    Note,
    ReportStage,
    Standing,
    TimeTold,
    form_named,
)
from hkex_ops.model import JsonObject, plain

__all__ = ["report", "report_document"]


def report(
    id: str,
    /,
    *,
    format: Annotated[str, Parameter(help="html, md, pdf or json.")] = ReportFormat.MARKDOWN.value,
    form: Annotated[
        str, Parameter(help="full; hsil or hkex: the sections of the reports of 2010.")
    ] = "full",
    stage: Annotated[
        str, Parameter(help="initial, intermediate or final.")
    ] = ReportStage.INTERMEDIATE.value,
    out: Annotated[
        Path | None,
        Parameter(name=["--out", "-o"], help="The file to write; never overwritten. Else stdout."),
    ] = None,
    issued_by: Annotated[
        str, Parameter(help="Note in the log that this person hands the report out now.")
    ] = "",
    at: Annotated[
        str | None, Parameter(help="As of when deadlines are judged; now, if left out.")
    ] = None,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Report an incident: timeline, states, impact, who was told, who asked, cause, actions.

    What the report lacks for its stage stands in it, and the command exits 1 then. A PDF wants
    --out.

    Parameters
    ----------
    id
        The incident's id.
    """
    room = room_of(config, work)
    made = parse_at(at, room.clock)
    kind = ReportFormat(_word(format, [one.value for one in ReportFormat], "format"))
    of_stage = ReportStage(_word(stage, [one.value for one in ReportStage], "stage"))
    found = report_of(
        room.store,
        id,
        form_named(form),
        of_stage,
        made,
        settings=room.incidents,
        calendar=room.calendar,
    )
    code = ExitCode.FINDINGS if found.missing else ExitCode.DONE
    if kind is ReportFormat.JSON:
        return _as_json(found, out, issued_by, room, code, json=json)
    if out is None and (json or kind is ReportFormat.PDF):
        raise UsageError(f"a report as {kind} is a file of its own here: name it, with --out")
    data = rendered(found, kind)
    if out is None:
        _issued(room, found, issued_by)
        return Answer(report_document(found), lambda console: _write(console, data.decode()), code)
    write_new_file(out, data)
    _issued(room, found, issued_by)
    document: JsonObject = {
        **_headline(found, kind),
        "out": str(out),
        "size_bytes": len(data),
        "missing": list(found.missing),
    }
    return Answer(document, lambda console: _render(found, kind, out, console), code)


def report_document(found: IncidentReport) -> JsonObject:
    """The whole report for programs: everything that the other formats say."""
    view = found.view
    return {
        **_headline(found, ReportFormat.JSON),
        "title": view.title,
        "business_date": plain(view.business_date),
        "severity": view.severity.value,
        "state": view.state.value,
        "owners": list(view.owners),
        "affected": list(view.affected),
        "unaffected": list(view.unaffected),
        "organisation": found.organisation,
        "made": plain(found.made),
        "seal": found.head.digest,
        "moments": [
            {"state": one.state.value, "when": plain(one.when), "entry": one.number}
            for one in view.moments
        ],
        "chronology": [{"entry": int(row.id), **row_document(row)} for row in found.chronology],
        "told": [_standing(one) for one in found.told()],
        "enquiries": {
            "by_kind": dict(view.enquiries),
            "rows": [_standing(one) for one in found.enquiries()],
        },
        "figures": [_standing(one) for one in found.figures()],
        "notes": [_standing(one) for one in view.holding if isinstance(one.what, Note)],
        "actions": [action_document(one) for one in view.actions],
        "deadlines": [deadline_document(one) for one in found.deadlines],
        "corrections": [entry_document(entry) for _, entry in found.corrections()],
        "missing": list(found.missing),
    }


def _headline(found: IncidentReport, kind: ReportFormat) -> dict[str, str]:
    return {
        "incident": found.view.id,
        "stage": found.stage.value,
        "form": found.form.id,
        "format": kind.value,
    }


def _standing(one: Standing) -> JsonObject:
    what = plain(one.what)
    assert isinstance(what, dict), "contents are attrs classes"
    return {
        "entry": one.number,
        "when": plain(one.when),
        "teller": one.teller,
        "text": one.text,
        **what,
    }


def _as_json(
    found: IncidentReport,
    out: Path | None,
    issued_by: str,
    room: Room,
    code: ExitCode,
    *,
    json: bool,
) -> Answer:
    import json as json_library

    document = report_document(found)
    text = json_library.dumps(document, ensure_ascii=False, indent=2) + "\n"
    if out is not None:
        write_new_file(out, text.encode())
    _issued(room, found, issued_by)
    if out is None or json:
        return Answer(document, lambda console: _write(console, text), code)
    return Answer(document, lambda console: _render(found, ReportFormat.JSON, out, console), code)


def _issued(room: Room, found: IncidentReport, by: str) -> None:
    if by:
        now = TimeTold.exactly(room.clock.now())
        what = IssueReport(found.stage)
        text = f"The {found.stage} report was handed out, in the form {found.form.id}."
        room.enter(found.view.id, room.given(what, text, by, now, None))


def _write(console: Console, text: str) -> None:
    # Not by the console: it would break lines and read brackets as signs of its own.
    del console
    sys.stdout.write(text)


def _render(found: IncidentReport, kind: ReportFormat, out: Path, console: Console) -> None:
    say(console, f"{found.stage} report of {found.view.id} as {kind}: {out}")
    if found.missing:
        say(console, f"{say_count(len(found.missing), 'thing')} missing:")
        for one in found.missing:
            say(console, one, lead="  ")


def _word(text: str, known: list[str], what: str) -> str:
    if text not in known:
        raise UsageError(f"there is no {what} {text!r}; {nearest(text, known)}")
    return text
