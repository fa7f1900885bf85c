"""For whom a fact is: the audiences that papers name, and a person's own among them.

A paper says CP, EP, CCEP; case is the reader's. What names no audience is for everybody. Called by
every question that takes an audience.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from hkex_ops.errors import UsageError
from hkex_ops.model import Rollout

__all__ = ["audience_named", "audiences_of", "concerns"]


def concerns(stated: tuple[str, ...], audience: str | None) -> bool:
    """Whether what is ``stated`` for some is for ``audience``; without one everything is.

    >>> concerns(("EP", "CCEP"), "ccep"), concerns((), "EP"), concerns(("EP",), "CP")
    (True, True, False)
    """
    if audience is None or not stated:
        return True
    return audience.casefold() in {one.casefold() for one in stated}


def audiences_of(rollouts: Iterable[Rollout]) -> tuple[str, ...]:
    """Every audience that the papers name, as they write it, sorted."""
    named: set[str] = set()
    for rollout in rollouts:
        named.update(rollout.audience)
        for session in rollout.sessions:
            named.update(session.audience, *(step.audience for step in session.steps))
        named.update(*(one.audience for one in rollout.registrations))
        named.update(*(one.audience for one in rollout.restrictions))
        named.update(*(one.audience for one in rollout.requirements))
    return tuple(sorted(named))


def audience_named(text: str, rollouts: Iterable[Rollout]) -> str:
    """The audience that ``text`` means, case ignored; `UsageError` names the nearest otherwise.

    A misspelt audience must not turn every rule into one for others.
    """
    known = {one.casefold(): one for one in audiences_of(rollouts)}
    if text.casefold() in known:
        return known[text.casefold()]
    near = get_close_matches(text.casefold(), known, n=1)
    hint = f"did you mean {known[near[0]]}?" if near else f"known: {', '.join(known.values())}"
    raise UsageError(f"no paper names an audience {text!r}; {hint}")
