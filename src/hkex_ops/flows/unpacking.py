"""The content of a staged file, unpacked as far as it is packed, in memory that stays flat."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Protocol

from hkex_ops.flows.store import StagedFile
from hkex_ops.reports import Packing

__all__ = ["Damaged", "content_of"]

BLOCK_BYTES = 1 << 20
LARGEST_UNPACKED_BYTES = 16 << 30
"""A file that unpacks to more is taken for one that was made to fill a disk or a day."""


class Damaged(Exception):
    """The packing itself is broken; the text is a sentence about the file."""


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes | None: ...


def content_of(file: StagedFile, packing: Packing) -> Iterator[bytes]:
    """What a finished file holds, piece by piece; of a zip, its members one after the other.

    Raises `Damaged` when what is packed cannot be unpacked to its end, and `StoreError` when the
    disk cannot be read.
    """
    size = 0
    try:
        with file.reading() as raw:
            for data in _pieces(raw, packing):
                size += len(data)
                if size > LARGEST_UNPACKED_BYTES:
                    raise Damaged(f"unpacks to more than {LARGEST_UNPACKED_BYTES} bytes")
                yield data
    except zipfile.BadZipFile as error:
        raise Damaged(f"is no whole zip file: {error}") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Damaged(f"cannot be unpacked to its end: {error}") from error
    # A method that this Python cannot unpack, or a password.
    except (NotImplementedError, RuntimeError) as error:
        raise Damaged(f"is packed in a way that cannot be unpacked here: {error}") from error


def _pieces(raw: IO[bytes], packing: Packing) -> Iterator[bytes]:
    match packing:
        case Packing.NONE:
            yield from _blocks(raw)
        case Packing.GZ:
            with gzip.open(raw) as unpacked:
                yield from _blocks(unpacked)
        case Packing.ZIP:
            with zipfile.ZipFile(raw) as packed:
                for member in packed.infolist():
                    with packed.open(member) as unpacked:
                        yield from _blocks(unpacked)


def _blocks(file: _Readable) -> Iterator[bytes]:
    while block := file.read(BLOCK_BYTES):
        yield block
