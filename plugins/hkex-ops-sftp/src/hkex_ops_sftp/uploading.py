"""A report source that can also send: only where the operator named a folder to send to.

A file is written under a temporary name that begins with a dot, its size is looked at, and only
then does it get its name, which must be free: the plain SFTP rename never replaces a file. What
failed is removed again, and what a killed run left by the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from datetime import datetime
from typing import TypeVar

import asyncssh

from hkex_ops.errors import HkexOpsError, Rejected, TimedOut
from hkex_ops.model import HONG_KONG
from hkex_ops.ports import UploadEnd
from hkex_ops_sftp.connections import Connections
from hkex_ops_sftp.source import SftpReportSource
from hkex_ops_sftp.translation import printable, translated, translated_status

__all__ = ["SftpUploadingSource"]

T = TypeVar("T")


class SftpUploadingSource(SftpReportSource):
    """One folder read, and another one sent to, over one login."""

    def __init__(
        self,
        connections: Connections,
        *,
        folder: str,
        files_in_flight: int,
        upload_folder: str,
        answer_timeout_s: int,
    ) -> None:
        super().__init__(connections, folder=folder, files_in_flight=files_in_flight)
        self._login = connections.first
        self._upload_folder = upload_folder
        self._answer_timeout_s = answer_timeout_s

    async def upload(self, name: str, pieces: Iterable[bytes]) -> UploadEnd:
        """Send a file under ``name``; see the port's capability."""
        doing = f"sending {printable(name)} to {self.endpoint}"
        if "/" in name or "\0" in name or name in ("", ".", ".."):
            raise Rejected(f"{doing}: its name leads out of the folder")
        try:
            sftp = await self._answered(self._login.connection.start_sftp_client())
            try:
                return await self._send(sftp, name, pieces, doing)
            finally:
                sftp.exit()
                await self._answered(sftp.wait_closed())
        except TimeoutError as error:
            limit_s = self._answer_timeout_s
            raise TimedOut(f"{doing}: the server answered nothing for {limit_s} s") from error
        except asyncssh.SFTPError as error:
            raise translated_status(error, doing) from error
        except HkexOpsError:
            raise
        except Exception as error:
            raise translated(error, doing) from error

    async def _send(
        self, sftp: asyncssh.SFTPClient, name: str, pieces: Iterable[bytes], doing: str
    ) -> UploadEnd:
        path = f"{self._upload_folder}/{name}"
        part = f"{self._upload_folder}/.{name}.part"
        if await self._answered(sftp.lexists(path)):
            raise Rejected(f"{doing}: something of that name is there, nothing is overwritten")
        # What a run left that was killed while it sent; only this desk writes under such a name.
        if await self._answered(sftp.lexists(part)):
            await self._answered(sftp.remove(part))
        sent = 0
        file = await self._answered(sftp.open(part, "xb"))
        try:
            try:
                for data in pieces:
                    await self._answered(file.write(data, sent))
                    sent += len(data)
            finally:
                await self._answered(file.close())
            there = await self._answered(sftp.stat(part))
            if there.size != sent:
                raise Rejected(f"{doing}: {sent} bytes were sent and {there.size} are there")
            await self._answered(sftp.rename(part, path))
        except BaseException:
            with suppress(asyncssh.Error, OSError, TimeoutError):
                await self._answered(sftp.remove(part))
            raise
        end = await self._answered(sftp.stat(path))
        at = None if end.mtime is None else datetime.fromtimestamp(end.mtime, HONG_KONG)
        return UploadEnd(name, end.size or 0, at)

    async def _answered(self, answer: Awaitable[T]) -> T:
        """One answer of the server, waited for no longer than the options say."""
        async with asyncio.timeout(self._answer_timeout_s):
            return await answer
