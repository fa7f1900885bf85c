"""What is wrong with a catalogue: every fault with its place, as (path, sentence)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hkex_ops.errors import UsageError
from hkex_ops.reports.cadence import Cadence, Due, occurrences
from hkex_ops.reports.catalogue import Catalogue, ReportRule
from hkex_ops.reports.dates import DateForm
from hkex_ops.reports.grammar import InstanceForm

__all__ = ["catalogue_faults", "rule_faults"]

_GROUPS = frozenset({"house", "code", "business_date", "session", "instance", "part"})


def catalogue_faults(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """What is wrong with the rules, as (path, sentence); nothing when all is well."""
    for index, rule in enumerate(catalogue.reports):
        yield from rule_faults(rule, f"reports[{index}]")
    for index, ignored in enumerate(catalogue.ignore):
        groups = _groups(ignored.pattern)
        if isinstance(groups, str):
            yield f"ignore[{index}].pattern", groups
    services = {rule.service for rule in catalogue.reports}
    for index, phase in enumerate(catalogue.phases):
        for key, message in phase.faults():
            yield f"phases[{index}].{key}", message
        if services and phase.service not in services:
            yield f"phases[{index}].service", f"no rule is of the service {phase.service!r}"


def rule_faults(rule: ReportRule, path: str) -> Iterator[tuple[str, str]]:
    """What is wrong with one rule that stands at ``path``."""
    named, faults = _named(rule)
    for key, message in (*faults, *_statement_faults(rule, named)):
        yield f"{path}.{key}", message
    if rule.check is not None:
        for key, message in rule.check.faults(tuple(rule.parts)):
            yield f"{path}.check.{key}", message
    for index, due in enumerate(rule.due):
        for key, message in _due_faults(rule, due, named):
            yield f"{path}.due[{index}].{key}", message


def _named(rule: ReportRule) -> tuple[frozenset[str] | None, list[tuple[str, str]]]:
    """The fields that the rule's names have, or none where they cannot be told; and the faults."""
    if rule.name:
        if rule.pattern:
            return None, [("pattern", "says again what name says: leave one out")]
        if rule.date_form is not None:
            return None, [("date_form", "goes with pattern: a name says {business_date:FORM}")]
        faults = [
            (f"fields.{key}", groups)
            for key, text in rule.fields.items()
            if isinstance(groups := _groups(text), str)
        ]
        faults += [
            (f"fields.{key}", "must have no group of its own")
            for key, text in rule.fields.items()
            if not isinstance(_groups(text), str) and re.compile(text).groups
        ]
        if faults:
            return None, faults
        try:
            return frozenset(rule.grammar.names), []
        except UsageError as error:
            return None, [("name", one) for one in str(error).split("; ")]
    if not rule.pattern:
        return None, [("name", "is missing: write how the reports are named, or a pattern")]
    groups = _groups(rule.pattern)
    if isinstance(groups, str):
        return None, [("pattern", groups)]
    faults = [
        ("pattern", f"unknown group {one!r}; known: {', '.join(sorted(_GROUPS))}")
        for one in sorted(groups - _GROUPS)
    ]
    if rule.date_form is None:
        faults.append(("date_form", 'is missing: say how the date is spelt, or "none"'))
    elif "business_date" not in groups and rule.date_form is not DateForm.NONE:
        faults.append(("pattern", "needs a group named business_date"))
    return groups, faults


def _statement_faults(rule: ReportRule, named: frozenset[str] | None) -> Iterator[tuple[str, str]]:
    for key, stated in (("house", rule.stated_house), ("code", rule.stated_code)):
        if named is not None and key not in named and stated is None:
            yield key, "is stated neither here nor by a field of the name"
    if not rule.codes:
        yield "codes", "names no code, so the rule would never know a name"
    elif rule.code is not None and rule.code not in rule.codes:
        yield "code", f"{rule.code!r} is not among the rule's codes, so it would never be known"
    if named is not None and rule.parts and "part" not in named:
        yield "parts", "are stated, and no field of the name says which part a file is"
    if len(rule.parts) == 1:
        yield "parts", "is a set of one: name every file that makes it whole"
    for key, words in (("sessions", rule.sessions), ("parts", rule.parts)):
        if len({word.casefold() for word in words.values()}) < len(words):
            yield key, "spells two of them by one word"


def _due_faults(
    rule: ReportRule, due: Due, named: frozenset[str] | None
) -> Iterator[tuple[str, str]]:
    yield from due.faults()
    yield from _strangers("codes", due.codes, rule.codes)
    if rule.known_houses:
        yield from _strangers("houses", due.houses, rule.known_houses)
    if due.on is not Cadence.UNSCHEDULED and "house" in (named or ()) and not rule.known_houses:
        yield "houses", "cannot be told: the rule does not list its houses"
    if due.session is not None and rule.sessions and due.session not in rule.sessions:
        yield "session", f"{due.session!r} is none of the rule's sessions"
    if named is None or not (times := occurrences(due)) or len(times) < 2:
        return
    if "instance" not in named:
        yield "times", "are several, and no field of the name says which one a file is"
    elif rule.name and not due.instances:
        form = rule.grammar.instance_form
        if form not in (None, InstanceForm.HHMM, InstanceForm.HHMMSS):
            yield "instances", f"is missing: a name spells a {form}, and not the time"


def _strangers(key: str, stated: Sequence[str], known: Sequence[str]) -> Iterator[tuple[str, str]]:
    strange = [one for one in stated if one not in known]
    if strange:
        yield key, f"{', '.join(strange)} not of the rule; known: {', '.join(known)}"


def _groups(pattern: str) -> frozenset[str] | str:
    """The named groups of a pattern, or a sentence that says why it is none."""
    try:
        return frozenset(re.compile(pattern).groupindex)
    except re.error as error:
        return f"is no regular expression: {error}"
