"""Setting a rule aside: with a reason, a second person and an end, and never silently.

An override does not change what the papers say. A guard that is given one still says "denied",
and its ruling carries a :class:`RuleOverridden` for the evidence: who set which rules aside, why,
who agreed and until when. Whether the two people may do so is the participant's own affair; that
they are two is not.
"""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from hkex_ops.errors import UsageError
from hkex_ops.model import Restriction
from hkex_ops.rollouts.acts import require_action

__all__ = ["Override", "RuleOverridden"]


@frozen
class Override:
    """Leave to do ``action`` although a rule forbids it, from ``since`` until ``expires``.

    Both are aware; the end is exclusive, and without a ``since`` it has always held. ``by`` asks
    and ``second`` agrees: two different people, names compared without case and blanks. Raises
    `UsageError` for an unknown act, an empty reason or name, one person twice, a time without a
    zone, or an end that does not lie after the beginning.
    """

    action: str
    reason: str
    by: str
    second: str
    expires: datetime
    since: datetime | None = None

    def __attrs_post_init__(self) -> None:
        require_action(self.action)
        said = {"reason": self.reason, "first person": self.by, "second person": self.second}
        for name, value in said.items():
            if not value.strip():
                raise UsageError(f"an override of {self.action} needs a {name}: say which")
        if _person(self.by) == _person(self.second):
            raise UsageError(f"an override needs a second person, and {self.by} is both")
        for at in (self.expires, self.since):
            if at is not None and at.utcoffset() is None:
                raise UsageError(f"an override holds between aware instants, and {at} is none")
        if self.since is not None and self.expires <= self.since:
            raise UsageError(
                f"an override of {self.action} until {self.expires.isoformat()} would be over "
                f"before it begins, at {self.since.isoformat()}: give it a later end"
            )

    def holds(self, at: datetime) -> bool:
        """Whether it has begun and not expired at ``at``."""
        return (self.since is None or self.since <= at) and at < self.expires


@frozen
class RuleOverridden:
    """A forbidden act was let through at ``at``: the audit record, with every rule set aside."""

    at: datetime
    override: Override
    rules: tuple[Restriction, ...]


def _person(name: str) -> str:
    return "".join(name.split()).casefold()
