"""The notifiers ``file`` and ``console``: what others are told, where somebody looks.

The file has a JSON document to a line, on the disk before anybody is said to be told, and can be
asked afterwards who stands in it. The console is standard error.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import cast

from hkex_ops.clock import Clock, SystemClock
from hkex_ops.errors import RemoteError, Unreachable
from hkex_ops.model import Json, Notification, Outcome, Receipt
from hkex_ops.ports import Acknowledgement
from hkex_ops_basic.line_files import LineFile
from hkex_ops_basic.note_documents import note_document, note_identity, spelt
from hkex_ops_basic.notifier_options import ConsoleOptions, FileNotifierOptions

__all__ = ["ConsoleNotifier", "FileNotifier"]


class FileNotifier:
    """Adds a line for each receiver. Knows afterwards who has one."""

    def __init__(self, options: FileNotifierOptions, clock: Clock | None = None) -> None:
        self._options = options
        self._clock: Clock = SystemClock() if clock is None else clock
        self._file: LineFile = LineFile(options.file)
        self._writer: ThreadPoolExecutor = ThreadPoolExecutor(1, "notes")

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        """Add the lines; see the port. They are on the disk when this returns."""
        lines = [spelt(note_document(notification, receiver)) for receiver in receivers]
        try:
            await self._in_thread("".join(f"{line}\n" for line in lines).encode())
        except RemoteError:
            # A disk that filled up keeps the whole lines that went before.
            receipts = await self.inquire(notification, receivers)
            if all(one.outcome is not Outcome.TAKEN for one in receipts):
                raise
            return receipts
        now = self._clock.now()
        name = self._options.file.name
        return tuple(
            Receipt("", one, now, Outcome.TAKEN, reference=f"{name} {identity}")
            for one in receivers
            if (identity := note_identity(notification, one)[:12])
        )

    async def check(self, receivers: Sequence[str]) -> str:
        """The file is open already; that it can be written is what opening it showed."""
        if not os.access(self._options.file, os.W_OK):
            raise Unreachable(
                f"{self._options.file} cannot be written: see to its owner and rights"
            )
        return f"{self._options.file} can be added to"

    async def inquire(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        """Look into the file. A line stands there whole, or was never added."""
        loop = asyncio.get_running_loop()
        here = await loop.run_in_executor(self._writer, _identities, self._options.file)
        now = self._clock.now()
        return tuple(
            Receipt(
                "",
                one,
                now,
                Outcome.TAKEN if note_identity(notification, one) in here else Outcome.DEFERRED,
                reference=f"found in {self._options.file.name}",
            )
            for one in receivers
        )

    async def acknowledgements(self, keys: Sequence[str]) -> tuple[Acknowledgement, ...]:
        """What others have written into the file of acknowledgements."""
        path = self._options.acknowledgements
        if path is None:
            return ()
        loop = asyncio.get_running_loop()
        wanted = frozenset(keys)
        heard = await loop.run_in_executor(self._writer, lambda: tuple(_acknowledged(path)))
        return tuple(one for one in heard if one.key in wanted)

    async def close(self) -> None:
        """Finish what is being added, then let others have the file."""
        loop = asyncio.get_running_loop()
        closing = loop.run_in_executor(self._writer, self._file.close)
        self._writer.shutdown(wait=False)
        await asyncio.shield(closing)

    async def _in_thread(self, lines: bytes) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._writer, self._file.append, lines)


class ConsoleNotifier:
    """Writes to standard error; whoever sits there is told, and nobody can prove it."""

    def __init__(self, options: ConsoleOptions, clock: Clock | None = None) -> None:
        self._clock: Clock = SystemClock() if clock is None else clock

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        """Write it once, with the names of everybody; see the port."""
        body = "".join(f"  {line}\n" for line in notification.body.splitlines())
        said = f"{', '.join(receivers)}: {notification.subject}\n{body}"
        stream = sys.stderr
        encoding = stream.encoding or "utf-8"
        stream.write(said.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
        now = self._clock.now()
        return tuple(
            Receipt("", one, now, Outcome.TAKEN, reference="written to standard error")
            for one in receivers
        )


def _documents(path: Path) -> Iterator[dict[str, Json]]:
    """The JSON objects of a file, a line each; others' lines are passed over."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    document = json.loads(line)
                except ValueError:
                    continue
                if isinstance(document, dict):
                    yield cast("dict[str, Json]", document)
    except FileNotFoundError:
        return


def _identities(path: Path) -> frozenset[str]:
    return frozenset(str(one["id"]) for one in _documents(path) if "id" in one)


def _acknowledged(path: Path) -> Iterator[Acknowledgement]:
    for one in _documents(path):
        try:
            at = datetime.fromisoformat(str(one.get("at")))
        except ValueError:
            continue
        if at.tzinfo is not None and one.get("key") and one.get("receiver"):
            yield Acknowledgement(
                str(one["key"]), str(one["receiver"]), at, str(one.get("by") or "")
            )
