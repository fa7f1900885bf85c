"""A real HTTP server for Apprise's ``json://``, and the bench of the notifier."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from basic_far_sides import FarSide, silence

from hkex_ops.ports import Notifier, Offer
from hkex_ops.testing import Arrived, NotifierBench
from hkex_ops_apprise import AppriseOptions, hkex_ops_notifiers

__all__ = ["SECRET", "AppriseBench"]

SECRET = "T0K3N-8c1f"
HOST = "127.154.14.155"


class AppriseBench(NotifierBench):
    """The notifier ``apprise`` and a server of two receivers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.far_side = FarSide(HOST, self._answer)
        self.posted: list[Arrived] = []
        self.status = "200 OK"
        self.hangs_up = False
        self.refused: set[str] = set()

    async def __aenter__(self) -> Self:
        await self.far_side.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.far_side.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        request, *lines = head.strip().split("\r\n")
        headers = {name.lower(): text for name, text in (line.split(": ", 1) for line in lines)}
        document = json.loads(await reader.readexactly(int(headers["content-length"])))
        receiver = request.split()[1].rpartition("/")[2]
        status = "404 Not Found" if receiver in self.refused else self.status
        if status.startswith("2"):
            text = f"{document['title']}\n{document['message']}"
            self.posted.append(Arrived(receiver, "", text))
        if self.hangs_up:
            return
        said = f"you said {SECRET}"
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(said)}\r\nConnection: close\r\n\r\n"
        writer.write((head + said).encode())
        await writer.drain()

    @property
    def offer(self) -> Offer[Notifier]:
        (offer,) = hkex_ops_notifiers()
        return offer

    def options(self) -> AppriseOptions:
        path = self.folder / "receivers.toml"
        at = f"json://{HOST}:{self.far_side.port}/{SECRET}"
        query = "?rto=1&cto=1"
        path.write_text("".join(f'{one} = "{at}/{one}{query}"\n' for one in self.receivers()))
        path.chmod(0o600)
        return AppriseOptions(receivers_file=path, timeout_s=3)

    def receivers(self) -> Sequence[str]:
        return ("desk", "management")

    def unknown_receiver(self) -> str:
        return "somebody"

    def secrets(self) -> Sequence[str]:
        return (SECRET,)

    async def arrived(self) -> Sequence[Arrived]:
        return list(self.posted)

    async def take_down(self) -> None:
        await self.far_side.close()

    async def bring_up(self) -> None:
        self.far_side.behaviour = self._answer
        self.hangs_up = False
        self.status = "200 OK"
        if self.far_side._server is None:
            await self.far_side.open()

    async def fall_silent(self) -> None:
        self.far_side.behaviour = silence

    async def take_and_hang_up(self) -> None:
        self.hangs_up = True

    async def fill_up(self) -> None:
        self.status = "429 Too Many Requests"

    async def refuse(self) -> None:
        self.status = "403 Forbidden"

    async def refuse_receiver(self, receiver: str) -> None:
        self.refused.add(receiver)

    def visitors(self) -> int:
        return self.far_side.visitors
