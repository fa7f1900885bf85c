"""Sessions: when participants connect and check something, and how they sign up for it."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from hkex_ops.model.moments import Bound, Window
from hkex_ops.model.sites import SiteRole
from hkex_ops.model.sources import Source

__all__ = ["Grade", "Registration", "Session", "SessionKind", "Step", "StepAction", "StepMoment"]


class Grade(StrEnum):
    """How binding the paper makes a thing, strongest first."""

    MANDATORY = "mandatory"
    REQUIRED = "required"
    EXPECTED = "expected"
    HIGHLY_RECOMMENDED = "highly-recommended"
    ENCOURAGED = "encouraged"
    OPTIONAL = "optional"
    NOT_NECESSARY = "not-necessary"


class SessionKind(StrEnum):
    """What is held, in the papers' words; their numbering (PRT1, PS2) belongs to the name."""

    CONNECTIVITY = "connectivity-session"
    POST_RELEASE_CONNECTIVITY = "post-release-connectivity-session"
    POST_RELEASE_VERIFICATION = "post-release-verification-session"
    POST_RELEASE_TEST = "post-release-test"
    PRACTICE = "practice-session"
    MARKET_REHEARSAL = "market-rehearsal"
    READINESS_TEST = "readiness-test"
    RECOVERY_DRILL = "recovery-drill"
    FAILOVER = "failover"
    PARALLEL_RUN = "parallel-run"
    FAMILIARISATION = "familiarisation-programme"
    MAINTENANCE = "maintenance-window"
    LIVE = "live-session"


class StepMoment(StrEnum):
    """Where in a session a step belongs."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"


class StepAction(StrEnum):
    """What a step does; the automatic ones run through ports, ``manual`` asks a person."""

    CHECK_ADDRESSES = "check-addresses"
    CHECK_CONFIGURATION = "check-configuration"
    CHECK_CONNECTION = "check-connection"
    LOG_IN = "log-in"
    COMPARE_LISTING = "compare-listing"
    DOWNLOAD = "download"
    LOG_OUT = "log-out"
    MANUAL = "manual"


@frozen
class Step:
    """One thing to do in a session. ``order`` counts from 1 within its moment.

    ``service`` is the one the step works with; the session's first where it is empty.
    ``reports`` are the codes a download takes. A step for some only names its ``audience``.
    """

    order: int
    moment: StepMoment
    action: StepAction
    text: str
    source: Source
    service: str = ""
    reports: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()


@frozen
class Session:
    """A stretch of time in which participants connect and check something.

    ``site`` is unknown where the paper names none; ``site_usable`` is false while none can be
    used, as during a failover. ``part_of`` is the session that this one is a part of: windows
    form a tree. ``condition`` says for whom the grade holds, where it is not for all.
    """

    id: str
    name: str
    kind: SessionKind
    window: Window
    services: tuple[str, ...]
    grade: Grade
    audience: tuple[str, ...]
    source: Source
    site: SiteRole | None = None
    site_label: str = ""
    site_usable: bool = True
    testing_focus: str = ""
    registration: str | None = None
    part_of: str | None = None
    condition: str = ""
    tentative: bool = False
    remarks: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()


@frozen
class Registration:
    """Signing up for something: by ``due`` inclusive, through ``channel``.

    ``returns`` is what the registered get back; ``late_policy`` what becomes of a late one. Two
    registrations for one day are two values: a drill may be registered for system by system.
    """

    id: str
    what: str
    channel: str
    due: Bound
    audience: tuple[str, ...]
    source: Source
    returns: str = ""
    late_policy: str = ""
