"""Ticks that somebody published, read from what was kept of them: a file of ticks, or a run.

A file holds one JSON document a line, as the publisher ``json-lines`` and ``--json`` write them;
events between the ticks are passed over. A run's folder, or its ``journal.jsonl``, holds what a run
published. A line that is neither is a fault with its number, and nothing is taken from a file with
one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from hkex_ops.errors import ConfigError, Fault, WireError
from hkex_ops.flows.index.journal import JOURNAL_NAME, read_run_journal
from hkex_ops.flows.index.ticking import TICKS_PUBLISHED, published_in
from hkex_ops.model import IndexTick
from hkex_ops.model.ticks import parse_published

__all__ = ["ticks_in"]

MOST_FAULTS = 20
"""After so many faulty lines a file is taken to be something else altogether."""


def ticks_in(paths: Iterable[Path]) -> Iterator[IndexTick]:
    """The ticks of every file and run folder, one after the other, as they stand in it.

    Raises `ConfigError` for a file that cannot be read or holds something else, and `StoreError`
    for a damaged journal.
    """
    for path in paths:
        journal = path / JOURNAL_NAME if path.is_dir() else path
        if journal.name == JOURNAL_NAME:
            yield from _in_run(journal)
        else:
            yield from _in_file(path)


def _in_run(journal: Path) -> Iterator[IndexTick]:
    if not journal.is_file():
        raise ConfigError(f"there is no run at {journal.parent}: name a run's folder or a file")
    for record in read_run_journal(journal):
        if record.kind == TICKS_PUBLISHED:
            yield from published_in(record.body)


def _in_file(path: Path) -> Iterator[IndexTick]:
    faults: list[Fault] = []
    ticks: list[IndexTick] = []
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    told = parse_published(line)
                except WireError as error:
                    faults.append(Fault(f"line {number}", str(error)))
                    if len(faults) == MOST_FAULTS:
                        break
                    continue
                if isinstance(told, IndexTick):
                    ticks.append(told)
    except FileNotFoundError:
        raise ConfigError(f"there is no file of ticks at {path}: name another") from None
    except OSError as error:
        raise ConfigError(f"the file of ticks {path} cannot be read: {error.strerror}") from error
    if faults:
        raise ConfigError(faults, document=str(path))
    yield from ticks
