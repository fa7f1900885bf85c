"""Where must my client point? The connections that rollouts state, chosen by the instant.

Outside sessions the production connection holds. While a session is held its site decides, the
innermost of nested windows before the outer ones; an approximate bound counts at the instant it
states, and the answer says that it does. While no site can be used, as during a failover, there is
no connection and the answer says why. Called by the command line, the rundown and code that is
about to connect; it connects to nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches

from attrs import frozen

from hkex_ops.errors import UsageError
from hkex_ops.model import (
    HONG_KONG,
    Bound,
    Certainty,
    Connection,
    ConnectionUse,
    Grade,
    Holding,
    Rollout,
    Session,
    SiteRole,
    Source,
    Window,
)
from hkex_ops.rollouts.audience import concerns

__all__ = [
    "Directions",
    "directions",
    "host_table",
    "production_connections",
    "service_named",
    "services_of",
    "session_connections",
]

# Stand-ins for the missing ends of one-sided windows, when windows are compared.
_EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)


@frozen
class Directions:
    """Where the clients of a service point at an instant.

    ``site`` is ``None`` while no site can be used. ``connections`` is empty then, and where no
    paper states an address; the first is tried first. ``why`` is a sentence for a person;
    ``rollout``, ``session`` and ``source`` name what decided, where something did.
    """

    service: str
    at: datetime
    site: SiteRole | None
    connections: tuple[Connection, ...]
    why: str
    rollout: str | None = None
    session: str | None = None
    source: Source | None = None


def directions(
    rollouts: Iterable[Rollout], service: str, at: datetime, *, audience: str | None = None
) -> Directions:
    """Where clients of ``service`` point at ``at``.

    A session in progress decides; of several the one of the rollout that was issued last, and
    among its own the innermost. Otherwise the production connection holds. Where several
    rollouts state one, the last that was issued by ``at`` decides. Where none of those was, the
    nearest rollout that speaks of the service does, be it only to say that it states no address:
    an address of a later paper is never put into an earlier time. A rollout whose papers bear no
    full date counts from the first date of its phases and sessions. ``why`` tells all of this.
    Raises `UsageError` for a service no rollout names.
    """
    known = list(rollouts)
    name = service_named(service, known)
    speaking = [rollout for rollout in known if name in rollout.services]
    found = _session_in_progress(speaking, name, at, audience)
    if found is None:
        return _production(speaking, name, at, "")
    rollout, session = found
    if session.site_usable and session.site is None:
        return _production(speaking, name, at, f"session {session.name} names no site; ")
    return _in_session(rollout, session, name, at)


def services_of(rollouts: Iterable[Rollout]) -> tuple[str, ...]:
    """The services that the papers name, as they write them, each once."""
    return tuple(dict.fromkeys(name for rollout in rollouts for name in rollout.services))


def service_named(text: str, rollouts: Iterable[Rollout]) -> str:
    """The service that ``text`` means, case ignored; `UsageError` names the nearest otherwise."""
    known = {one.casefold(): one for one in services_of(rollouts)}
    if text.casefold() in known:
        return known[text.casefold()]
    near = get_close_matches(text.casefold(), known, n=1)
    hint = f"did you mean {known[near[0]]}?" if near else f"known: {', '.join(known.values())}"
    raise UsageError(f"no paper names a service {text!r}; {hint}")


def session_connections(rollout: Rollout, service: str, site: SiteRole) -> tuple[Connection, ...]:
    """The connections of ``service`` at ``site``, the first to try first."""
    return _ordered(c for c in rollout.connections if (c.service, c.site) == (service, site))


def production_connections(rollout: Rollout, service: str) -> tuple[Connection, ...]:
    """The connections that ordinary business uses once the rollout's sessions are over."""
    return _ordered(
        c
        for c in rollout.connections
        if c.service == service and ConnectionUse.PRODUCTION in c.uses
    )


def host_table(connections: Iterable[Connection]) -> tuple[str, ...]:
    """The lines for a workstation's host table: address and name, where the paper gives a name."""
    named = (f"{one.host} {one.host_name}" for one in connections if one.host_name)
    return tuple(dict.fromkeys(named))


def _in_session(rollout: Rollout, session: Session, service: str, at: datetime) -> Directions:
    held = f"session {session.name} of {rollout.id} ({_span(session.window)})"
    stated: tuple[Connection, ...] = ()
    if not session.site_usable or session.site is None:
        focus = f" ({session.testing_focus})" if session.testing_focus else ""
        site, why = None, f"no site can be used during {held}{focus}"
    else:
        site = session.site
        stated = session_connections(rollout, service, site)
        label = f" ({session.site_label})" if session.site_label else ""
        why = f"{held} is held at the {site} site{label}"
        if session.grade not in (Grade.MANDATORY, Grade.REQUIRED):
            why += f"; it is {session.grade}: who stays away stays on the production connection"
        if not stated:
            why += f"; {rollout.id} states no address of {service} there"
    why += _caution(session)
    return Directions(service, at, site, stated, why, rollout.id, session.id, session.source)


def _production(speaking: Sequence[Rollout], service: str, at: datetime, lead: str) -> Directions:
    """What ordinary business uses; without an address it is the primary site's all the same."""
    lead = f"{lead}the production connection holds"
    day = at.astimezone(HONG_KONG).date()
    by_age = sorted(speaking, key=_known_from)
    issued = [one for one in by_age if _known_from(one) <= day]
    stating = [one for one in by_age if production_connections(one, service)]
    known = [one for one in stating if one in issued]
    rollout = known[-1] if known else issued[-1] if issued else by_age[0]
    stated = production_connections(rollout, service)
    if not stated:
        why = f"{lead}, the primary site's, and {rollout.id} states no address of {service}"
        if stating:
            why += f"; the first paper that does is {stating[0].id}, on {_known_from(stating[0])}"
        return Directions(service, at, SiteRole.PRIMARY, (), why, rollout.id)
    why = f"{lead}, as {rollout.id} states it"
    if rollout not in issued:
        why += f", whose first date is {_known_from(rollout)}; no earlier paper speaks of {service}"
    elif len(known) > 1:
        why += f", the last issued by then of the {len(known)} that do"
    return Directions(service, at, stated[0].site, stated, why, rollout.id, None, stated[0].source)


def _session_in_progress(
    rollouts: Iterable[Rollout], service: str, at: datetime, audience: str | None
) -> tuple[Rollout, Session] | None:
    """The session that decides: of the rollout issued last, and there the innermost."""
    held = [
        (rollout, session)
        for rollout, session in _sessions_of(rollouts, service)
        if session.window.holds(at) is Holding.WITHIN
        and session.grade is not Grade.NOT_NECESSARY
        and concerns(session.audience, audience)
    ]
    return max(held, key=_innermost) if held else None


def _innermost(held: tuple[Rollout, Session]) -> tuple[date, int, datetime, timedelta]:
    """Greatest for a part of a part; among equals for what began last, and then ends first."""
    rollout, session = held
    start = session.window.start.at or _EARLIEST
    return _known_from(rollout), _depth(session, rollout), start, _ends_before_all(session)


def _ends_before_all(session: Session) -> timedelta:
    return _LATEST - (session.window.until.at or _LATEST)


def _sessions_of(rollouts: Iterable[Rollout], service: str) -> list[tuple[Rollout, Session]]:
    return [
        (rollout, session)
        for rollout in rollouts
        for session in rollout.sessions
        if service in session.services
    ]


def _depth(session: Session, rollout: Rollout) -> int:
    """How many sessions this one is a part of."""
    by_id = {one.id: one for one in rollout.sessions}
    outer: list[str] = []
    parent = session.part_of
    while parent in by_id and parent not in outer:
        outer.append(parent)
        parent = by_id[parent].part_of
    return len(outer)


def _known_from(rollout: Rollout) -> date:
    """The day from which a rollout is known: when its last paper was issued, or its first date."""
    issued = [circular.issued for circular in rollout.circulars if circular.issued is not None]
    if issued:
        return max(issued)
    windows = [one.window for one in rollout.phases] + [one.window for one in rollout.sessions]
    dated = [bound.at for window in windows for bound in (window.start, window.until) if bound.at]
    return min(dated).astimezone(HONG_KONG).date() if dated else date.min


def _caution(session: Session) -> str:
    bounds = (session.window.start, session.window.until)
    said = ""
    if any(bound.certainty is Certainty.APPROXIMATE for bound in bounds):
        said += "; a time marked ~ is the paper's about, and counts as stated"
    if session.tentative:
        said += "; its date is tentative"
    return said


def _span(window: Window) -> str:
    """A window in a sentence, Hong Kong time; the day once where it is one day."""
    start, until = window.start, window.until
    day = None if start.at is None else start.at.astimezone(HONG_KONG).date()
    return f"{_said(start, None)} to {_said(until, day)}"


def _said(bound: Bound, day: date | None) -> str:
    if bound.at is None:
        return f"{bound.certainty}"
    at = bound.at.astimezone(HONG_KONG)
    about = "~" if bound.certainty is Certainty.APPROXIMATE else ""
    return f"{about}{at:%H:%M}" if at.date() == day else f"{at:%Y-%m-%d} {about}{at:%H:%M}"


def _ordered(connections: Iterable[Connection]) -> tuple[Connection, ...]:
    return tuple(sorted(connections, key=lambda connection: connection.order))
