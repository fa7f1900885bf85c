"""What somebody is told, and what became of it for each who was to be told.

A notification is addressed to an audience and bears a key: whoever has taken the key's words once
is not told them again. A receipt is the other side's own word where there is one, or that of the
person who told it by phone; nothing here decides who is told, ``notifications/`` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum

from attrs import field, frozen

from hkex_ops.model.sites import SiteRole

__all__ = [
    "Audience",
    "Language",
    "Notification",
    "Occurrence",
    "Outcome",
    "Receipt",
    "Severity",
]


class Audience(StrEnum):
    """Who is told. A regulator is never kept waiting by quiet hours."""

    DESK = "desk"
    MANAGEMENT = "management"
    CLIENTS = "clients"
    EXCHANGE = "exchange"
    PARTICIPANTS = "participants"
    VENDORS = "vendors"
    ISSUERS = "issuers"
    REGULATOR = "regulator"
    MEDIA = "media"
    PUBLIC = "public"


class Severity(StrEnum):
    """How much hangs on it, from the least to the most."""

    INFORMATION = "information"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Its place among the others, the least being 0."""
        return tuple(Severity).index(self)


class Language(StrEnum):
    """The language of a text, by its tag (RFC 5646)."""

    ENGLISH = "en"
    CHINESE = "zh-Hant"


class Outcome(StrEnum):
    """What became of telling one receiver."""

    TAKEN = "taken"
    REFUSED = "refused"  # and would be no other next time
    DEFERRED = "deferred"  # not taken now; may be tried again
    UNKNOWN = "unknown"  # it may have been taken: a person has to ask


@frozen
class Occurrence:
    """Something that happened and of which somebody may have to be told.

    ``event`` is a name of the catalogue of events (``reports/missing``), ``facts`` what a template
    may say of it. Two with one ``key`` are the same and are told once. Those of one ``batch`` may
    be told together.
    """

    event: str
    key: str
    at: datetime
    severity: Severity
    facts: Mapping[str, str] = field(factory=dict[str, str])
    batch: str = ""
    business_date: date | None = None
    site: SiteRole | None = None
    incident: str = ""

    def __attrs_post_init__(self) -> None:
        if not self.key.strip() or not self.key.isprintable():
            raise ValueError(f"the key {self.key!r} must be one printable line")
        if self.at.tzinfo is None:
            raise ValueError(f"{self.at.isoformat()} has no zone")


@frozen
class Notification:
    """One message to one audience, ready to be read.

    ``key`` says that two of them are the same; ``event`` names what happened, as the catalogue of
    events has it, and ``at`` when. ``template`` is the name and version of what it was written
    from; ``incident`` the incident it belongs to, where it does.
    """

    key: str
    audience: Audience
    severity: Severity
    event: str
    subject: str
    body: str
    at: datetime
    language: Language = Language.ENGLISH
    template: str = ""
    business_date: date | None = None
    site: SiteRole | None = None
    incident: str = ""

    def __attrs_post_init__(self) -> None:
        if not self.key.strip() or not self.key.isprintable():
            raise ValueError(f"the key {self.key!r} must be one printable line")
        if not self.subject.strip() or not self.subject.isprintable():
            raise ValueError(f"the subject {self.subject!r} must be one printable line")
        if self.at.tzinfo is None:
            raise ValueError(f"{self.at.isoformat()} has no zone")


@frozen
class Receipt:
    """What is known of telling one receiver by one channel.

    ``channel`` is the operator's name of the notifier, ``phone`` or another way by hand;
    ``reference`` the other side's own word for it (an SMTP queue id, an HTTP status), ``detail``
    one sentence for a person. ``told_by`` is set where a person entered it.
    """

    channel: str
    receiver: str
    at: datetime
    outcome: Outcome
    reference: str = ""
    detail: str = ""
    told_by: str = ""

    def __attrs_post_init__(self) -> None:
        if not self.receiver.strip():
            raise ValueError("a receipt names its receiver")
        if self.at.tzinfo is None:
            raise ValueError(f"{self.at.isoformat()} has no zone")
