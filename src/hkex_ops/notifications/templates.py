"""Texts in which people are told: one for each event and language, every wording with a version.

A place in braces is filled with a fact of the occurrence; what is not known is said to be unknown
and never left out. The wording with the highest version is the one that is used, and a notification
keeps the name of what it was written from. Knows nothing of files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime

from attrs import frozen

from hkex_ops.errors import UsageError
from hkex_ops.model import (
    HONG_KONG,
    Audience,
    Language,
    Notification,
    Occurrence,
    Severity,
    SiteRole,
)
from hkex_ops.notifications.catalogue import COMMON_FACTS, EVENT_KINDS
from hkex_ops.notifications.meanings import meaning

__all__ = [
    "ANY_EVENT",
    "CHINESE_FACT",
    "Template",
    "Templates",
    "TemplatesFile",
    "faults_of_templates",
]

ANY_EVENT = "*"
"""The event of a wording that serves where an event has none of its own."""

CHINESE_FACT = "_zh"
"""How the name of a fact ends that is another one's Chinese."""

LONGEST_SUBJECT_CHARACTERS = 160
LONGEST_BODY_CHARACTERS = 20_000

_PLACE = re.compile(r"\{(\w+)\}")

_UNKNOWN = {Language.ENGLISH: "unknown", Language.CHINESE: "不詳"}
_SEVERITIES = {
    Language.ENGLISH: {one: one.value for one in Severity},
    Language.CHINESE: {
        Severity.INFORMATION: "一般資訊",
        Severity.MINOR: "輕微",
        Severity.MAJOR: "重大",
        Severity.CRITICAL: "嚴重",
    },
}
_SITES = {
    Language.ENGLISH: {SiteRole.PRIMARY: "primary site", SiteRole.SECONDARY: "secondary site"},
    Language.CHINESE: {SiteRole.PRIMARY: "主站點", SiteRole.SECONDARY: "備用站點"},
}


@frozen
class Template:
    """One wording. With an ``audience`` it is for that one alone."""

    event: str
    language: Language
    version: int
    subject: str
    body: str
    audience: Audience | None = None

    @property
    def name(self) -> str:
        """What a notification says it was written from."""
        whose = f"@{self.audience.value}" if self.audience is not None else ""
        return f"{self.event}{whose} {self.language.value} version {self.version}"


@frozen
class TemplatesFile:
    """A file of wordings."""

    templates: tuple[Template, ...] = ()


class Templates:
    """All wordings that there are."""

    def __init__(self, wordings: Iterable[Template]) -> None:
        self._best: dict[tuple[str, Language, Audience | None], Template] = {}
        for one in wordings:
            place = (one.event, one.language, one.audience)
            if place not in self._best or self._best[place].version < one.version:
                self._best[place] = one

    def of(self, event: str, language: Language, audience: Audience) -> Template:
        """The wording for ``event``: the audience's own, the event's, or the one for any event.

        Raises `UsageError` when there is none for the language at all.
        """
        for place in (
            (event, language, audience),
            (event, language, None),
            (ANY_EVENT, language, audience),
            (ANY_EVENT, language, None),
        ):
            if place in self._best:
                return self._best[place]
        raise UsageError(f"there is no wording in {language.value}, not even for any event")

    def render(
        self, occurrence: Occurrence, audience: Audience, language: Language
    ) -> Notification:
        """``occurrence`` as ``audience`` reads it in ``language``."""
        template = self.of(occurrence.event, language, audience)
        facts = _facts(occurrence, language)

        def filled(text: str) -> str:
            return _PLACE.sub(lambda found: facts.get(found[1]) or _UNKNOWN[language], text)

        return Notification(
            key=occurrence.key,
            audience=audience,
            severity=occurrence.severity,
            event=occurrence.event,
            subject=_one_line(filled(template.subject)),
            body=filled(template.body).strip()[:LONGEST_BODY_CHARACTERS],
            at=occurrence.at,
            language=language,
            template=template.name,
            business_date=occurrence.business_date,
            site=occurrence.site,
            incident=occurrence.incident,
        )


def faults_of_templates(
    wordings: Iterable[Template], shipped: Iterable[Template] = ()
) -> Iterator[tuple[str, str]]:
    """What is wrong with a file of wordings: (path, sentence); ``shipped`` are those it covers."""
    seen: dict[tuple[str, Language, Audience | None, int], str] = {
        _identity(one): "ships with the library" for one in shipped
    }
    for number, one in enumerate(wordings):
        at = f"templates[{number}]"
        if _identity(one) in seen:
            yield (
                f"{at}.version",
                f"version {one.version} of this wording {seen[_identity(one)]}: give another one a "
                "higher version",
            )
        seen[_identity(one)] = f"is templates[{number}] already"
        if one.version < 1:
            yield f"{at}.version", "must be 1 or more"
        if one.event != ANY_EVENT and one.event not in EVENT_KINDS:
            yield f"{at}.event", f"there is no event {one.event!r}; see hkex-ops notify events"
        for key, text in (("subject", one.subject), ("body", one.body)):
            if not text.strip():
                yield f"{at}.{key}", "is empty"
            yield from ((f"{at}.{key}", fault) for fault in _unknown_places(one, text))
        if "\n" in one.subject.strip():
            yield f"{at}.subject", "must be one line"


def _unknown_places(template: Template, text: str) -> Iterator[str]:
    kind = EVENT_KINDS.get(template.event)
    known = {*COMMON_FACTS, *(kind.facts if kind is not None else ("facts",))}
    for found in _PLACE.findall(text):
        if found not in known:
            yield f"{{{found}}} is no fact of {template.event}; known: {', '.join(sorted(known))}"


def _identity(one: Template) -> tuple[str, Language, Audience | None, int]:
    return one.event, one.language, one.audience, one.version


def _facts(occurrence: Occurrence, language: Language) -> Mapping[str, str]:
    """What the places of a wording are filled with; a fact ``NAME_zh`` is ``NAME`` in Chinese."""
    is_chinese = language is Language.CHINESE
    separator = "：" if is_chinese else ": "
    own = {
        name: (is_chinese and occurrence.facts.get(f"{name}{CHINESE_FACT}")) or text
        for name, text in occurrence.facts.items()
        if not name.endswith(CHINESE_FACT)
    }
    site = occurrence.site
    return {
        "facts": "\n".join(f"{name}{separator}{text}" for name, text in own.items() if text),
        **own,
        "at": _instant(occurrence.at, language),
        "business_date": _day(occurrence.business_date, language),
        "event": occurrence.event,
        "incident": occurrence.incident,
        "key": occurrence.key,
        "severity": _SEVERITIES[language][occurrence.severity],
        "site": "" if site is None else _SITES[language][site],
        "what": meaning(occurrence.event, language),
    }


def _instant(at: datetime, language: Language) -> str:
    local = at.astimezone(HONG_KONG)
    if language is Language.CHINESE:
        return f"{_day(local.date(), language)} {local:%H:%M:%S}（香港時間）"
    return f"{local:%Y-%m-%d %H:%M:%S} HKT"


def _day(day: date | None, language: Language) -> str:
    if day is None:
        return ""
    if language is Language.CHINESE:
        return f"{day.year}年{day.month}月{day.day}日"
    return day.isoformat()


def _one_line(text: str) -> str:
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    if len(line) > LONGEST_SUBJECT_CHARACTERS:
        return line[: LONGEST_SUBJECT_CHARACTERS - 1] + "…"
    return line
