"""Setting a rule aside, with a reason, a second person and an end: never silently.

An override does not change what the papers say. It is given to
:meth:`hkex_ops.rollouts.guard.Guard.require` beside the question, and the ruling that comes back
carries a :class:`RuleOverridden` for the evidence: who set which rules aside, why, who agreed and
until when. Whether the two people may do so is the participant's own affair; that they are two is
not.
"""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from hkex_ops.errors import UsageError
from hkex_ops.model import ACTIONS, Restriction

__all__ = ["Override", "RuleOverridden"]


@frozen
class Override:
    """Leave to do ``action`` although a rule forbids it, until ``expires`` (aware, exclusive).

    ``by`` asks and ``second`` agrees: two different people, names compared without case and
    blanks. Raises `UsageError` for an unknown act, an empty reason or name, one person twice, or
    an expiry without a zone.
    """

    action: str
    reason: str
    by: str
    second: str
    expires: datetime

    def __attrs_post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise UsageError(f"there is no action {self.action!r} to override")
        for name, value in (("reason", self.reason), ("by", self.by), ("second", self.second)):
            if not value.strip():
                raise UsageError(f"an override of {self.action} needs a {name}: it is empty")
        if _person(self.by) == _person(self.second):
            raise UsageError(f"an override needs a second person, and {self.by} is both")
        if self.expires.tzinfo is None:
            raise UsageError(f"an override expires at an aware instant, not {self.expires}")

    def holds(self, at: datetime) -> bool:
        """Whether it has not expired at ``at``."""
        return at < self.expires


@frozen
class RuleOverridden:
    """A forbidden act was let through at ``at``: the audit record, with every rule set aside."""

    at: datetime
    override: Override
    rules: tuple[Restriction, ...]


def _person(name: str) -> str:
    return "".join(name.split()).casefold()
