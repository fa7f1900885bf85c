"""``hkex-ops forms``: the forms that the papers bring, and one of them filled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.handing import hand_over
from hkex_ops.cli.options import At, Config, Json, optional_settings, parse_at
from hkex_ops.cli.papers import known_papers
from hkex_ops.cli.text import say, say_bound, say_instant, say_window
from hkex_ops.cli.working import Work, desk_of, now_of
from hkex_ops.errors import Denied
from hkex_ops.flows.forms import (
    FilledDocument,
    FormState,
    fill,
    form_named,
    form_state,
)
from hkex_ops.flows.journal import Journal
from hkex_ops.flows.notifying.streams import occurrence_of_denial
from hkex_ops.model import FieldKind, Form, FormField, JsonObject, Rollout, plain

__all__ = ["fill_", "list_"]

_STATES = {
    FormState.OPEN: "may be sent now",
    FormState.NOT_YET: "is not valid yet",
    FormState.CLOSED: "is no longer valid",
    FormState.OVERDUE: "is overdue",
    FormState.UNKNOWN: "is valid at a time that the paper does not say",
}


def fill_(
    rollout: str,
    form: str,
    /,
    *,
    data: Annotated[Path, Parameter(help="TOML file: a value for each field, by its id.")],
    out: Annotated[
        Path, Parameter(name=["--out", "-o"], help="The PDF to write; never overwritten.")
    ],
    at: At = None,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Make a form as a PDF, the values printed on the page; a copy goes into the journal.

    Exits 3 outside the form's validity; made after its deadline, it exits 1.

    Parameters
    ----------
    rollout
        The rollout's id, such as hkats-dcass-2019.
    form
        The form's id or the letter of its appendix, such as B.
    """
    desk = desk_of(rollout, config, work)
    instant = parse_at(at, desk.clock)
    found = form_named(form, desk.rollout)
    try:
        made = fill(
            desk.rollout,
            found,
            data,
            out,
            at=instant,
            journal=lambda: Journal.open(desk.work, desk.rollout.id, clock=desk.clock),
        )
    except Denied as denied:
        if at is None:  # a question about another time is no act
            told = occurrence_of_denial(denied, instant)
            hand_over(optional_settings(config), desk.clock, lambda: (told,))
        return _denied(desk.rollout, found, denied, instant)
    return Answer(
        _made_document(desk.rollout, made, instant),
        lambda console: _render_made(made, console),
        ExitCode.DONE if made.finding is None else ExitCode.FINDINGS,
    )


def _denied(rollout: Rollout, form: Form, denied: Denied, at: datetime) -> Answer:
    """A refusal by rule is an answer: which rule, from which paper, until when."""
    reason = str(denied)
    return Answer(
        {
            "rollout": rollout.id,
            **_headline(form),
            "at": plain(at),
            "state": form_state(form, at).value,
            "out": None,
            "decision": "deny",
            "rule": denied.rule,
            "until": plain(denied.until),
            "source": plain(form.source),
            "error": {"kind": type(denied).__name__, "message": reason},
        },
        lambda console: say(console, f"DENIED: {reason}"),
        ExitCode.DENIED,
    )


def list_(
    rollout: str | None = None,
    /,
    *,
    at: At = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """List the forms that the papers bring, how they stand now, and the fields of each.

    Parameters
    ----------
    rollout
        Only this rollout's; else all.
    """
    papers, _ = known_papers(config)
    instant = parse_at(at, now_of())
    forms = [(one, form) for one in papers.chosen(rollout) for form in one.forms]
    return Answer(
        {
            "at": plain(instant),
            "forms": [
                {
                    "rollout": one.id,
                    **_headline(form),
                    "state": form_state(form, instant).value,
                    "fields": [_field_document(field) for field in form.fields],
                    "source": plain(form.source),
                }
                for one, form in forms
            ],
        },
        lambda console: _render_list(forms, instant, console),
    )


def _headline(form: Form) -> JsonObject:
    return {
        "form": form.id,
        "name": form.name,
        "appendix": form.appendix or None,
        "addressee": form.addressee,
        "channel": form.channel,
        "address": form.address,
        "due": plain(form.due.at) if form.due else None,
        "valid": plain(form.valid),
    }


def _field_document(field: FormField) -> JsonObject:
    return {
        "id": field.id,
        "label": field.label,
        "kind": field.kind.value,
        "required": field.required,
        "choices": list(field.choices),
        "at_most": field.at_most,
    }


def _made_document(rollout: Rollout, made: FilledDocument, at: datetime) -> JsonObject:
    return {
        "rollout": rollout.id,
        **_headline(made.form),
        "at": plain(at),
        "state": made.state.value,
        "out": str(made.path),
        "sha256": made.sha256,
        "size_bytes": made.size_bytes,
        "findings": [made.finding] if made.finding else [],
        "source": plain(made.form.source),
    }


def _render_made(made: FilledDocument, console: Console) -> None:
    form = made.form
    say(console, f"{made.path}: {form.name}")
    say(console, f"{form.addressee}, by {form.channel}: {form.address}", lead="  to        ")
    _render_times(form, console)
    say(console, made.sha256, lead="  SHA-256   ")
    if made.finding:
        say(console, made.finding, lead="  FINDING   ")


def _render_times(form: Form, console: Console) -> None:
    if form.due:
        say(console, f"at or before {say_bound(form.due, ends=True)}", lead="  due       ")
    if form.valid:
        say(console, f"only {say_window(form.valid)}", lead="  valid     ")


def _render_list(forms: Sequence[tuple[Rollout, Form]], at: datetime, console: Console) -> None:
    if not forms:
        say(console, "no paper that is known brings a form")
    for rollout, form in forms:
        appendix = f" ({form.appendix})" if form.appendix else ""
        say(console, f"{rollout.id} {form.id}{appendix}: {form.name}")
        state = _STATES[form_state(form, at)]
        say(console, f"{say_instant(at)}: it {state}", lead="  state     ")
        say(console, f"{form.addressee}, by {form.channel}: {form.address}", lead="  to        ")
        _render_times(form, console)
        _render_fields(form.fields, console)


def _render_fields(fields: Sequence[FormField], console: Console) -> None:
    width = max(len(field.id) for field in fields) + 2
    for field in fields:
        if field.kind is FieldKind.SIGNATURE:
            continue
        several = f", at most {field.at_most}" if field.at_most > 1 else ""
        optional = "" if field.required else ", may be left out"
        choices = f": {' | '.join(field.choices)}" if field.choices else ""
        say(
            console,
            f"{field.label} ({field.kind.value}{several}{optional}){choices}",
            lead=f"  {field.id:<{width}}",
        )
