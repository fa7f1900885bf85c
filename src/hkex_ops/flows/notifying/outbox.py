"""The outbox: what is to be told, on disk before it is sent, and what became of each receiver.

A delivery is *begun* on disk before its adapter is asked, and its receipt is on disk before
anything else is done: whoever is killed between the two leaves it as ``sending``, and so everybody
who comes after knows that it may have been taken. Knows the tables; decides nothing, sends nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from attrs import frozen

from hkex_ops.flows.notifying.tables import OUTBOX_NAME, connect, working
from hkex_ops.flows.store.disk import translating
from hkex_ops.model import Notification, Receipt, plain
from hkex_ops.notifications import (
    Case,
    CaseAcknowledged,
    CaseReached,
    CaseUnanswered,
    CaseUnreached,
    Delivery,
    DeliveryState,
    Held,
    OccurrenceTaken,
    Settle,
    SwitchboardEvent,
    TellingOrdered,
    case_document,
    held_document,
    read_case,
    read_held,
    read_notification,
)

__all__ = ["Claim", "Claimed", "Outbox"]

_CASE_STATES = {
    CaseReached: "reached",
    CaseAcknowledged: "acknowledged",
    CaseUnanswered: "unanswered",
    CaseUnreached: "unreached",
}


@frozen
class Claimed:
    """One delivery that is being sent: its row, its receiver, and how it stands."""

    id: int
    receiver: str
    delivery: Delivery


@frozen
class Claim:
    """One message that is being sent to several receivers at once."""

    channel: str
    notification: Notification
    deliveries: tuple[Claimed, ...]

    @property
    def receivers(self) -> tuple[str, ...]:
        """Whom it goes to, in order."""
        return tuple(one.receiver for one in self.deliveries)


class Outbox:
    """The database of one folder, made when it is not there. Close it."""

    def __init__(self, folder: Path) -> None:
        with translating(folder, "make the folder of the outbox"):
            folder.mkdir(parents=True, exist_ok=True)
        self.folder: Path = folder
        self.path: Path = folder / OUTBOX_NAME
        self._connection: sqlite3.Connection = connect(self.path)

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()

    @contextmanager
    def working(self, *, writing: bool = True) -> Generator[sqlite3.Connection]:
        """Everything inside or nothing; the connection, for whoever reads."""
        with working(self._connection, self.path, writing=writing):
            yield self._connection

    # -- inside `working` ------------------------------------------------------------------------

    def knows(self, key: str) -> bool:
        """Whether anything that bears ``key`` was told."""
        row = self._connection.execute("SELECT 1 FROM keys WHERE key = ?", (key,)).fetchone()
        return row is not None

    def cases(self, ids: Iterable[str]) -> tuple[Case, ...]:
        """Those of the cases ``ids`` that are open."""
        found = (
            self._connection.execute(
                "SELECT snapshot FROM cases WHERE case_id = ? AND snapshot IS NOT NULL", (id,)
            ).fetchone()
            for id in ids
        )
        return tuple(read_case(json.loads(row[0])) for row in found if row is not None)

    def cases_of(self, key: str) -> tuple[str, ...]:
        """The open cases that tell of ``key``."""
        rows = self._connection.execute(
            "SELECT case_id FROM cases WHERE key = ? AND snapshot IS NOT NULL", (key,)
        ).fetchall()
        return tuple(row[0] for row in rows)

    def cases_due(self, now: datetime) -> tuple[str, ...]:
        """The open cases of which something is due."""
        rows = self._connection.execute(
            "SELECT case_id FROM cases WHERE snapshot IS NOT NULL AND due <= ?",
            (now.isoformat(),),
        ).fetchall()
        return tuple(row[0] for row in rows)

    def open_keys(self) -> tuple[str, ...]:
        """What the open cases tell of."""
        rows = self._connection.execute(
            "SELECT DISTINCT key FROM cases WHERE snapshot IS NOT NULL ORDER BY key"
        ).fetchall()
        return tuple(row[0] for row in rows)

    def held(self) -> tuple[Held, ...]:
        """What waits to be told together."""
        rows = self._connection.execute(
            "SELECT snapshot FROM held ORDER BY route, batch"
        ).fetchall()
        return tuple(read_held(json.loads(row[0])) for row in rows)

    def keep(self, cases: Iterable[Case], closed: Iterable[str], held: Iterable[Held]) -> None:
        """Write down how cases stand that were decided, which are closed, and all that waits."""
        for case in cases:
            due = case.due()
            self._connection.execute(
                "UPDATE cases SET snapshot = ?, due = ? WHERE case_id = ?",
                (_text(case_document(case)), None if due is None else due.isoformat(), case.id),
            )
        for id in closed:
            self._connection.execute(
                "UPDATE cases SET snapshot = NULL, due = NULL WHERE case_id = ?", (id,)
            )
        self._connection.execute("DELETE FROM held")
        self._connection.executemany(
            "INSERT INTO held (route, batch, due, snapshot) VALUES (?, ?, ?, ?)",
            [
                (one.route.id, one.batch, one.due.isoformat(), _text(held_document(one)))
                for one in held
            ],
        )

    def write(self, events: Iterable[SwitchboardEvent]) -> tuple[Settle, ...]:
        """Write down what the switchboard told; what is known already of what it ordered."""
        known: list[Settle] = []
        for event in events:
            match event:
                case OccurrenceTaken():
                    self._connection.execute(
                        "INSERT INTO keys (key, at, event) VALUES (?, ?, ?)",
                        (event.key, event.at.isoformat(), event.event),
                    )
                case TellingOrdered():
                    known += self._order(event)
                case CaseReached() | CaseAcknowledged() | CaseUnanswered() | CaseUnreached():
                    self._connection.execute(
                        "UPDATE cases SET state = ?, at = ? WHERE case_id = ?",
                        (_CASE_STATES[type(event)], event.at.isoformat(), event.case),
                    )
                case _:
                    pass
        return tuple(known)

    def _order(self, order: TellingOrdered) -> list[Settle]:
        at, notification = order.at.isoformat(), order.notification
        self._connection.execute(
            "INSERT OR IGNORE INTO cases (case_id, key, state, at) VALUES (?, ?, 'calling', ?)",
            (order.case, notification.key, at),
        )
        message = self._message(notification, at)
        known: list[Settle] = []
        for receiver in order.to:
            self._connection.execute(
                "INSERT OR IGNORE INTO deliveries"
                " (message, key, language, channel, receiver, state, attempts, due)"
                " VALUES (?, ?, ?, ?, ?, 'queued', 0, ?)",
                (
                    message,
                    notification.key,
                    notification.language.value,
                    order.by,
                    receiver,
                    at,
                ),
            )
            row = self._connection.execute(
                "SELECT id, state, attempts, due FROM deliveries"
                " WHERE key = ? AND language = ? AND channel = ? AND receiver = ?",
                (notification.key, notification.language.value, order.by, receiver),
            ).fetchone()
            self._connection.execute(
                "INSERT OR IGNORE INTO orders (delivery, case_id, way, at) VALUES (?, ?, ?, ?)",
                (row[0], order.case, order.way, at),
            )
            settled = _delivery(row[1:]).settled
            if settled is not None:
                known.append(Settle(order.case, order.by, receiver, settled))
        return known

    def _message(self, notification: Notification, at: str) -> int:
        identity = (
            notification.key,
            notification.language.value,
            notification.audience.value,
            notification.template,
        )
        self._connection.execute(
            "INSERT OR IGNORE INTO messages"
            " (key, language, audience, template, rank, at, notification)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*identity, notification.severity.rank, at, _text(plain(notification))),
        )
        row: tuple[int] = self._connection.execute(
            "SELECT id FROM messages"
            " WHERE key = ? AND language = ? AND audience = ? AND template = ?",
            identity,
        ).fetchone()
        return row[0]

    def due(self, channel: str, now: datetime, most: int) -> Claim | None:
        """The gravest message that is due by ``channel``, with up to ``most`` of its receivers."""
        return self._claim(
            "deliveries.state = 'queued' AND channel = ? AND due <= ?",
            (channel, now.isoformat()),
            most,
        )

    def stuck(self, most: int) -> Claim | None:
        """A message that was being sent by somebody who is gone."""
        return self._claim("deliveries.state = 'sending'", (), most)

    def _claim(self, where: str, given: Sequence[object], most: int) -> Claim | None:
        row = self._connection.execute(
            "SELECT message, channel, notification FROM deliveries"
            f" JOIN messages ON messages.id = message WHERE {where}"
            " ORDER BY rank DESC, deliveries.id LIMIT 1",
            given,
        ).fetchone()
        if row is None:
            return None
        message, channel, text = row
        rows = self._connection.execute(
            "SELECT deliveries.id, receiver, state, attempts, due FROM deliveries"
            f" WHERE {where} AND message = ? AND channel = ? ORDER BY deliveries.id LIMIT ?",
            (*given, message, channel, most),
        ).fetchall()
        claimed = tuple(Claimed(row[0], row[1], _delivery(row[2:])) for row in rows)
        return Claim(channel, read_notification(json.loads(text)), claimed)

    def move(self, id: int, delivery: Delivery) -> tuple[Settle, ...]:
        """Write down how a delivery stands; what that means to the cases that wanted it."""
        self._connection.execute(
            "UPDATE deliveries SET state = ?, attempts = ?, due = ? WHERE id = ?",
            (delivery.state.value, delivery.attempts, delivery.due.isoformat(), id),
        )
        settled = delivery.settled
        if settled is None:
            return ()
        rows = self._connection.execute(
            "SELECT case_id, channel, receiver FROM orders"
            " JOIN deliveries ON deliveries.id = delivery WHERE delivery = ?",
            (id,),
        ).fetchall()
        return tuple(Settle(case, by, to, settled) for case, by, to in rows)

    def add_receipt(self, key: str, receipt: Receipt, delivery: int | None = None) -> None:
        """Write down what is known of one attempt, or what a person told by hand."""
        self._connection.execute(
            "INSERT INTO receipts"
            " (key, delivery, channel, receiver, at, outcome, reference, detail, told_by)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                key,
                delivery,
                receipt.channel,
                receipt.receiver,
                receipt.at.isoformat(),
                receipt.outcome.value,
                receipt.reference,
                receipt.detail,
                receipt.told_by,
            ),
        )

    def add_acknowledgement(self, key: str, at: datetime, by: str) -> bool:
        """Write down who has read it; whether that is news."""
        done = self._connection.execute(
            "INSERT OR IGNORE INTO acknowledgements (key, at, by) VALUES (?, ?, ?)",
            (key, at.isoformat(), by),
        )
        return done.rowcount > 0

    def claimed(self, key: str, receiver: str) -> tuple[tuple[str, Claimed], ...]:
        """Every delivery of ``key`` to ``receiver``, with its channel."""
        rows = self._connection.execute(
            "SELECT channel, id, receiver, state, attempts, due FROM deliveries"
            " WHERE key = ? AND receiver = ? ORDER BY id",
            (key, receiver),
        ).fetchall()
        return tuple((row[0], Claimed(row[1], row[2], _delivery(row[3:]))) for row in rows)

    def channels(self) -> tuple[str, ...]:
        """The channels by which something is on its way."""
        rows = self._connection.execute(
            "SELECT DISTINCT channel FROM deliveries WHERE state = 'queued' ORDER BY channel"
        ).fetchall()
        return tuple(row[0] for row in rows)

    def next_due(self) -> datetime | None:
        """When a delivery, a case or a digest is due next."""
        (due,) = self._connection.execute(
            "SELECT min(due) FROM (SELECT due FROM deliveries WHERE state = 'queued'"
            " UNION ALL SELECT due FROM cases WHERE snapshot IS NOT NULL"
            " UNION ALL SELECT due FROM held)"
        ).fetchone()
        return None if due is None else datetime.fromisoformat(due)

    def key_named(self, name: str) -> str | None:
        """The key that ``name`` is, or that message number ``name`` bears."""
        row = self._connection.execute(
            "SELECT key FROM keys WHERE key = ?"
            " UNION ALL SELECT key FROM messages WHERE key = ? OR id = ? LIMIT 1",
            (name, name, int(name) if name.isascii() and name.isdigit() else 0),
        ).fetchone()
        return None if row is None else str(row[0])


def _delivery(row: Sequence[object]) -> Delivery:
    state, attempts, due = row
    assert isinstance(attempts, int), "a column of whole numbers"
    return Delivery(DeliveryState(str(state)), attempts, datetime.fromisoformat(str(due)))


def _text(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, sort_keys=True)
