"""Whether the parts of a rollout that name each other do: ids, services, audiences, sessions.

Gives (path, sentence) pairs, as :mod:`hkex_ops.rollouts.check` does, which calls it. Knows nothing
of time but that the part of a session lies inside the whole.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Protocol

from hkex_ops.model import Rollout, Session, Step, StepMoment

__all__ = ["nearest", "reference_faults"]


class _Named(Protocol):
    @property
    def id(self) -> str: ...


def reference_faults(rollout: Rollout) -> Iterator[tuple[str, str]]:
    """Every name that stands for nothing, or for two things."""
    yield from _ids(rollout)
    yield from _services(rollout)
    yield from _audiences(rollout)
    yield from _step_orders(rollout)
    yield from _parts(rollout)
    yield from _restricted_sessions(rollout)
    yield from _checklist(rollout)


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: the nearest known one, or all of them."""
    words = list(known)
    near = get_close_matches(word, words, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(words) or 'none'}"


def _ids(rollout: Rollout) -> Iterator[tuple[str, str]]:
    rooms: dict[str, Sequence[_Named]] = {
        "phases": rollout.phases,
        "sessions": rollout.sessions,
        "registrations": rollout.registrations,
        "restrictions": rollout.restrictions,
        "requirements": rollout.requirements,
        "retentions": rollout.retentions,
        "report_obligations": rollout.report_obligations,
        "contingencies": rollout.contingencies,
        "exclusive_ways": rollout.exclusive_ways,
        "outages": rollout.outages,
        "credential_rules": rollout.credential_rules,
        "forms": rollout.forms,
        "prerequisites": rollout.prerequisites,
        "announcements": rollout.announcements,
        "fallback.standing": rollout.fallback.standing if rollout.fallback else (),
    }
    for index, form in enumerate(rollout.forms):
        rooms[f"forms[{index}].fields"] = form.fields
    for room, things in rooms.items():
        for index, before in _repeated([thing.id for thing in things]):
            yield (
                f"{room}[{index}].id",
                f"{things[index].id!r} is the id of {room}[{before}] already",
            )


def _services(rollout: Rollout) -> Iterator[tuple[str, str]]:
    spoken = [
        *((f"connections[{n}].service", one.service) for n, one in enumerate(rollout.connections)),
        *(
            (f"sessions[{n}].services[{place}]", service)
            for n, one in enumerate(rollout.sessions)
            for place, service in enumerate(one.services)
        ),
        *((f"{path}.service", step.service) for path, step in _steps(rollout)),
        *((f"restrictions[{n}].service", o.service) for n, o in enumerate(rollout.restrictions)),
        *((f"requirements[{n}].service", o.service) for n, o in enumerate(rollout.requirements)),
        *((f"prerequisites[{n}].service", o.service) for n, o in enumerate(rollout.prerequisites)),
    ]
    for path, service in spoken:
        if service and service not in rollout.services:
            hint = nearest(service, rollout.services)
            yield path, f"{service!r} is not among the rollout's services; {hint}"


def _audiences(rollout: Rollout) -> Iterator[tuple[str, str]]:
    """A misspelt audience would turn a rule into one for nobody."""
    spoken = [
        *((f"sessions[{n}]", one.audience) for n, one in enumerate(rollout.sessions)),
        *((path, step.audience) for path, step in _steps(rollout)),
        *((f"registrations[{n}]", one.audience) for n, one in enumerate(rollout.registrations)),
        *((f"restrictions[{n}]", one.audience) for n, one in enumerate(rollout.restrictions)),
        *((f"requirements[{n}]", one.audience) for n, one in enumerate(rollout.requirements)),
    ]
    for path, audience in spoken:
        for place, one in enumerate(audience):
            if one not in rollout.audience:
                hint = nearest(one, rollout.audience)
                yield (
                    f"{path}.audience[{place}]",
                    f"{one!r} is not among the rollout's audience; {hint}",
                )


def _steps(rollout: Rollout) -> Iterator[tuple[str, Step]]:
    """Every step, with its path."""
    owners = [
        *((f"sessions[{n}]", one.steps) for n, one in enumerate(rollout.sessions)),
        *((f"requirements[{n}]", one.steps) for n, one in enumerate(rollout.requirements)),
    ]
    for path, steps in owners:
        for place, step in enumerate(steps):
            yield f"{path}.steps[{place}]", step


def _step_orders(rollout: Rollout) -> Iterator[tuple[str, str]]:
    first: dict[tuple[str, StepMoment, int], str] = {}
    for path, step in _steps(rollout):
        owner = path.partition(".")[0]
        before = first.setdefault((owner, step.moment, step.order), path)
        if before != path:
            yield f"{path}.order", f"{step.moment} {step.order} is the order of {before} already"


def _parts(rollout: Rollout) -> Iterator[tuple[str, str]]:
    sessions = {one.id: one for one in rollout.sessions}
    for index, part in enumerate(rollout.sessions):
        if part.part_of is None:
            continue
        path = f"sessions[{index}].part_of"
        whole = sessions.get(part.part_of)
        if whole is None:
            hint = nearest(part.part_of, sessions)
            yield path, f"no session is called {part.part_of!r}; {hint}"
        elif _is_part_of_itself(part, sessions):
            yield path, f"session {part.id!r} is a part of itself"
        elif not _lies_inside(part, whole):
            yield (
                f"sessions[{index}].window",
                f"is not inside the window of session {whole.id}, which it is a part of",
            )


def _is_part_of_itself(part: Session, sessions: dict[str, Session]) -> bool:
    outer = part.part_of
    for _ in sessions:
        if outer == part.id:
            return True
        outer = sessions[outer].part_of if outer in sessions else None
    return False


def _lies_inside(part: Session, whole: Session) -> bool:
    """As far as the instants are known."""
    begins, ends = part.window.start.at, part.window.until.at
    first, last = whole.window.start.at, whole.window.until.at
    early = begins is not None and first is not None and begins < first
    late = ends is not None and last is not None and ends > last
    return not early and not late


def _restricted_sessions(rollout: Rollout) -> Iterator[tuple[str, str]]:
    sessions = [one.id for one in rollout.sessions]
    for index, rule in enumerate(rollout.restrictions):
        if rule.session is not None and rule.session not in sessions:
            hint = nearest(rule.session, sessions)
            yield (
                f"restrictions[{index}].session",
                f"no session is called {rule.session!r}; {hint}",
            )


def _checklist(rollout: Rollout) -> Iterator[tuple[str, str]]:
    letters = [group.letter for group in rollout.checklist_groups]
    for index, before in _repeated(letters):
        yield (
            f"checklist_groups[{index}].letter",
            f"{letters[index]!r} is the letter of checklist_groups[{before}] already",
        )
    numbers = [item.number for item in rollout.checklist]
    for index, before in _repeated(numbers):
        yield (
            f"checklist[{index}].number",
            f"{numbers[index]} is the number of checklist[{before}] already",
        )
    for index, item in enumerate(rollout.checklist):
        if item.group not in letters:
            hint = nearest(item.group, letters)
            yield f"checklist[{index}].group", f"no group has the letter {item.group!r}; {hint}"


def _repeated(names: Sequence[Hashable]) -> Iterator[tuple[int, int]]:
    """The places of what stands a second time, each with the place of the first."""
    first: dict[Hashable, int] = {}
    for index, name in enumerate(names):
        before = first.setdefault(name, index)
        if before != index:
            yield index, before
