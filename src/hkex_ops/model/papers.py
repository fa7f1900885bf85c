"""The papers themselves: who issued what, how it refers to others, whom to ask."""

from __future__ import annotations

from datetime import date

from attrs import frozen

from hkex_ops.model.sources import Source

__all__ = ["Announcement", "Circular", "Contact", "Signatory"]


@frozen
class Signatory:
    """Who signed a circular."""

    name: str
    title: str
    division: str = ""


@frozen
class Circular:
    """One paper. ``issued`` is unknown where the paper bears no date, or only a month.

    ``issued_stated`` keeps the wording then. ``supersedes`` and ``postpones`` name the papers
    whose facts this one replaces or moves; ``copied_to`` is the ``Copy:`` line beside ``To:``.
    """

    title: str
    issuer: str
    source: Source
    reference: str | None = None
    issued: date | None = None
    issued_stated: str = ""
    addressed_to: tuple[str, ...] = ()
    copied_to: tuple[str, ...] = ()
    enquiry: str = ""
    refers_to: tuple[str, ...] = ()
    related_documents: tuple[str, ...] = ()
    enclosures: tuple[str, ...] = ()
    attachments: tuple[str, ...] = ()
    supersedes: tuple[str, ...] = ()
    postpones: tuple[str, ...] = ()
    signatory: Signatory | None = None
    language_clause: str = ""
    notes: tuple[str, ...] = ()


@frozen
class Contact:
    """A way to ask the issuer. ``hours`` is the paper's wording, empty when it gives none."""

    kind: str
    value: str
    source: Source
    name: str = ""
    hours: str = ""


@frozen
class Announcement:
    """Something the issuer states or promises, kept in the paper's words.

    ``on`` is the date it speaks of; ``promise`` marks what the issuer says it will do.
    """

    id: str
    text: str
    source: Source
    on: date | None = None
    promise: bool = False
