"""A catalogue: what the names in a report folder mean, and what is expected when.

What a service's names are is seldom public, so a catalogue is a file that the operator keeps;
shipped are the names that are public and examples for the rest. A rule spells its names by a
template or, where none fits, by a regular expression with named groups; what a rule does not name
by a field it states for all names it matches.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from functools import cached_property, lru_cache

from attrs import Factory, frozen

from hkex_ops.errors import UsageError
from hkex_ops.model import ReportIdentity
from hkex_ops.reports.cadence import CataloguePhase, Due, Obligation
from hkex_ops.reports.completeness import ContentCheck, Packing
from hkex_ops.reports.dates import DateForm, parse_business_date
from hkex_ops.reports.grammar import NameCase, NameGrammar, NameParts, Told

__all__ = ["Audience", "Catalogue", "IgnoreRule", "Include", "NameReading", "ReportRule"]


class Audience(StrEnum):
    """Whose a report is."""

    OWN = "own"  # the participant's own
    COMMON = "common"  # the same for everybody


@frozen(slots=False)
class ReportRule:
    """Reports that are named alike.

    ``name`` is the template of the name, or ``pattern`` a regular expression for the whole of it
    with the date as ``date_form`` says. ``codes`` lists the report codes that are known to exist,
    so that asking for another is an error; where the name has no field for house or code it is the
    one that is stated. ``parts`` are the files of one set and the words by which names spell them:
    a set is accepted whole or not at all. ``due`` says when it is expected; a rule without is never
    missed.
    """

    service: str
    pattern: str = ""
    date_form: DateForm | None = None
    codes: tuple[str, ...] = ()
    house: str | None = None
    code: str | None = None
    name: str = ""
    houses: tuple[str, ...] = ()
    case: NameCase = NameCase.EXACT
    sessions: Mapping[str, str] = Factory(dict[str, str])
    parts: Mapping[str, str] = Factory(dict[str, str])
    fields: Mapping[str, str] = Factory(dict[str, str])
    audience: Audience = Audience.OWN
    title: str = ""
    source: str = ""
    confirmed: bool = True
    packed: Packing = Packing.NONE
    check: ContentCheck | None = None
    due: tuple[Due, ...] = ()
    obligation: Obligation | None = None

    @property
    def known_houses(self) -> tuple[str, ...]:
        """The clearing houses that the rule names."""
        return self.houses or ((self.house,) if self.house is not None else ())

    @cached_property
    def known_codes(self) -> frozenset[str]:
        """The codes once more, to look one up among hundreds."""
        return frozenset(self.codes)

    @cached_property
    def stated_house(self) -> str | None:
        """The house of all its names, where it states one."""
        return self.house or (self.houses[0] if len(self.houses) == 1 else None)

    @cached_property
    def stated_code(self) -> str | None:
        """The code of all its names, where it states one."""
        return self.code or (self.codes[0] if len(self.codes) == 1 else None)

    @cached_property
    def grammar(self) -> NameGrammar:
        """The grammar of a rule with a template; `UsageError` says what is wrong with it."""
        return NameGrammar(
            self.name,
            houses=self.known_houses,
            codes=self.codes,
            sessions=self.sessions,
            parts=self.parts,
            fields=self.fields,
            case=self.case,
        )

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern, re.IGNORECASE if self.case is NameCase.ANY else 0)

    @cached_property
    def _has_date(self) -> bool:
        return self.date_form not in (None, DateForm.NONE)

    @cached_property
    def _day_of(self) -> Callable[[str], date | None]:
        """A folder spells few dates and many names: each date is worked out once."""
        form = self.date_form or DateForm.NONE

        def day_of(text: str) -> date | None:
            return parse_business_date(text, form)

        return lru_cache(maxsize=1024)(day_of)

    def read(self, name: str) -> NameParts | None:
        """What ``name`` tells by this rule; nothing when it is none of its names."""
        if self.name:
            return self.grammar.parse(name)
        told = self.told(name)
        return None if told is None else NameParts(*told)

    def told(self, name: str) -> Told | None:
        """The same without a value made of it, for whoever reads a whole folder."""
        if self.name:
            return self.grammar.told(name)
        match = self._compiled.fullmatch(name)
        if match is None:
            return None
        told = match.groupdict()
        day: date | None = None
        if self._has_date:
            day = self._day_of(told.get("business_date") or "")
            if day is None:
                return None
        spelt = told.get("part")
        if spelt is None:
            part = None
        else:
            part = next((part for part, word in self.parts.items() if word == spelt), None)
        get = told.get
        return day, get("house"), get("code"), get("session"), get("instance"), part


@frozen
class IgnoreRule:
    """Names in the folder that are no reports, and why."""

    pattern: str
    reason: str


@frozen
class Include:
    """A shipped catalogue of public facts, taken in as reports of ``service``."""

    catalogue: str
    service: str | None = None


@frozen
class NameReading:
    """What a name means: which report, which part of its set, by which rule."""

    identity: ReportIdentity
    rule: ReportRule
    part: str | None = None


@frozen(slots=False)
class Catalogue:
    """Name rules, the first that matches decides; and the phases in which fewer reports come.

    ``example`` says that it is one: nothing in it is a fact about any service.
    """

    reports: tuple[ReportRule, ...] = ()
    title: str = ""
    ignore: tuple[IgnoreRule, ...] = ()
    phases: tuple[CataloguePhase, ...] = ()
    include: tuple[Include, ...] = ()
    example: bool = False

    @cached_property
    def _ignored(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(rule.pattern) for rule in self.ignore)

    @cached_property
    def _by_service(self) -> Mapping[str, tuple[ReportRule, ...]]:
        found: dict[str, tuple[ReportRule, ...]] = {}
        for rule in self.reports:
            found[rule.service] = (*found.get(rule.service, ()), rule)
        return found

    def read(self, service: str, name: str, folder_date: date | None = None) -> NameReading | None:
        """What the file called ``name`` is, or nothing when no rule knows it.

        ``folder_date`` is the business date of the folder, where a name has none.
        """
        for rule in self._by_service.get(service, ()):
            told = rule.told(name)
            if told is None:
                continue
            day, house, code, session, instance, part = told
            day = day or folder_date
            house, code = house or rule.stated_house, code or rule.stated_code
            if day is None or house is None or code is None or code not in rule.known_codes:
                continue
            if rule.parts and part is None:
                continue
            identity = ReportIdentity(service, house, code, day, session, instance)
            return NameReading(identity, rule, part)
        return None

    def identify(
        self, service: str, name: str, folder_date: date | None = None
    ) -> ReportIdentity | None:
        """What the report called ``name`` is, or nothing when no rule knows it."""
        found = self.read(service, name, folder_date)
        return None if found is None else found.identity

    def ignores(self, name: str) -> bool:
        """Whether ``name`` is stated to be no report."""
        return bool(self._ignored) and any(pattern.fullmatch(name) for pattern in self._ignored)

    def of_service(self, service: str) -> tuple[ReportRule, ...]:
        """The rules for ``service``, in order."""
        return self._by_service.get(service, ())

    def codes(self, service: str) -> Sequence[str]:
        """The codes known for ``service``, each once, in the catalogue's order."""
        known = (code for rule in self.of_service(service) for code in rule.codes)
        return tuple(dict.fromkeys(known))

    def require_codes(self, service: str, codes: Sequence[str]) -> None:
        """`UsageError` when one of ``codes`` is none that is known for ``service``."""
        known = self.codes(service)
        unknown = [code for code in codes if code not in known]
        if unknown:
            raise UsageError(
                f"unknown report code {', '.join(unknown)}; the catalogue knows {', '.join(known)}"
            )
