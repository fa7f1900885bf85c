"""One report read from its first byte to its end, over a session that others share.

A file is open while it is read and closed whatever happens. Ranges are asked for ahead and handed
on in ascending order; an answer shorter than its question is asked for again, because servers may
answer short. After the last byte the server is asked for size and time once more, so that a report
which changed under the reader is found out.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from datetime import datetime

import asyncssh
from attrs import frozen

from hkex_ops.model import HONG_KONG, ListedReport
from hkex_ops.ports import ReportChunk, ReportEnd
from hkex_ops_sftp.crew import Deliver
from hkex_ops_sftp.watching import SilenceWatch

__all__ = ["Reader", "modified"]

# Reads of one file under way at once. Four of 255 KiB keep a line of 30 ms as full as one channel
# of the library can, and 32 such files still hold no more than 32 MiB.
READS_PER_FILE = 4

# The largest single READ asked for, also of a server that says it answers larger ones.
MAX_READ_BYTES = 256 * 1024

# How often a file that grew while it was read is followed to its new end. One that is still
# growing then is delivered as far as it was read, and its end says that there is more.
GROWTH_ROUNDS = 4


@frozen
class Reader:
    """Reads files of one SFTP session."""

    sftp: asyncssh.SFTPClient
    watch: SilenceWatch

    async def read(self, report: ListedReport, path: str, deliver: Deliver) -> None:
        """Deliver the chunks of ``report`` and its end. Raises the library's errors."""
        file = await self._open(path)
        try:
            offset, stop = 0, report.size_bytes
            grown = 0
            while True:
                async with aclosing(self._blocks(file, offset, stop)) as blocks:
                    async for data in blocks:
                        await deliver(ReportChunk(report, offset, data))
                        offset += len(data)
                with self.watch:
                    attrs = await file.stat()
                size = offset if attrs.size is None else attrs.size
                if offset < stop or size <= stop or grown == GROWTH_ROUNDS:
                    await deliver(ReportEnd(report, size, modified(attrs)))
                    return
                stop, grown = size, grown + 1
        finally:
            await self._close(file)

    async def _open(self, path: str) -> asyncssh.SFTPClientFile:
        """Open, even while being cancelled: the server must not be left with an open handle."""
        opening = asyncio.create_task(self._ask_to_open(path))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            with suppress(asyncssh.Error, OSError):
                await self._close(await opening)
            raise

    async def _ask_to_open(self, path: str) -> asyncssh.SFTPClientFile:
        with self.watch:
            # Block size 0: each read is one request. The library's own splitting fills a hole
            # with zeros when an early range ends short, which must never pass for a report.
            return await self.sftp.open(path, "rb", block_size=0)

    async def _close(self, file: asyncssh.SFTPClientFile) -> None:
        with suppress(asyncssh.Error, OSError), self.watch:
            await file.close()

    async def _blocks(
        self, file: asyncssh.SFTPClientFile, start: int, stop: int
    ) -> AsyncGenerator[bytes]:
        """The bytes from ``start`` to ``stop``, or to where the file ends before that."""
        length = min(self.sftp.limits.max_read_len, MAX_READ_BYTES)
        if stop - start <= length:
            # The usual report fits one range: no task is worth making for it.
            if data := await self._range(file, start, stop):
                yield data
            return
        ahead: deque[tuple[int, asyncio.Task[bytes]]] = deque()
        try:
            while start < stop or ahead:
                while start < stop and len(ahead) < READS_PER_FILE:
                    end = min(start + length, stop)
                    task = asyncio.create_task(self._range(file, start, end))
                    ahead.append((end - start, task))
                    start = end
                wanted, task = ahead[0]
                data = await task
                ahead.popleft()
                if data:
                    yield data
                if len(data) < wanted:
                    return
        finally:
            for _, task in ahead:
                task.cancel()
            await asyncio.gather(*(task for _, task in ahead), return_exceptions=True)

    async def _range(self, file: asyncssh.SFTPClientFile, start: int, stop: int) -> bytes:
        """One range, whole unless the file ends in it."""
        parts: list[bytes] = []
        while start < stop:
            with self.watch:
                data: bytes = await file.read(stop - start, start)
            if not data:
                break
            if len(data) > stop - start:
                raise asyncssh.SFTPBadMessage("more bytes came than were asked for")
            parts.append(data)
            start += len(data)
        return parts[0] if len(parts) == 1 else b"".join(parts)


def modified(attrs: asyncssh.SFTPAttrs) -> datetime | None:
    """The server's modification time in Hong Kong's zone; none when untold or out of range."""
    if attrs.mtime is None:
        return None
    try:
        return datetime.fromtimestamp(attrs.mtime, HONG_KONG)
    except (ValueError, OverflowError, OSError):
        return None
