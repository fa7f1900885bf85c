"""A catalogue: what the names in a report folder mean.

No name grammar of the Report Retrieval Solution is public, so a catalogue is a file that the
operator keeps; the simulator brings one for its invented names. A rule is a regular expression
with named groups; what a rule does not name by a group it states for all names it matches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from enum import StrEnum
from functools import cached_property

from attrs import frozen

from hkex_ops.errors import UsageError
from hkex_ops.model import ReportIdentity

__all__ = ["Catalogue", "DateForm", "IgnoreRule", "ReportRule"]

_GROUPS = frozenset({"house", "code", "business_date", "session", "instance"})


class DateForm(StrEnum):
    """How a name spells its business date."""

    YYYYMMDD = "YYYYMMDD"
    DDMMYYYY = "DDMMYYYY"
    YYMMDD = "yymmdd"


# Where year, month and day stand in each form, in ASCII digits only. A two-digit year is of this
# century: the exchange's files that carry one began after 2000.
_SPELLING = {
    DateForm.YYYYMMDD: re.compile(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"),
    DateForm.DDMMYYYY: re.compile(r"(?P<day>[0-9]{2})(?P<month>[0-9]{2})(?P<year>[0-9]{4})"),
    DateForm.YYMMDD: re.compile(r"(?P<year>[0-9]{2})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"),
}


@frozen
class ReportRule:
    """One name grammar: the whole name must match ``pattern``.

    ``codes`` lists the report codes that are known to exist, so that asking for another is an
    error; ``house`` and ``code`` serve where the pattern has no group of that name.
    """

    service: str
    pattern: str
    date_form: DateForm
    codes: tuple[str, ...]
    house: str | None = None
    code: str | None = None


@frozen
class IgnoreRule:
    """Names in the folder that are no reports, and why."""

    pattern: str
    reason: str


@frozen(slots=False)
class Catalogue:
    """Name rules, the first that matches decides."""

    reports: tuple[ReportRule, ...]
    title: str = ""
    ignore: tuple[IgnoreRule, ...] = ()

    @cached_property
    def _compiled(self) -> tuple[tuple[ReportRule, re.Pattern[str]], ...]:
        return tuple((rule, re.compile(rule.pattern)) for rule in self.reports)

    @cached_property
    def _ignored(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(rule.pattern) for rule in self.ignore)

    def identify(self, service: str, name: str) -> ReportIdentity | None:
        """What the report called ``name`` is, or nothing when no rule knows it."""
        for rule, pattern in self._compiled:
            match = pattern.fullmatch(name) if rule.service == service else None
            if match is None:
                continue
            named = match.groupdict()
            day = _date(named["business_date"], rule.date_form)
            house, code = named.get("house") or rule.house, named.get("code") or rule.code
            if day is None or house is None or code is None or code not in rule.codes:
                continue
            return ReportIdentity(
                service, house, code, day, named.get("session"), named.get("instance")
            )
        return None

    def ignores(self, name: str) -> bool:
        """Whether ``name`` is stated to be no report."""
        return any(pattern.fullmatch(name) for pattern in self._ignored)

    def codes(self, service: str) -> Sequence[str]:
        """The codes known for ``service``, each once, in the catalogue's order."""
        known = (code for rule in self.reports if rule.service == service for code in rule.codes)
        return tuple(dict.fromkeys(known))

    def require_codes(self, service: str, codes: Sequence[str]) -> None:
        """`UsageError` when one of ``codes`` is none that is known for ``service``."""
        known = self.codes(service)
        unknown = [code for code in codes if code not in known]
        if unknown:
            raise UsageError(
                f"unknown report code {', '.join(unknown)}; the catalogue knows {', '.join(known)}"
            )

    def faults(self) -> Iterator[tuple[str, str]]:
        """What is wrong with the rules, as (path, sentence)."""
        for index, rule in enumerate(self.reports):
            path = f"reports[{index}]"
            groups = _groups(rule.pattern)
            if isinstance(groups, str):
                yield f"{path}.pattern", groups
                continue
            for unknown in sorted(groups - _GROUPS):
                yield (
                    f"{path}.pattern",
                    f"unknown group {unknown!r}; known: {', '.join(sorted(_GROUPS))}",
                )
            if "business_date" not in groups:
                yield f"{path}.pattern", "needs a group named business_date"
            for key, stated in (("house", rule.house), ("code", rule.code)):
                if key not in groups and stated is None:
                    yield f"{path}.{key}", "is stated neither here nor by a group of the pattern"
            if not rule.codes:
                yield f"{path}.codes", "names no code, so the rule would never know a name"
            elif rule.code is not None and rule.code not in rule.codes:
                yield (
                    f"{path}.code",
                    f"{rule.code!r} is not among the rule's codes, so it would never be known",
                )
        for index, ignored in enumerate(self.ignore):
            groups = _groups(ignored.pattern)
            if isinstance(groups, str):
                yield f"ignore[{index}].pattern", groups


def _groups(pattern: str) -> frozenset[str] | str:
    """The named groups of a pattern, or a sentence that says why it is none."""
    try:
        return frozenset(re.compile(pattern).groupindex)
    except re.error as error:
        return f"is no regular expression: {error}"


def _date(text: str | None, form: DateForm) -> date | None:
    match = _SPELLING[form].fullmatch(text or "")
    if match is None:
        return None
    year = int(match["year"]) + (2000 if form is DateForm.YYMMDD else 0)
    try:
        return date(year, int(match["month"]), int(match["day"]))
    except ValueError:
        return None
