"""What a journal tells of a rollout beside its sessions, gathered for a pack.

Forms made, the checklist, overrides, the fallback and what was noted as done: as values for the
page, and the files that belong to them put into the pack. Called by whoever packs a session or a
whole rollout.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from attrs import frozen

from hkex_ops.evidence import Record
from hkex_ops.flows.checklist import checklist_of
from hkex_ops.flows.clearing.reentering import listed_document, reentry_of
from hkex_ops.flows.evidence import EvidenceFolder
from hkex_ops.flows.fallback import fallback_of
from hkex_ops.flows.forms import FormMade, forms_made
from hkex_ops.flows.happenings import happenings_of
from hkex_ops.flows.journal import Journal
from hkex_ops.flows.overrides import overrides_of, recorded_at
from hkex_ops.flows.packing import kept_file
from hkex_ops.flows.store.names import refusal
from hkex_ops.model import HONG_KONG, Form, Json, JsonObject, Rollout, Session, plain
from hkex_ops.render.pack import (
    PackForm,
    PackHappening,
    PackItem,
    PackNote,
    PackOverride,
    PackPapers,
)
from hkex_ops.rollouts import judge_event
from hkex_ops.rundown import ItemStanding

__all__ = ["Desk", "add_documents", "serves"]

_LET_THROUGH = "rule-overridden"


def serves(form: Form, session: Session, rollout: Rollout) -> bool:
    """Whether ``form`` belongs to ``session``.

    One that is valid in a window belongs to the sessions in it; one that is due reports on the
    last session that ends by its deadline, or, where none does, to every one.
    """
    if form.valid is not None:
        start, until = form.valid.start.at, form.valid.until.at
        begins, ends = session.window.start.at, session.window.until.at
        early = start is not None and ends is not None and ends <= start
        late = until is not None and begins is not None and begins >= until
        return not early and not late
    due = None if form.due is None else form.due.at
    ended = [
        (one.window.until.at, one.id)
        for one in rollout.sessions
        if due is not None and one.window.until.at is not None and one.window.until.at <= due
    ]
    return not ended or max(ended)[1] == session.id


@frozen
class Desk:
    """The journal of ``rollout`` as ``entries`` have it, read for one pack."""

    journal: Journal
    rollout: Rollout
    entries: Sequence[Record]

    def of_session(self, evidence: EvidenceFolder, session: Session, end: datetime) -> PackPapers:
        """What belongs to one session that was over at ``end``; its forms are put into the pack."""
        serving = {one.id for one in self.rollout.forms if serves(one, session, self.rollout)}
        start = session.window.start.at
        overrides = tuple(
            one
            for one in self._overrides()
            if one.standing.granted.at <= end
            and (start is None or one.standing.granted.override.expires > start)
        )
        return PackPapers(
            forms=tuple(self._forms(evidence, serving)),
            overrides=overrides,
            happenings=tuple(one for one in self._happenings() if _on_its_day(one, session)),
        )

    def of_rollout(self, evidence: EvidenceFolder, at: datetime) -> PackPapers:
        """Everything, as it stands at ``at``; every file that belongs to it is put in."""
        rollout, entries = self.rollout, self.entries
        items: tuple[PackItem, ...] = ()
        if rollout.checklist:
            standing = checklist_of(rollout, entries).items(at)
            items = tuple(self._item(evidence, one) for one in standing)
        listed = reentry_of(entries).transactions
        if listed:
            transactions = [listed_document(one) for one in listed]
            evidence.add("reentry.json", {"transactions": list(transactions)})
        return PackPapers(
            forms=tuple(self._forms(evidence, {form.id for form in rollout.forms})),
            items=items,
            overrides=tuple(self._overrides()),
            fallback=fallback_of(rollout, entries) if rollout.fallback else None,
            happenings=tuple(self._happenings()),
            notes=tuple(_notes(entries)),
        )

    def concerning(self, papers: PackPapers) -> Iterator[Record]:
        """The entries that tell of the forms, overrides and events of ``papers``."""
        shas = {one.sha256 for one in papers.forms}
        numbers = {one.standing.granted.number for one in papers.overrides}
        recorded = {one.recorded for one in papers.happenings}
        for entry in self.entries:
            match entry.kind:
                case "form-made":
                    concerns = entry.body.get("sha256") in shas
                case "override-granted" | "override-withdrawn":
                    concerns = entry.body.get("number") in numbers
                case "rule-overridden":
                    concerns = bool(numbers)
                case "event-entered":
                    concerns = datetime.fromisoformat(entry.at) in recorded
                case _:
                    concerns = False
            if concerns:
                yield entry

    def _forms(self, evidence: EvidenceFolder, wanted: Collection[str]) -> Iterator[PackForm]:
        """Each form that was made, the file of it once however often it was made."""
        forms = {one.id: one for one in self.rollout.forms}
        paths: dict[str, str] = {}
        counts: dict[str, int] = {}
        for made in forms_made(self.entries):
            if made.form not in wanted:
                continue
            if made.sha256 not in paths:
                counts[made.form] = count = counts.get(made.form, 0) + 1
                path = f"forms/{made.form}.pdf" if count == 1 else f"forms/{made.form}-{count}.pdf"
                evidence.add(path, kept_file(self.journal, made.kept, made.sha256))
                paths[made.sha256] = path
            yield _form(forms[made.form], made, paths[made.sha256])

    def _item(self, evidence: EvidenceFolder, standing: ItemStanding) -> PackItem:
        files: list[tuple[str, str]] = []
        for one in standing.attached:
            suffix = one.file.path.partition(".")[2]
            name = f"{standing.item.number:02}-{one.file.sha256[:16]}"
            path = f"attachments/{name}.{suffix}" if suffix else f"attachments/{name}"
            if refusal(path.rpartition("/")[2]) is not None:
                path = f"attachments/{name}"
            if path not in evidence.files():
                data = kept_file(self.journal, one.file.path, one.file.sha256)
                evidence.add(path, data)
            files.append((one.file.name, path))
        return PackItem(standing, tuple(files))

    def _happenings(self) -> Iterator[PackHappening]:
        for one in happenings_of(self.entries):
            judged = judge_event(self.rollout, one.at)
            yield PackHappening(one.at, one.what, one.by, one.recorded, judged)

    def _overrides(self) -> Iterator[PackOverride]:
        recorded = recorded_at(self.entries)
        used = [
            (entry.body.get("override"), datetime.fromisoformat(entry.at))
            for entry in self.entries
            if entry.kind == _LET_THROUGH
        ]
        for standing in overrides_of(self.rollout, self.entries).standing:
            stated = plain(standing.granted.override)
            let_through = tuple(at for override, at in used if override == stated)
            when = datetime.fromisoformat(recorded[standing.granted.number])
            yield PackOverride(standing, when, let_through)


def add_documents(evidence: EvidenceFolder, papers: PackPapers) -> None:
    """The same as the page shows, for programs: a JSON file for each thing there is any of."""
    if papers.forms:
        forms: list[Json] = [
            {
                "form": one.form.id,
                "file": one.path,
                "sha256": one.sha256,
                "at": plain(one.at),
                "recorded": plain(one.recorded),
                "finding": one.finding,
            }
            for one in papers.forms
        ]
        evidence.add("forms.json", {"forms": forms})
    if papers.items:
        items: list[Json] = [
            {
                "number": one.standing.item.number,
                "question": one.standing.item.question,
                "state": one.standing.progress.value,
                "answer": plain(one.standing.answered),
                "files": [path for _, path in one.files],
            }
            for one in papers.items
        ]
        evidence.add("checklist.json", {"items": items})
    if papers.overrides:
        evidence.add("overrides.json", {"overrides": [plain(one) for one in papers.overrides]})
    if papers.fallback is not None:
        fallback: JsonObject = {
            "plan": papers.fallback.plan.id,
            "state": papers.fallback.state.value,
            "decided": plain(papers.fallback.decided),
            "standing": [plain(one) for one in papers.fallback.ticked.values()],
        }
        evidence.add("fallback.json", fallback)
    if papers.happenings:
        happenings: list[Json] = [
            {
                "at": plain(one.at),
                "what": one.what,
                "by": one.by,
                "recorded": plain(one.recorded),
                "rules": {judged.rule.id: judged.applies.value for judged in one.judged},
            }
            for one in papers.happenings
        ]
        evidence.add("happenings.json", {"events": happenings})
    if papers.notes:
        evidence.add("notes.json", {"notes": [plain(one) for one in papers.notes]})


def _on_its_day(one: PackHappening, session: Session) -> bool:
    """Whether it happened on a day on which the session is held."""
    bounds = [bound.at for bound in (session.window.start, session.window.until) if bound.at]
    days = [at.astimezone(HONG_KONG).date() for at in bounds]
    return not days or min(days) <= one.at.astimezone(HONG_KONG).date() <= max(days)


def _form(form: Form, made: FormMade, path: str) -> PackForm:
    return PackForm(form, path, made.sha256, made.at, made.recorded, made.finding)


def _notes(entries: Iterable[Record]) -> Iterator[PackNote]:
    for entry in entries:
        match entry.kind, entry.body:
            case "agenda-item-done", {
                "item": str(item),
                "done": bool(done),
                "by": str(by),
                "at": str(at),
                "remark": str(remark),
            }:
                yield PackNote(item, done, by, datetime.fromisoformat(at), remark)
            case _:
                pass
