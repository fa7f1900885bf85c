"""A real server for webhooks, which looks at signatures, and benches of the three notifiers."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from attrs import evolve, frozen
from basic_certificates import Authority
from basic_far_sides import FarSide, silence

from hkex_ops.ports import Notifier, Offer
from hkex_ops.testing import Arrived, NotifierBench
from hkex_ops_basic import (
    ConsoleOptions,
    FileNotifierOptions,
    WebhookOptions,
    hkex_ops_notifiers,
)

__all__ = ["SECRET", "ConsoleBench", "FileBench", "HookBench", "Posted", "secret_file"]

SECRET = "hook-secret-8c1f"
HOST = "127.153.14.155"


@frozen
class Posted:
    """One request as the server read it."""

    path: str
    headers: Mapping[str, str]
    document: Mapping[str, object]


def secret_file(folder: Path, content: str = SECRET) -> Path:
    """A file that nobody else may read."""
    path = folder / f"secret-{len(content)}"
    path.write_text(content)
    path.chmod(0o600)
    return path


def offer_called(name: str) -> Offer[Notifier]:
    return next(offer for offer in hkex_ops_notifiers() if offer.name == name)


class HookBench(NotifierBench):
    """The notifier ``webhook`` and a server of two receivers."""

    def __init__(self, folder: Path, authority: Authority | None) -> None:
        self.folder = folder
        self.authority = authority
        certified = None if authority is None else authority.certify(HOST)
        self.far_side = FarSide(HOST, self._answer, certified=certified)
        self.posted: list[Posted] = []
        self.status = "202 Accepted"
        self.hangs_up = False
        self.refused: set[str] = set()
        self.on_moment: Callable[[], None] = lambda: None

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
        posted, body = await _read(reader)
        self.on_moment()
        known = _is_signed(posted.headers["Hkex-Ops-Signature"], body)
        status = self.status if known else "401 Unauthorized"
        if posted.path.removeprefix("/") in self.refused:
            status = "410 Gone"
        if status.startswith("2"):
            self.posted.append(posted)
        self.on_moment()
        if self.hangs_up:
            return
        said = f"you said {SECRET}" if status.startswith("4") else "noted as 7"
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(said)}\r\n\r\n"
        writer.write((head + said).encode())
        await writer.drain()

    @property
    def offer(self) -> Offer[Notifier]:
        return offer_called("webhook")

    def options(self) -> WebhookOptions:
        scheme = "http" if self.authority is None else "https"
        at = f"{scheme}://{HOST}:{self.far_side.port}"
        return WebhookOptions(
            receivers={one: f"{at}/{one}" for one in self.receivers()},
            secret_file=secret_file(self.folder),
            ca_file=None if self.authority is None else self.authority.file,
            timeout_s=1,
        )

    def options_unknown(self) -> WebhookOptions:
        return evolve(self.options(), secret_file=secret_file(self.folder, "another"))

    def receivers(self) -> Sequence[str]:
        return ("desk", "management")

    def unknown_receiver(self) -> str:
        return "somebody"

    def secrets(self) -> Sequence[str]:
        return (SECRET, "another-secret")

    async def arrived(self) -> Sequence[Arrived]:
        return [
            Arrived(
                str(one.document["receiver"]),
                one.headers["Idempotency-Key"],
                f"{one.document['subject']}\n{one.document['body']}",
            )
            for one in self.posted
        ]

    async def take_down(self) -> None:
        await self.far_side.close()

    async def bring_up(self) -> None:
        self.far_side.behaviour = self._answer
        self.hangs_up = False
        self.status = "202 Accepted"
        if self.far_side._server is None:
            await self.far_side.open()

    async def fall_silent(self) -> None:
        self.far_side.behaviour = silence

    async def take_and_hang_up(self) -> None:
        self.hangs_up = True

    async def fill_up(self) -> None:
        self.status = "503 Service Unavailable"

    async def refuse(self) -> None:
        self.status = "403 Forbidden"

    async def refuse_receiver(self, receiver: str) -> None:
        self.refused.add(receiver)

    def visitors(self) -> int:
        return self.far_side.visitors


class FileBench(NotifierBench):
    """The notifier ``file``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "notes"
        self.folder.mkdir()
        self.file = self.folder / "notes.jsonl"
        self.acknowledgements = folder / "acknowledgements.jsonl"

    @property
    def offer(self) -> Offer[Notifier]:
        return offer_called("file")

    def options(self) -> FileNotifierOptions:
        return FileNotifierOptions(file=self.file, acknowledgements=self.acknowledgements)

    def receivers(self) -> Sequence[str]:
        return ("desk", "management")

    async def arrived(self) -> Sequence[Arrived]:
        lines = self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []
        return [
            Arrived(one["receiver"], one["id"], f"{one['subject']}\n{one['body']}")
            for one in map(json.loads, lines)
        ]

    async def acknowledge(self, key: str, receiver: str) -> None:
        with self.acknowledgements.open("a", encoding="utf-8") as file:
            file.write("what somebody else wrote\n")
            file.write(json.dumps({"key": key, "receiver": receiver, "at": "2026-02-02"}) + "\n")
            at = "2026-02-02T10:06:00+08:00"
            file.write(json.dumps({"key": key, "receiver": receiver, "at": at}) + "\n")


class ConsoleBench(NotifierBench):
    """The notifier ``console``, whose standard error is captured."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self.captured = captured
        self.seen = ""

    @property
    def offer(self) -> Offer[Notifier]:
        return offer_called("console")

    def options(self) -> ConsoleOptions:
        return ConsoleOptions()

    def receivers(self) -> Sequence[str]:
        return ("desk", "management")

    async def arrived(self) -> Sequence[Arrived]:
        told: list[Arrived] = []
        self.seen += self.captured.readouterr().err
        for line in self.seen.splitlines(keepends=True):
            if line.startswith("  "):
                told = [evolve(one, text=one.text + line) for one in told]
                continue
            names, _, subject = line.partition(": ")
            told += [Arrived(one, "", subject) for one in names.split(", ")]
        return told


async def _read(reader: asyncio.StreamReader) -> tuple[Posted, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    request, *lines = head.strip().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    body = await reader.readexactly(int(headers["Content-Length"]))
    return Posted(request.split()[1], headers, json.loads(body)), body


def _is_signed(header: str, body: bytes) -> bool:
    """As a receiver's own program would look, with nothing of the adapter's."""
    stated = dict(part.split("=", 1) for part in header.split(","))
    signed = hmac.new(SECRET.encode(), f"{stated['t']}.".encode() + body, sha256).hexdigest()
    return hmac.compare_digest(signed, stated["v1"])
