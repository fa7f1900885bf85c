"""A form from the data file to the PDF on the disk, if the paper allows it now.

Outside its validity a form means nothing, so none is made (`Denied`). After its deadline it is
made, and the lateness is a finding: no paper says that a late form is thrown away, and a desk that
is late wants the form at once, and to know that it is late. Neither is printed with the time it
was made: the page follows from the paper and the data alone. What was made is kept beside the
rollout's journal, so that evidence can show the very form that may have been sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from attrs import frozen

from hkex_ops.config.structuring import document_of, nearest, read_text
from hkex_ops.errors import ConfigError, Denied, UsageError
from hkex_ops.evidence import Record, digest
from hkex_ops.flows.journal import Journal
from hkex_ops.flows.outputs import new_file
from hkex_ops.model import Form, Holding, JsonObject, Rollout
from hkex_ops.render.filling import FilledForm, fill_form
from hkex_ops.render.words import say_bound, say_window

__all__ = [
    "FilledDocument",
    "FormMade",
    "FormState",
    "fill",
    "form_named",
    "form_pdf",
    "form_state",
    "forms_made",
]

EXTRA = "forms"


class FormState(StrEnum):
    """Where a form stands at an instant."""

    OPEN = "open"
    NOT_YET = "not-yet"
    CLOSED = "closed"
    OVERDUE = "overdue"
    UNKNOWN = "unknown"  # the paper does not say when it is valid


@frozen
class FilledDocument:
    """A form that was made. ``finding`` says what a person must know of it, if anything."""

    form: Form
    path: Path
    sha256: str
    size_bytes: int
    state: FormState
    finding: str | None


@frozen
class FormMade:
    """What the journal keeps of a form that was made.

    ``at`` is the moment it was made for, ``recorded`` when it was; ``kept`` is where its copy lies
    beside the journal, ``file`` the name it was given.
    """

    form: str
    at: datetime
    recorded: datetime
    file: str
    kept: str
    sha256: str
    size_bytes: int
    finding: str | None


def form_state(form: Form, at: datetime) -> FormState:
    """Whether ``form`` means anything at ``at``, and whether it is still in time."""
    holding = form.valid.holds(at) if form.valid else Holding.WITHIN
    if holding is Holding.BEFORE:
        return FormState.NOT_YET
    if holding is Holding.AFTER:
        return FormState.CLOSED
    if form.due is not None and form.due.at is not None and at > form.due.at:
        return FormState.OVERDUE
    return FormState.UNKNOWN if holding is Holding.UNKNOWN else FormState.OPEN


def form_named(name: str, rollout: Rollout) -> Form:
    """The form with that id or appendix letter, case ignored; `UsageError` names the nearest."""
    if not rollout.forms:
        raise UsageError(f"the papers of {rollout.id} bring no form")
    wanted = _letter(name)
    names = {_letter(key): form for form in rollout.forms for key in (form.id, form.appendix)}
    if wanted not in names:
        raise UsageError(f"{rollout.id} has no form {name!r}; {nearest(wanted, list(names))}")
    return names[wanted]


def _letter(name: str) -> str:
    return name.casefold().removeprefix("appendix").strip()


def form_pdf(filled: FilledForm, rollout: Rollout) -> bytes:
    """The PDF of ``filled``; `ConfigError` says what to install where the engine is missing."""
    try:
        from hkex_ops.render.form import form_pdf as engine
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"a form is made with {error.name}, which is not installed: "
            f"pip install 'hkex-ops[{EXTRA}]'"
        ) from error
    return engine(filled, paper=_paper(filled.form, rollout))


def fill(
    rollout: Rollout,
    form: Form,
    data: Path,
    out: Path,
    *,
    at: datetime,
    journal: Callable[[], Journal] | None = None,
) -> FilledDocument:
    """Make ``form`` with the values of the TOML file ``data`` and write it to ``out``, a new file.

    A ``journal`` is opened once the form is made, and the form is kept and told there before it
    stands at ``out``. Raises `Denied` outside the form's validity, `ConfigError` with every fault
    of the data file, and `StoreError` where ``out`` is taken or cannot be written; then nothing of
    it is there.
    """
    state = _require_valid(form, at)
    text = read_text(data, what="data file")
    filled = fill_form(form, document_of(text, document=str(data)), document=str(data))
    pdf = form_pdf(filled, rollout)
    finding = _finding(form, state) or _too_soon(form, rollout, at)
    made = FilledDocument(form, out, digest(pdf), len(pdf), state, finding)
    with new_file(out, pdf):
        if journal is not None:
            with journal() as opened:
                _note(opened, made, pdf, at)
    return made


def forms_made(entries: Iterable[Record]) -> tuple[FormMade, ...]:
    """Every form that ``entries`` tell of, in order; one made twice is there twice."""
    return tuple(made for entry in entries if (made := _made(entry)) is not None)


def _note(journal: Journal, made: FilledDocument, pdf: bytes, at: datetime) -> None:
    kept = f"forms/{made.sha256}.pdf"
    journal.keep(kept, pdf)
    told: JsonObject = {
        "form": made.form.id,
        "at": at.isoformat(),
        "file": made.path.name,
        "kept": kept,
        "sha256": made.sha256,
        "size_bytes": made.size_bytes,
        "finding": made.finding,
    }
    journal.record("form-made", told)


def _made(entry: Record) -> FormMade | None:
    match entry.kind, entry.body:
        case "form-made", {
            "form": str(form),
            "at": str(at),
            "file": str(file),
            "kept": str(kept),
            "sha256": str(sealed),
            "size_bytes": int(size),
            "finding": str() | None as finding,
        }:
            when, recorded = datetime.fromisoformat(at), datetime.fromisoformat(entry.at)
            return FormMade(form, when, recorded, file, kept, sealed, size, finding)
        case _:
            return None


def _require_valid(form: Form, at: datetime) -> FormState:
    """Where ``form`` stands at ``at``; `Denied` outside its validity."""
    state = form_state(form, at)
    if form.valid is None or state not in (FormState.NOT_YET, FormState.CLOSED):
        return state
    raise Denied(
        f"filling {form.id}",
        rule=f"the form is valid only {say_window(form.valid)}",
        source=str(form.source),
        until=form.valid.start.at if state is FormState.NOT_YET else None,
    )


def _finding(form: Form, state: FormState) -> str | None:
    if state is FormState.OVERDUE and form.due is not None:
        return (
            f"the form is late: it was due at or before {say_bound(form.due, ends=True)}; "
            "send it at once and tell the addressee"
        )
    if state is FormState.UNKNOWN:
        return "the paper does not say when the form is valid: ask the addressee before sending it"
    return None


def _too_soon(form: Form, rollout: Rollout, at: datetime) -> str | None:
    """A form that declares something done reports on the last session that ends by its deadline."""
    if not form.declaration or form.due is None or form.due.at is None:
        return None
    held = [
        (session.window.start.at, session.name)
        for session in rollout.sessions
        if session.window.start.at is not None
        and session.window.until.at is not None
        and session.window.until.at <= form.due.at
    ]
    if not held or at >= max(held)[0]:
        return None
    opens, name = max(held)
    return (
        f"the form declares what has not begun: {name} opens at {opens:%A %Y-%m-%d %H:%M}; "
        "do not sign it before"
    )


def _paper(form: Form, rollout: Rollout) -> str:
    """The title of the circular that the form's source names."""
    for circular in rollout.circulars:
        if form.source.circular in (circular.reference, circular.title):
            return circular.title
    return form.source.circular
