"""Ticks that somebody published, read from what was kept of them: a file of ticks, or a run.

A file holds one JSON document a line, as the publisher ``json-lines`` and ``--json`` write them,
ticks and events mixed. A run's folder, or its ``journal.jsonl``, holds what a run published and
what happened to it. A line that is neither is a fault with its number, and nothing is taken from a
file with one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from hkex_ops.errors import ConfigError, Fault, WireError
from hkex_ops.flows.index.journal import JOURNAL_NAME, read_run_journal
from hkex_ops.flows.index.ticking import TICKS_PUBLISHED, published_in
from hkex_ops.model import IndexTick, JsonObject
from hkex_ops.model.ticks import parse_published

__all__ = ["events_in", "is_run", "ticks_in"]

MOST_FAULTS = 20
"""After so many faulty lines a file is taken to be something else altogether."""


def ticks_in(paths: Iterable[Path]) -> Iterator[IndexTick]:
    """The ticks of every file and run folder, one after the other, as they stand in it.

    Raises `ConfigError` for a file that cannot be read or holds something else, and `StoreError`
    for a damaged journal.
    """
    for path in paths:
        if is_run(path):
            yield from _in_run(path)
        else:
            yield from (one for one in _in_file(path) if isinstance(one, IndexTick))


def events_in(paths: Iterable[Path]) -> Iterator[tuple[datetime, JsonObject]]:
    """When something happened besides, and what: events with their name under ``event``.

    Raises as :func:`ticks_in` does.
    """
    for path in paths:
        if is_run(path):
            for record in read_run_journal(_journal_of(path)):
                if record.kind != TICKS_PUBLISHED:
                    at = datetime.fromisoformat(record.at)
                    yield at, {"at": record.at, **record.body, "event": record.kind}
        else:
            for one in _in_file(path):
                if not isinstance(one, IndexTick):
                    yield datetime.fromisoformat(str(one["at"])), one


def is_run(path: Path) -> bool:
    """Whether ``path`` stands for a run: its folder, or the journal in it."""
    return path.is_dir() or path.name == JOURNAL_NAME


def _journal_of(path: Path) -> Path:
    journal = path / JOURNAL_NAME if path.is_dir() else path
    if not journal.is_file():
        raise ConfigError(f"there is no run at {journal.parent}: name a run's folder or a file")
    return journal


def _in_run(path: Path) -> Iterator[IndexTick]:
    for record in read_run_journal(_journal_of(path)):
        if record.kind == TICKS_PUBLISHED:
            yield from published_in(record.body)


def _in_file(path: Path) -> Iterator[IndexTick | JsonObject]:
    faults: list[Fault] = []
    told: list[IndexTick | JsonObject] = []
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    told.append(parse_published(line))
                except WireError as error:
                    faults.append(Fault(f"line {number}", str(error)))
                    if len(faults) == MOST_FAULTS:
                        break
    except FileNotFoundError:
        raise ConfigError(f"there is no file of ticks at {path}: name another") from None
    except OSError as error:
        raise ConfigError(f"the file of ticks {path} cannot be read: {error.strerror}") from error
    if faults:
        raise ConfigError(faults, document=str(path))
    yield from told
