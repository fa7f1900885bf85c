"""How everything that was told stands: per receiver what was tried, when, and their own receipt.

Reads the outbox only, so that it can be asked while others write.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from attrs import evolve, frozen

from hkex_ops.flows.notifying.outbox import Outbox
from hkex_ops.flows.notifying.postmark import somebody_delivers
from hkex_ops.model import Notification, Outcome, Receipt
from hkex_ops.notifications import DeliveryState, read_notification

__all__ = ["Told", "ToldReceiver", "acknowledged_of", "standing"]


_OF_KEY = "SELECT id, at, notification FROM messages WHERE key = :key ORDER BY id"

_LATEST = """
    SELECT id, at, notification FROM messages
    WHERE id > (SELECT coalesce(max(id), 0) FROM messages) - :most
       OR id IN (SELECT message FROM deliveries
                 WHERE state IN ('unknown', 'refused', 'given-up', 'sending'))
       OR key IN (SELECT key FROM cases WHERE state IN ('unanswered', 'unreached'))
    ORDER BY id
"""


_FAILED = (DeliveryState.UNKNOWN, DeliveryState.REFUSED, DeliveryState.GIVEN_UP)


@frozen
class ToldReceiver:
    """One receiver of a message: by which channel, why, how it stands, and every attempt.

    ``is_abandoned``: it was being sent by a process that is gone, and may have it.
    """

    channel: str
    receiver: str
    way: str
    state: DeliveryState
    attempts: int
    due: datetime
    receipts: tuple[Receipt, ...]
    is_abandoned: bool = False

    @property
    def wants_a_person(self) -> bool:
        """Whether somebody has to ask, or to find another way, or to deliver again."""
        return self.is_abandoned or self.state in _FAILED


@frozen
class Told:
    """One message: its number, its words, its receivers, and what was told by hand."""

    number: int
    at: datetime
    notification: Notification
    receivers: tuple[ToldReceiver, ...]
    by_hand: tuple[Receipt, ...]
    acknowledgements: tuple[tuple[datetime, str], ...]
    cases: tuple[tuple[str, str], ...]

    @property
    def wants_a_person(self) -> bool:
        """Whether somebody has to ask or call: a receiver may not have it and was not told by hand,
        nobody at all has it, or nobody has acknowledged it who should."""
        told = self._told_by_hand()
        return bool(self.failed_cases) or any(
            one.wants_a_person and one.receiver not in told for one in self.receivers
        )

    @property
    def failed_cases(self) -> tuple[tuple[str, str], ...]:
        """The cases that ended unanswered or unreached, unless somebody has mended it since."""
        has_it = bool(self._told_by_hand()) or any(
            one.state is DeliveryState.TAKEN for one in self.receivers
        )
        mended = {"unanswered": bool(self.acknowledgements), "unreached": has_it}
        return tuple((case, state) for case, state in self.cases if not mended.get(state, True))

    def _told_by_hand(self) -> set[str]:
        return {one.receiver for one in self.by_hand if one.outcome is Outcome.TAKEN}


def standing(outbox: Outbox, key: str | None = None, *, most: int = 200) -> tuple[Told, ...]:
    """The messages of ``key``, or the latest ``most`` of all and every older one that a person has
    to see to, oldest first."""
    with outbox.working(writing=False) as connection:
        rows = connection.execute(
            _OF_KEY if key is not None else _LATEST, {"key": key, "most": most}
        ).fetchall()
        told = [_told(connection, row) for row in rows]
    sending = any(_is_sending(one) for message in told for one in message.receivers)
    if sending and not somebody_delivers(outbox.folder):
        told = [_abandoned(one) for one in told]
    recent = {one.number for one in told[-most:]}
    return tuple(one for one in told if one.number in recent or one.wants_a_person or key)


def _is_sending(receiver: ToldReceiver) -> bool:
    return receiver.state is DeliveryState.SENDING


def _abandoned(told: Told) -> Told:
    """The same, while nobody delivers."""
    return evolve(
        told,
        receivers=tuple(evolve(one, is_abandoned=_is_sending(one)) for one in told.receivers),
    )


def acknowledged_of(outbox: Outbox, key: str) -> tuple[tuple[datetime, str], ...]:
    """Who has acknowledged ``key``, and when, oldest first."""
    with outbox.working(writing=False) as connection:
        return _acknowledgements(connection, key)


def _told(connection: sqlite3.Connection, row: Sequence[object]) -> Told:
    number, at, text = row
    notification = read_notification(json.loads(str(text)))
    key = notification.key
    return Told(
        int(str(number)),
        datetime.fromisoformat(str(at)),
        notification,
        _receivers(connection, number),
        tuple(
            _receipt(one)
            for one in connection.execute(
                "SELECT channel, receiver, at, outcome, reference, detail, told_by FROM receipts"
                " WHERE key = ? AND delivery IS NULL ORDER BY at, id",
                (key,),
            )
        ),
        _acknowledgements(connection, key),
        tuple(
            (str(case), str(state))
            for case, state in connection.execute(
                "SELECT case_id, state FROM cases WHERE key = ? ORDER BY case_id", (key,)
            )
        ),
    )


def _receivers(connection: sqlite3.Connection, number: object) -> tuple[ToldReceiver, ...]:
    rows = connection.execute(
        "SELECT id, channel, receiver, state, attempts, due,"
        " (SELECT way FROM orders WHERE delivery = deliveries.id ORDER BY at LIMIT 1)"
        " FROM deliveries WHERE message = ? ORDER BY id",
        (number,),
    ).fetchall()
    return tuple(
        ToldReceiver(
            str(channel),
            str(receiver),
            str(way),
            DeliveryState(state),
            int(attempts),
            datetime.fromisoformat(due),
            tuple(
                _receipt(one)
                for one in connection.execute(
                    "SELECT channel, receiver, at, outcome, reference, detail, told_by"
                    " FROM receipts WHERE delivery = ? ORDER BY id",
                    (id,),
                )
            ),
        )
        for id, channel, receiver, state, attempts, due, way in rows
    )


def _receipt(row: Sequence[object]) -> Receipt:
    channel, receiver, at, outcome, reference, detail, told_by = (str(one) for one in row)
    return Receipt(
        channel,
        receiver,
        datetime.fromisoformat(at),
        Outcome(outcome),
        reference,
        detail,
        told_by,
    )


def _acknowledgements(connection: sqlite3.Connection, key: str) -> tuple[tuple[datetime, str], ...]:
    return tuple(
        (datetime.fromisoformat(at), str(by))
        for at, by in connection.execute(
            "SELECT at, by FROM acknowledgements WHERE key = ? ORDER BY at", (key,)
        )
    )
