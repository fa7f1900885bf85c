"""What participants fill in and tick off: forms, checklists, prerequisites of a workstation."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from hkex_ops.model.moments import Bound, Window
from hkex_ops.model.sessions import Grade
from hkex_ops.model.sources import Source

__all__ = [
    "ChecklistGroup",
    "ChecklistItem",
    "FieldKind",
    "Form",
    "FormField",
    "Prerequisite",
]


class FieldKind(StrEnum):
    """What a form's field takes."""

    TEXT = "text"
    CHOICE = "choice"
    PHONE = "phone"
    EMAIL = "email"
    USER_IDS = "user-ids"
    SIGNATURE = "signature"
    DATE = "date"


@frozen
class FormField:
    """One field of a form; ``at_most`` bounds how many values a field of several takes."""

    id: str
    label: str
    kind: FieldKind
    required: bool = True
    choices: tuple[str, ...] = ()
    at_most: int = 1


@frozen
class Form:
    """A form to be returned: where to, by when, valid when, signed how.

    ``due`` is inclusive. Outside ``valid`` the form means nothing; without it the form is valid
    at any time. ``grade`` says how binding it is to return the form at all.
    """

    id: str
    name: str
    appendix: str
    purpose: str
    addressee: str
    channel: str
    address: str
    fields: tuple[FormField, ...]
    source: Source
    grade: Grade | None = None
    due: Bound | None = None
    valid: Window | None = None
    fax: str = ""
    signature: str = ""
    declaration: str = ""
    notes: tuple[str, ...] = ()


@frozen
class ChecklistGroup:
    """The items of one phase; they are to be answered by the end of ``window``."""

    letter: str
    title: str
    window: Window
    source: Source


@frozen
class ChecklistItem:
    """One yes-or-no question. ``cut_off`` marks a text that the paper's copy breaks off."""

    number: int
    group: str
    question: str
    source: Source
    cut_off: bool = False


@frozen
class Prerequisite:
    """What must be in place before something else works: a browser version, a host entry."""

    id: str
    what: str
    value: str
    rule: str
    service: str
    source: Source
    due: Bound | None = None
