"""What an interrupted run left of an evidence folder, read as far as it is whole.

Changes nothing. Called by :meth:`EvidenceFolder.reopen`, and by whoever wants to know what a
``NAME.partial`` is before doing anything about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from hkex_ops.errors import StoreError, WireError
from hkex_ops.evidence import GENESIS, Head, Record, append, bag
from hkex_ops.evidence.chain import parse_record
from hkex_ops.flows.store.disk import Folder

__all__ = ["first_event", "read_info", "whole_records"]


def first_event(partial: Path, events: str) -> Record | None:
    """The event with which the run began that left ``partial``; nothing where there is none."""
    with Folder.open(partial) as root:
        if root.look(bag.PAYLOAD_FOLDER, events) is None:
            return None
        with root.reading(bag.PAYLOAD_FOLDER, events) as file:
            return next(whole_records(file.readall(), partial / bag.PAYLOAD_FOLDER / events), None)


def read_info(root: Folder) -> dict[str, str]:
    """What the bag's description says, label by label; `StoreError` when it cannot be read."""
    with root.reading(bag.BAG_INFO) as file:
        data = file.readall()
    try:
        return dict(bag.parse_info(data))
    except WireError as error:
        raise StoreError(f"is damaged: {error}", path=str(root.path / bag.BAG_INFO)) from error


def whole_records(data: bytes, path: Path) -> Iterator[Record]:
    """The events in whole lines, each judged by the one before; `StoreError` for a damaged one."""
    head = GENESIS
    whole = data[: data.rfind(b"\n") + 1]
    for line in whole.splitlines(keepends=True):
        record = _following(line, head)
        if record is None:
            message = f"is damaged after event {head.sequence}: look at it before anything is done"
            raise StoreError(message, path=str(path))
        yield record
        head = record.head


def _following(line: bytes, head: Head) -> Record | None:
    """The record that a line spells, if it follows from ``head``."""
    try:
        record = parse_record(line)
        again = append(head, datetime.fromisoformat(record.at), record.kind, record.body)
    except ValueError:
        return None
    return record if record == again else None
