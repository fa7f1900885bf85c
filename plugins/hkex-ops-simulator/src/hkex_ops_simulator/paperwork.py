"""What a rehearsal does with the paper itself: rules asked, items ticked, forms made, fallback.

The same guard, machines and flows that the desk's commands use. Answers are *rehearsed*: they are
given in nobody's name and say so, and an item is not ticked when something in its phase went wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from attrs import define, field

from hkex_ops.clock import Clock
from hkex_ops.errors import Denied, StoreError
from hkex_ops.flows.forms import fill
from hkex_ops.model import (
    ChecklistGroup,
    Effect,
    FieldKind,
    Form,
    FormField,
    Json,
    JsonObject,
    Requirement,
    Restriction,
    Rollout,
    Step,
    plain,
)
from hkex_ops.rollouts import Decision, Guard
from hkex_ops.rundown import (
    AnswerNo,
    AnswerYes,
    Checklist,
    Fallback,
    StepResult,
    StepState,
    TickStanding,
)
from hkex_ops_simulator.desk import REHEARSER, rehearsed

__all__ = ["Paperwork"]


@define
class Paperwork:
    """The papers of one rehearsal.

    ``folder`` takes the data files and the forms made; ``keep`` puts a file into the evidence;
    ``troubles`` names the steps of sessions and phases that went wrong so far.
    """

    rollout: Rollout
    folder: Path
    clock: Clock
    keep: Callable[[str, bytes], None]
    troubles: Callable[[Collection[str]], Sequence[str]]
    _checklist: Checklist | None = field(default=None, init=False)

    # -- rules -------------------------------------------------------------------------------

    async def ask(self, rule: Restriction) -> StepResult:
        """Ask to do what ``rule`` speaks of: it passes when the guard answers by that rule."""
        guard, now = Guard([self.rollout]), self.clock.now()
        audience = rule.audience[0] if rule.audience else None
        ruling = guard.may(rule.action, now, audience=audience)
        prohibits = rule.effect is Effect.PROHIBITED
        as_strict = ruling.decision is Decision.DENY or (
            not prohibits and ruling.decision is Decision.LIMITED
        )
        if rule not in ruling.rules or not as_strict:
            word = "denied" if prohibits else "limited"
            return StepResult(
                StepState.FAILED, f"{rule.action} was not {word} at {now.isoformat()}"
            )
        others = {
            one: guard.may(rule.action, now, audience=one).decision.value
            for one in self.rollout.audience
            if one not in rule.audience
        }
        facts: JsonObject = {
            "action": rule.action,
            "decision": ruling.decision.value,
            "audience": list(rule.audience),
            "others": others,
            "until": plain(rule.window.until.at),
            "source": str(rule.source),
        }
        beside = "".join(f"; {one}: {decision}" for one, decision in others.items())
        return StepResult(StepState.PASSED, f"{_answer(rule)}{beside}", facts)

    # -- duties ------------------------------------------------------------------------------

    async def follow(self, demand: Requirement, step: Step) -> StepResult:
        """Rehearse one step of the procedure that a requirement gives."""
        return rehearsed(demand.what, {"requirement": demand.id, "order": step.order})

    async def tick(self, group: ChecklistGroup) -> StepResult:
        """Answer the items of a group: yes, or no where something in its very span went wrong."""
        checklist = self._checklist = self._checklist or Checklist(self.rollout)
        now, wrong = self.clock.now(), ", ".join(self.troubles(self._spanned_by(group)))
        numbers = [one.number for one in self.rollout.checklist if one.group == group.letter]
        for number in numbers:
            remark = f"{REHEARSER}; {wrong} went wrong" if wrong else REHEARSER
            answer = AnswerNo if wrong else AnswerYes
            checklist.handle(answer(number, REHEARSER, now, remark), now)
        facts: JsonObject = {"items": [plain(one) for one in checklist.items(now, group.letter)]}
        if wrong:
            found = f"none of {len(numbers)} items could be ticked: {wrong} went wrong"
            return StepResult(StepState.FAILED, found, facts, REHEARSER)
        listed = f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else f"{numbers[0]}"
        return rehearsed(f"items {listed} answered yes", facts)

    def _spanned_by(self, group: ChecklistGroup) -> tuple[str, ...]:
        """The sessions and phases that the group looks back upon: those of the same window."""
        spans = [(one.id, one.window) for one in self.rollout.sessions]
        spans += [(one.id, one.window) for one in self.rollout.phases]
        return tuple(id for id, window in spans if window == group.window)

    async def refuse_early(self, form: Form) -> StepResult:
        """Try to make a form before it is valid: it passes when it is refused with the reason."""
        try:
            done = await self.make(form)
        except Denied as denied:
            return StepResult(StepState.PASSED, str(denied), {"until": plain(denied.until)})
        return StepResult(StepState.FAILED, f"a form was made before it is valid: {done.found}")

    async def make(self, form: Form) -> StepResult:
        """Make a form with SYNTHETIC values; it is kept in the evidence and sent to nobody.

        A form that declares success is not made when a session went wrong.
        """
        sessions = [session.id for session in self.rollout.sessions]
        wrong = ", ".join(self.troubles(sessions)) if form.declaration else ""
        if wrong:
            return StepResult(StepState.SKIPPED, f"it declares success, and {wrong} went wrong")
        data, out = self.folder / f"{form.id}.toml", self.folder / f"{form.id}.pdf"
        try:
            data.write_text(self._values(form), encoding="utf-8")
            made = fill(self.rollout, form, data, out, at=self.clock.now())
            pdf = out.read_bytes()
        except OSError as error:
            raise StoreError(f"cannot be written: {error}", path=str(self.folder)) from error
        path = f"forms/{form.id}.pdf"
        self.keep(path, pdf)
        facts: dict[str, Json] = {"form": form.id, "file": path, "sha256": made.sha256}
        if made.finding is not None:
            return StepResult(StepState.FAILED, made.finding, facts)
        return rehearsed(f"made with SYNTHETIC values, sent to nobody: {path}", facts)

    async def stand(self) -> StepResult:
        """Tick off everything that must still be standing for the fallback."""
        fallback, now = Fallback(self.rollout), self.clock.now()
        for thing in fallback.plan.standing:
            fallback.handle(TickStanding(thing.id, True, REHEARSER, now), now)
        facts: JsonObject = {
            "plan": fallback.plan.name,
            "standing": [plain(one) for one in fallback.ticked.values()],
        }
        listed = "; ".join(thing.what for thing in fallback.plan.standing)
        return rehearsed(f"{len(fallback.ticked)} things must stand: {listed}", facts)

    def _values(self, form: Form) -> str:
        lines = (
            f"{field.id} = {value}"
            for field in form.fields
            if (value := _value(field, f"{self.clock.now():%Y-%m-%d}"))
        )
        return "\n".join(["# SYNTHETIC", *lines]) + "\n"


def _answer(rule: Restriction) -> str:
    """What the guard says to somebody whom ``rule`` stops or confines."""
    until = rule.window.until.at
    if rule.effect is Effect.PROHIBITED:
        return str(Denied(rule.action, rule=rule.rule, source=str(rule.source), until=until))
    end = "with no end stated" if until is None else f"until {until.isoformat()}"
    way = "only via" if rule.effect is Effect.ONLY_VIA else "limited to"
    who = f"{' and '.join(rule.audience)}: " if rule.audience else ""
    return f"{who}{rule.action} is {way} {rule.limit} {end}: {rule.rule} ({rule.source})"


def _value(field: FormField, today: str) -> str:
    """A SYNTHETIC value as TOML; empty where a person signs or may leave the field out."""
    match field.kind:
        case FieldKind.SIGNATURE:
            return ""
        case FieldKind.USER_IDS:
            return '["SYNTHETIC"]'
        case _ if not field.required:
            return ""
        case FieldKind.CHOICE:
            return f'"{field.choices[0]}"'
        case FieldKind.PHONE:
            return '"+000 0000 0000"'
        case FieldKind.EMAIL:
            return '"synthetic@desk.invalid"'
        case FieldKind.DATE:
            return today
        case FieldKind.TEXT:
            return '"SYNTHETIC"'
