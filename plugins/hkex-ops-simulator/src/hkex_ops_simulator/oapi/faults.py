"""What the house and its gateways can be told to do wrong, while they run.

A fault belongs to a *moment*: ``login``, ``logout``, ``password``, ``info-1`` and the other kinds
of information, ``show``, ``subscribe``, ``poll``, ``message``, ``management``, or the code of a
message such as ``CQ10``. What has to be another library is a variant of :mod:`~.build` instead.
"""

from __future__ import annotations

from enum import StrEnum

from attrs import define, field, frozen

__all__ = ["Faults", "PasswordState", "Scripted"]


class PasswordState(StrEnum):
    """How the user's password stands."""

    GOOD = "good"
    ABOUT_TO_EXPIRE = "about-to-expire"  # log-in gives 2028
    MUST_CHANGE = "must-change"  # log-in gives 2027, everything else -2038 until it is changed
    EXPIRED = "expired"  # log-in gives -40


@frozen
class Scripted:
    """One answer that is given instead of the true one.

    With ``whole`` the true answer comes along all the same, under these two numbers.
    """

    status: int
    txstat: int = 0
    whole: bool = False


@define
class Faults:
    """May be changed at any time; what is read next goes by it.

    ``not_ready`` times the user code is not there yet. ``scripted`` answers are used up, one for
    each time their moment comes. At ``cut_at``, when it has come ``cut_after`` times, the gateway
    goes down before it answers, and a ``slow`` moment takes so many seconds. ``short`` and
    ``long`` are codes of answers that lack their last three bytes or have three too many.
    Positions: ``partition_alone`` is the market whose partition answers for itself only,
    ``partition_lost`` the one that cannot be reached. With ``empty_tail`` the last segment has a
    number, and an empty one follows. ``handles``: events are framed with handles however they were
    subscribed to. ``event_room``: more events than that are lost; ``show_length``: the list of
    events is at least so many bytes long. Who says nothing for ``patience_s`` is hung up on.
    """

    not_ready: int = 2
    days_to_expiry: int = 61
    password: PasswordState = PasswordState.GOOD
    scripted: dict[str, list[Scripted]] = field(factory=dict[str, list[Scripted]])
    cut_at: str | None = None
    cut_after: int = 0
    slow: dict[str, float] = field(factory=dict[str, float])
    short: set[str] = field(factory=set[str])
    long: set[str] = field(factory=set[str])
    partition_alone: int | None = None
    partition_lost: int | None = None
    empty_tail: bool = False
    handles: bool = False
    event_room: int = 500
    show_length: int = 0
    patience_s: float | None = None

    def script(self, moment: str, *answers: Scripted) -> None:
        """Give ``answers`` at ``moment``, one after the other, after those scripted before."""
        self.scripted.setdefault(moment, []).extend(answers)

    def cuts(self, moment: str) -> bool:
        """Whether the gateway goes down now, at ``moment``; it does so once."""
        if self.cut_at != moment:
            return False
        self.cut_after -= 1
        if self.cut_after >= 0:
            return False
        self.cut_at, self.cut_after = None, 0
        return True

    def next_script(self, moment: str) -> Scripted | None:
        """The scripted answer for ``moment`` that is used up now."""
        waiting = self.scripted.get(moment)
        return waiting.pop(0) if waiting else None
