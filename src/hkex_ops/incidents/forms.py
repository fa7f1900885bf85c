"""The forms in which an incident is reported: which sections, in which order, under which headings.

``hsil`` and ``hkex`` are the forms of the two reports of 2010 (Annex 1 and Annex 2 of the paper to
the Legislative Council Panel on Financial Affairs, February 2010); ``full`` has everything that a
log can hold. A form knows where things go and not what they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from attrs import frozen

from hkex_ops.errors import UsageError
from hkex_ops.incidents.entries import ReportStage

__all__ = ["FORMS", "FormSection", "Part", "ReportForm", "form_named", "parts_wanted"]


class Part(StrEnum):
    """A piece of a report that is made from the log."""

    SUMMARY = "summary"
    STATES = "states"
    TIMELINE = "timeline"
    SYSTEMS = "systems"
    BACKGROUND = "background"
    SYSTEM = "system"
    CONTINGENCY = "contingency"
    IMPACT = "impact"
    DECISIONS = "decisions"
    TOLD = "told"
    ENQUIRIES = "enquiries"
    CAUSE = "cause"
    REMEDY = "remedy"
    ACTIONS = "actions"
    REVIEW = "review"
    CONCLUSION = "conclusion"
    REFERENCE = "reference"
    DEADLINES = "deadlines"
    CHRONOLOGY = "chronology"
    CORRECTIONS = "corrections"


@frozen
class FormSection:
    """A heading and what stands under it. ``level`` 3 is a part of the section before."""

    heading: str
    parts: tuple[Part, ...] = ()
    level: int = 2


@frozen
class ReportForm:
    """A form: what the paper is called, its sections, and which paper it is modelled on."""

    id: str
    name: str
    sections: tuple[FormSection, ...]
    source: str = ""


_PLACE = "Legislative Council Panel on Financial Affairs, February 2010"
_HSIL = ReportForm(
    "hsil",
    "Incident report",
    (
        FormSection("1. Background", (Part.BACKGROUND,)),
        FormSection("2. The system", (Part.SYSTEM, Part.SYSTEMS)),
        FormSection("3. Incident summary"),
        FormSection("a. The incident", (Part.SUMMARY, Part.STATES, Part.TIMELINE), 3),
        FormSection("b. The contingency arrangement", (Part.CONTINGENCY, Part.IMPACT), 3),
        FormSection("c. Communication", (Part.TOLD, Part.ENQUIRIES, Part.DECISIONS), 3),
        FormSection(
            "4. Root cause of the incident and actions taken to address the issue",
        ),
        FormSection("a. Root cause", (Part.CAUSE,), 3),
        FormSection("b. Actions", (Part.REMEDY,), 3),
        FormSection("5. Reviews and follow-up actions", (Part.REVIEW, Part.ACTIONS)),
        FormSection("6. Conclusion", (Part.CONCLUSION, Part.DEADLINES)),
        FormSection("Appendix: chronology of key events", (Part.CHRONOLOGY, Part.CORRECTIONS)),
        FormSection("Other information for reference", (Part.REFERENCE,)),
    ),
    f"HSIL's incident report of 2 February 2010 ({_PLACE}, Annex 1)",
)
_HKEX = ReportForm(
    "hkex",
    "Report on a service interruption and its impact on operations",
    (
        FormSection(
            "Summary of the incident", (Part.SUMMARY, Part.STATES, Part.TIMELINE, Part.CONTINGENCY)
        ),
        FormSection(
            "Assessment of the impact on operations",
            (Part.DECISIONS, Part.SYSTEMS, Part.IMPACT, Part.TOLD, Part.ENQUIRIES),
        ),
        FormSection("Cause", (Part.CAUSE, Part.REMEDY)),
        FormSection(
            "Follow-up actions", (Part.REVIEW, Part.ACTIONS, Part.CONCLUSION, Part.DEADLINES)
        ),
        FormSection("Appendix I: details of events", (Part.CHRONOLOGY, Part.CORRECTIONS)),
        FormSection(
            "Appendix II: other information for reference",
            (Part.BACKGROUND, Part.SYSTEM, Part.REFERENCE),
        ),
    ),
    f"HKEx's report of February 2010 ({_PLACE}, Annex 2)",
)
_FULL = ReportForm(
    "full",
    "Incident report",
    (
        FormSection("The incident", (Part.SUMMARY, Part.STATES, Part.TIMELINE, Part.SYSTEMS)),
        FormSection("Background", (Part.BACKGROUND, Part.SYSTEM)),
        FormSection("Contingency and decisions", (Part.CONTINGENCY, Part.DECISIONS)),
        FormSection("Impact", (Part.IMPACT,)),
        FormSection("Who was told", (Part.TOLD,)),
        FormSection("Enquiries received", (Part.ENQUIRIES,)),
        FormSection("Cause and remedy", (Part.CAUSE, Part.REMEDY)),
        FormSection("Follow-up", (Part.REVIEW, Part.ACTIONS)),
        FormSection("Conclusion", (Part.CONCLUSION, Part.DEADLINES)),
        FormSection("Chronology", (Part.CHRONOLOGY, Part.CORRECTIONS)),
        FormSection("Other information", (Part.REFERENCE,)),
    ),
)

FORMS: Mapping[str, ReportForm] = MappingProxyType({one.id: one for one in (_FULL, _HSIL, _HKEX)})
"""Every form, by its name."""

_FIRST_WORD = frozenset(
    {
        Part.SUMMARY,
        Part.STATES,
        Part.TIMELINE,
        Part.SYSTEMS,
        Part.CONTINGENCY,
        Part.IMPACT,
        Part.DECISIONS,
        Part.TOLD,
        Part.ENQUIRIES,
        Part.CAUSE,
        Part.DEADLINES,
        Part.CHRONOLOGY,
        Part.CORRECTIONS,
    }
)
_STAGES: Mapping[ReportStage, frozenset[Part]] = {
    ReportStage.INITIAL: _FIRST_WORD,
    ReportStage.INTERMEDIATE: frozenset(Part) - {Part.CONCLUSION},
    ReportStage.FINAL: frozenset(Part),
}


def form_named(name: str) -> ReportForm:
    """The form called ``name``; `UsageError` names all of them when there is none."""
    if name not in FORMS:
        raise UsageError(f"there is no form {name!r}; known: {', '.join(FORMS)}")
    return FORMS[name]


def parts_wanted(stage: ReportStage) -> frozenset[Part]:
    """What a report of that stage can say: the first one knows no review, only the last ends it."""
    return _STAGES[stage]
