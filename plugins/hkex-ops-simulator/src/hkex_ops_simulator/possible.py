"""Which rollouts can be rehearsed: what a rehearsal needs of a paper and cannot make up.

A session without a time cannot be put on a clock that jumps, and one client cannot be at two sites
at once. Everything that is missing is told at once, so that whoever wrote the file mends it once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from hkex_ops.errors import UsageError
from hkex_ops.model import Rollout, Session, SiteRole
from hkex_ops_simulator.planning import PREPARATION

__all__ = ["held_sessions", "require_rehearsable", "site_of"]


def held_sessions(rollout: Rollout) -> tuple[Session, ...]:
    """The sessions that are held as such; one whose parts are sessions themselves is not."""
    wholes = {one.part_of for one in rollout.sessions}
    return tuple(one for one in rollout.sessions if one.id not in wholes)


def site_of(session: Session) -> SiteRole | None:
    """Where its clients point; without a stated site, where the production connection leads.

    Nowhere in particular while no site can be used.
    """
    return session.site or (SiteRole.PRIMARY if session.site_usable else None)


def require_rehearsable(rollout: Rollout) -> None:
    """`UsageError` with everything for which ``rollout`` cannot be rehearsed."""
    sessions = held_sessions(rollout)
    if not sessions:
        raise UsageError(f"{rollout.id} states no session to rehearse")
    missing = [*_without_time(sessions)]
    if not missing:
        missing += _at_two_sites(sessions)
    if missing:
        raise UsageError(f"{rollout.id} cannot be rehearsed: {'; '.join(missing)}")


def _without_time(sessions: Sequence[Session]) -> Iterator[str]:
    for one in sessions:
        for bound, word in ((one.window.start, "begins"), (one.window.until, "ends")):
            if bound.at is None:
                yield f"the paper does not say when session {one.id} {word}"


def _at_two_sites(sessions: Sequence[Session]) -> Iterator[str]:
    """Sessions at different sites between which nobody could change the client's addresses."""
    held = [one for one in sessions if site_of(one) is not None]
    held.sort(key=_start)
    for place, one in enumerate(held):
        for later in held[place + 1 :]:
            ends = one.window.until.at
            assert ends is not None, "every session has its times"
            if site_of(later) is not site_of(one) and _start(later) - PREPARATION < ends:
                minutes = PREPARATION.seconds // 60
                yield (
                    f"sessions {one.id} and {later.id} are held at two sites with less than "
                    f"{minutes} minutes between them, and one client cannot be at both"
                )


def _start(session: Session) -> datetime:
    start = session.window.start.at
    assert start is not None, "every session has its times"
    return start
