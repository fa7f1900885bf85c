"""The grammar of report names: a template that reads a name and spells one.

``{house}_{code}_{business_date:YYYYMMDD}[_{instance:hhmm}].csv`` is a name of three fields and one
that may be left out. What lies in square brackets is there as a whole or not at all; a brace or a
bracket that the name itself bears is doubled. Knows nothing of what is expected when: a name is
spelt and read, and reading back what was spelt gives the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from attrs import frozen

from hkex_ops.errors import UsageError
from hkex_ops.reports.dates import DATE_SHAPES, DateForm, parse_business_date, spell_date
from hkex_ops.reports.template import Field, Omissible, Piece, fields_of, pieces_of, touching

__all__ = ["DateForm", "InstanceForm", "NameCase", "NameGrammar", "NameParts", "Told", "Words"]


class InstanceForm(StrEnum):
    """How a name spells which of several of one day it is."""

    HHMM = "hhmm"
    HHMMSS = "hhmmss"
    NUMBER = "number"
    WORD = "word"


class NameCase(StrEnum):
    """Whether capitals matter in a name."""

    EXACT = "exact"
    ANY = "any"


_INSTANCE_SHAPE = {
    InstanceForm.HHMM: "[0-9]{4}",
    InstanceForm.HHMMSS: "[0-9]{6}",
    InstanceForm.NUMBER: "[0-9]+",
    InstanceForm.WORD: "[A-Za-z0-9]+",
}
_OWN = ("house", "code", "business_date", "session", "instance", "part")
Words: TypeAlias = Mapping[str, str]
_NONE: Words = MappingProxyType({})

Told: TypeAlias = tuple[date | None, str | None, str | None, str | None, str | None, str | None]
"""Business date, house, code, session, instance and part, as a name tells them."""


@frozen
class NameParts:
    """What a name tells. ``more`` are the fields that a rule declares itself."""

    business_date: date | None = None
    house: str | None = None
    code: str | None = None
    session: str | None = None
    instance: str | None = None
    part: str | None = None
    more: Words = _NONE


class NameGrammar:
    """One template with the words its fields may be. `UsageError` says what is wrong with it.

    ``sessions`` and ``parts`` give the word by which a name spells each; ``fields`` the regular
    expression of each field of the rule's own, which says nothing about what the report is.
    """

    def __init__(
        self,
        template: str,
        *,
        houses: Sequence[str] = (),
        codes: Sequence[str] = (),
        sessions: Words = _NONE,
        parts: Words = _NONE,
        fields: Words = _NONE,
        case: NameCase = NameCase.EXACT,
    ) -> None:
        self.template: str = template
        self._words: dict[str, Words] = {
            "house": {one: one for one in houses},
            "code": {one: one for one in codes},
            "session": sessions,
            "part": parts,
        }
        self._own = fields
        self._fold = case is NameCase.ANY
        self._pieces = pieces_of(template)
        self._fields = tuple(fields_of(self._pieces))
        faults = list(self._faults())
        if faults:
            raise UsageError("; ".join(faults))
        self._meanings = {
            field: {self._folded(word): meaning for meaning, word in words.items()}
            for field, words in self._words.items()
        }
        form = next((one.form for one in self._fields if one.name == "business_date"), "none")
        self._date_form = DateForm(form)
        flags = re.IGNORECASE if self._fold else 0
        self._pattern = re.compile(self._regex(self._pieces), flags)

    @property
    def names(self) -> tuple[str, ...]:
        """The fields of the template, in order."""
        return tuple(one.name for one in self._fields)

    @property
    def date_form(self) -> DateForm:
        """How the name spells the business date."""
        return self._date_form

    @property
    def instance_form(self) -> InstanceForm | None:
        """How the name spells the instance, where it does."""
        form = next((one.form for one in self._fields if one.name == "instance"), None)
        return None if form is None else InstanceForm(form)

    def parse(self, name: str) -> NameParts | None:
        """What ``name`` tells; nothing when it is not of this grammar."""
        match = self._pattern.fullmatch(name)
        told = None if match is None else self._told(match)
        if match is None or told is None:
            return None
        more = {name: match[name] for name in self._own if match.groupdict().get(name) is not None}
        return NameParts(*told, more or _NONE)

    def told(self, name: str) -> Told | None:
        """The same without a value made of it, and without the fields of the rule's own."""
        match = self._pattern.fullmatch(name)
        return None if match is None else self._told(match)

    def _told(self, match: re.Match[str]) -> Told | None:
        told = match.groupdict()
        day: date | None = None
        spelt = told.get("business_date")
        if spelt is not None:
            day = parse_business_date(spelt, self._date_form)
            if day is None:
                return None
        return (
            day,
            self._meant("house", told),
            self._meant("code", told),
            self._meant("session", told),
            told.get("instance"),
            self._meant("part", told),
        )

    def format(self, parts: NameParts) -> str:
        """The name that tells ``parts``; `UsageError` when a field has no value that fits."""
        spelt = self._spelt(self._pieces, parts)
        if spelt is None:
            missing = [one.name for one in self._fields if self._text(one, parts) is None]
            raise UsageError(f"{self.template} cannot be spelt without {', '.join(missing)}")
        return spelt

    # -- within ------------------------------------------------------------------------------

    def _faults(self) -> Iterator[str]:
        seen: set[str] = set()
        for field in self._fields:
            if field.name in seen:
                yield f"has the field {field.name} twice"
            seen.add(field.name)
            fault = self._fault_of(field)
            if fault is not None:
                yield fault
        yield from touching(self._pieces)

    def _fault_of(self, field: Field) -> str | None:
        name, form = field.name, field.form
        if name == "business_date":
            known = [one.value for one in DateForm if one is not DateForm.NONE]
            if form not in known:
                return f"wants {{business_date:FORM}}, and FORM one of {', '.join(known)}"
        elif name == "instance":
            known = [one.value for one in InstanceForm]
            if form not in known:
                return f"wants {{instance:FORM}}, and FORM one of {', '.join(known)}"
        elif form:
            return f"the field {name} takes no form"
        elif name in self._words:
            if not self._words[name]:
                return f"has a field {name}, and the rule does not say which there are"
            if not all(self._words[name].values()):
                return f"has a field {name} that may be spelt as nothing"
        elif name not in self._own:
            return f"has the unknown field {name!r}, known are {', '.join([*_OWN, *self._own])}"
        return None

    def _regex(self, pieces: Iterable[Piece]) -> str:
        found: list[str] = []
        for piece in pieces:
            match piece:
                case str():
                    found.append(re.escape(piece))
                case Omissible(inner):
                    found.append(f"(?:{self._regex(inner)})?")
                case Field(name):
                    found.append(f"(?P<{name}>{self._shape(piece)})")
        return "".join(found)

    def _shape(self, field: Field) -> str:
        match field.name:
            case "business_date":
                return DATE_SHAPES[DateForm(field.form)]
            case "instance":
                return _INSTANCE_SHAPE[InstanceForm(field.form)]
            case name if name in self._words:
                # The longer word first: one may begin with another.
                words = sorted(self._words[name].values(), key=lambda one: (-len(one), one))
                return "|".join(re.escape(word) for word in words)
            case name:
                return self._own[name]

    def _meant(self, field: str, told: Mapping[str, str | None]) -> str | None:
        spelt = told.get(field)
        return None if spelt is None else self._meanings[field].get(self._folded(spelt))

    def _folded(self, word: str) -> str:
        return word.casefold() if self._fold else word

    def _spelt(self, pieces: Iterable[Piece], parts: NameParts) -> str | None:
        found: list[str] = []
        for piece in pieces:
            match piece:
                case str():
                    found.append(piece)
                case Omissible(inner):
                    found.append(self._spelt(inner, parts) or "")
                case Field():
                    text = self._text(piece, parts)
                    if text is None:
                        return None
                    found.append(text)
        return "".join(found)

    def _text(self, field: Field, parts: NameParts) -> str | None:
        match field.name:
            case "business_date":
                day = parts.business_date
                return None if day is None else spell_date(day, DateForm(field.form))
            case "instance":
                text = parts.instance
            case "house":
                text = self._words["house"].get(parts.house or "")
            case "code":
                text = self._words["code"].get(parts.code or "")
            case "session":
                text = self._words["session"].get(parts.session or "")
            case "part":
                text = self._words["part"].get(parts.part or "")
            case name:
                text = parts.more.get(name)
        if text is None or re.fullmatch(self._shape(field), text) is None:
            return None
        return text
