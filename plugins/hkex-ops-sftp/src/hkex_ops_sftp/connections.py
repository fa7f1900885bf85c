"""The sessions of one source: one, and on a far line more of them when there is much to fetch.

A second is asked for alone; once it stands, the others that are allowed are asked for together.

Every session is at the address that took the first. One bell rings for all of them, so that
whoever waits need not know on which connection something comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from hkex_ops import log
from hkex_ops.errors import HkexOpsError
from hkex_ops_sftp.channel import SftpChannel
from hkex_ops_sftp.connecting import Session
from hkex_ops_sftp.file_reading import Allowance

__all__ = ["Connections"]

# What may be on its way on one connection or wait to be taken: 100 MB/s at 30 ms. With more, sshd
# keeps answers that it cannot send yet and moves them about: 16 MiB cost it five times the time.
ON_THE_WAY_BYTES = 3 * 1024 * 1024

# On a line nearer than that one connection is as fast as several: the processors are the limit.
FAR_S = 0.002

_log = log.Logger()


class Connections:
    """``first`` and what ``log_in_again`` makes, ``most`` at the same time."""

    def __init__(
        self, first: Session, log_in_again: Callable[[], Awaitable[Session]], most: int
    ) -> None:
        self.first = first
        self.allowances: list[Allowance] = []
        self._sessions: list[Session] = []
        self._log_in_again = log_in_again
        self._most = most
        self._bell = asyncio.Event()
        self._opening: set[asyncio.Task[None]] = set()
        self._add(first)

    @property
    def channels(self) -> list[SftpChannel]:
        """Of every session that stands."""
        return [session.channel for session in self._sessions]

    @property
    def expired(self) -> bool:
        """Whether a server was cut off because it answered nothing for too long."""
        return any(session.watch.expired for session in self._sessions)

    def flush(self) -> None:
        """Write what is to be written."""
        for session in self._sessions:
            session.channel.flush()

    async def changed(self) -> None:
        """Wait until something has come. Raises what ended a session."""
        self._require_all()
        await self._bell.wait()
        self._bell.clear()
        self._require_all()

    def wake(self) -> None:
        """End every wait."""
        self._bell.set()

    def want_more(self) -> None:
        """There is more to ask for than one connection should carry: open others, if it helps.

        One at first, because a server that wants no second must not be asked for a third; once it
        has taken that, the rest at the same time, for a login far away takes many round trips.
        """
        if self._opening or self.first.channel.round_trip_s < FAR_S:
            return
        standing = len(self._sessions)
        for _ in range(min(self._most - standing, 1 if standing == 1 else self._most)):
            self._opening.add(asyncio.create_task(self._open()))

    def hang_up(self) -> None:
        """End every connection at once."""
        for session in self._sessions:
            session.connection.abort()

    async def end(self) -> None:
        """Log out everywhere and wait until all connections are closed."""
        for opening in self._opening:
            opening.cancel()
        if self._opening:
            await asyncio.wait(self._opening)
        await asyncio.gather(*(session.end() for session in self._sessions))

    # -- within ------------------------------------------------------------------------------

    def _add(self, session: Session) -> None:
        session.channel.ring(self._bell)
        self._sessions.append(session)
        self.allowances.append(Allowance(session.channel.conversation, ON_THE_WAY_BYTES))

    async def _open(self) -> None:
        opening = asyncio.current_task()
        try:
            session = await self._log_in_again()
        except HkexOpsError as error:
            # Those that stand do the work, and nobody asks again.
            self._most = len(self._sessions)
            _log.info(log.SESSION_REFUSED, reason=str(error))
        else:
            self._add(session)
            self._bell.set()
        finally:
            self._opening -= {opening}

    def _require_all(self) -> None:
        for session in self._sessions:
            if session.channel.failure is not None:
                raise session.channel.failure
