"""Both books of a comparison on the disk as lines, and in the order of their keys.

A side is read once, from a file or a gateway, and written as lines to a folder that is gone
afterwards; sorting then takes a bounded piece of it at a time. What is wrong with a side is found
before anything is concluded from it.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from hkex_ops.flows.store.disk import translating

__all__ = ["PIECE_LINES", "scratch_folder", "sha256_of", "sorted_lines", "spooled", "written_lines"]

PIECE_LINES = 200_000
"""Lines that are sorted at a time, some 60 MB of them; further pieces wait on the disk."""

MERGED_FILES = 64
"""Pieces that are merged at a time, each an open file."""

SAFE = "nothing was written but temporary files"


@contextmanager
def scratch_folder() -> Generator[Path]:
    """A folder for lines, gone when the body has ended."""
    with (
        translating("a temporary folder", "make it", SAFE),
        TemporaryDirectory(prefix="hkex-ops-clearing-", ignore_cleanup_errors=True) as folder,
    ):
        yield Path(folder)


def spooled(lines: Iterable[str], path: Path) -> int:
    """Write the lines to ``path``; how many there were."""
    count = 0
    with (
        translating(path, "write temporary lines", SAFE),
        path.open("w", encoding="utf-8", newline="\n") as file,
    ):
        for line in lines:
            file.write(line)
            count += 1
    return count


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, read piece by piece; what proves later which file it was."""
    with translating(path, "read it"), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def written_lines(path: Path) -> Iterator[str]:
    """The lines of a file that `spooled` wrote."""
    with path.open(encoding="utf-8", newline="\n") as file:
        yield from file


def sorted_lines(
    lines: Iterable[str], folder: Path, name: str, piece_lines: int = PIECE_LINES
) -> Iterator[str]:
    """The lines in order; at most ``piece_lines`` of them are held at a time.

    Pieces are files in ``folder`` whose names begin with ``name``.
    """
    every, pieces = iter(lines), list[Path]()
    while piece := list(islice(every, piece_lines)):
        piece.sort()
        if not pieces and len(piece) < piece_lines:
            return iter(piece)
        pieces.append(_piece(piece, folder, name, len(pieces)))
    return _merged(_few_enough(pieces, folder, name))


def _few_enough(pieces: Sequence[Path], folder: Path, name: str) -> Sequence[Path]:
    """The pieces merged with each other until all of them can be open at a time."""
    made = len(pieces)
    while len(pieces) > MERGED_FILES:
        first, pieces = pieces[:MERGED_FILES], pieces[MERGED_FILES:]
        pieces = [*pieces, _piece(_merged(first), folder, name, made)]
        made += 1
        for one in first:
            one.unlink()
    return pieces


def _piece(lines: Iterable[str], folder: Path, name: str, number: int) -> Path:
    path = folder / f"{name}-{number}"
    spooled(lines, path)
    return path


def _merged(pieces: Sequence[Path]) -> Iterator[str]:
    with ExitStack() as stack:
        files = [stack.enter_context(path.open(encoding="utf-8", newline="\n")) for path in pieces]
        yield from heapq.merge(*files)
