"""Asking a run: answers, refusals, listeners that hang up or never read, and nobody at home."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hkex_ops.errors import TimedOut, Unreachable, UsageError
from hkex_ops.flows.index import control as module
from hkex_ops.flows.index.control import SOCKET_NAME, Control, ask, listen_in
from hkex_ops.flows.store.disk import Folder
from hkex_ops.model import JsonObject


def status(question: JsonObject) -> JsonObject:
    return {"well": True, "asked": question}


def refuse(_: JsonObject) -> JsonObject:
    raise UsageError("it is declared already")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A path longer than the name of any socket may be."""
    path = tmp_path / ("long" * 30)
    path.mkdir()
    return path


@pytest.fixture
async def control(home: Path) -> AsyncIterator[Control]:
    with Folder.open(home) as folder:
        control = Control(folder, {"status": status, "declare": refuse})
        await control.open()
        yield control
        control.close()


async def listened(home: Path, count: int) -> list[str]:
    lines: list[str] = []
    async for line in listen_in(home):
        lines.append(line)
        if len(lines) == count:
            break
    return lines


async def until_heard(control: Control, task: asyncio.Task[list[str]]) -> None:
    """Tell until whoever listens in has enough."""
    while not task.done():
        control.tell("line")
        await asyncio.sleep(0.01)


async def test_what_is_asked_is_answered(control: Control, home: Path) -> None:
    question: JsonObject = {"ask": "status", "more": "恆生"}
    assert {"well": True, "asked": question} == await ask(home, question)


async def test_only_the_owner_may_ask(control: Control, home: Path) -> None:
    assert 0o600 == stat.S_IMODE(os.stat(home / SOCKET_NAME).st_mode)


async def test_a_refusal_is_the_runs_own_words(control: Control, home: Path) -> None:
    with pytest.raises(UsageError, match="it is declared already"):
        await ask(home, {"ask": "declare"})
    with pytest.raises(UsageError, match="nobody answers to 'dance'; known: declare, listen"):
        await ask(home, {"ask": "dance"})


async def test_nonsense_harms_nobody(control: Control, home: Path) -> None:
    with Folder.open(home) as folder:
        for data in (b"", b"\xff\xff\n", b"[]\n", b"{" * 5_000 + b"\n", b"no end"):
            reader, writer = await asyncio.open_unix_connection(
                f"/proc/self/fd/{folder.descriptor}/{SOCKET_NAME}"
            )
            writer.write(data)
            writer.write_eof()
            assert b"" == await reader.read()
            writer.close()
    assert True is (await ask(home, {"ask": "status"}))["well"]


async def test_everybody_who_listens_hears_every_line(control: Control, home: Path) -> None:
    tasks = [asyncio.create_task(listened(home, 3)) for _ in range(3)]
    for task in tasks:
        await asyncio.wait_for(until_heard(control, task), 10)
    assert [["line\n"] * 3] * 3 == [task.result() for task in tasks]


async def test_who_does_not_read_is_hung_up_on(
    control: Control, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_UNREAD_BYTES", 100_000)
    with Folder.open(home) as folder:
        reader, writer = await asyncio.open_unix_connection(
            f"/proc/self/fd/{folder.descriptor}/{SOCKET_NAME}", limit=1_000
        )
        writer.write(b'{"ask": "listen"}\n')
        await asyncio.sleep(0.1)
        for _ in range(50):
            control.tell("x" * 50_000)
            await asyncio.sleep(0)
        heard = 0
        with pytest.raises(ConnectionError):  # noqa: PT012
            while data := await reader.read(1 << 20):
                heard += len(data)
            raise ConnectionResetError("the end is as good")
        assert heard < 50 * 50_000
        writer.close()
    assert True is (await ask(home, {"ask": "status"}))["well"]


async def test_a_run_that_ends_ends_what_is_heard_of_it(control: Control, home: Path) -> None:
    task = asyncio.create_task(listened(home, 1_000_000))
    await asyncio.sleep(0.1)
    control.tell("last")
    await asyncio.sleep(0.05)
    control.close()
    assert ["last\n"] == await asyncio.wait_for(task, 10)
    with pytest.raises(Unreachable, match="no run is under way"):
        await ask(home, {"ask": "status"})


async def test_where_nobody_ever_was_is_said(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(Unreachable, match="start one with hkex-ops index run"):
            await ask(folder, {"ask": "status"})
        with pytest.raises(Unreachable, match="no run is under way"):
            await listened(folder, 1)


async def test_what_a_killed_run_left_is_replaced(home: Path) -> None:
    (home / SOCKET_NAME).write_bytes(b"left")
    with Folder.open(home) as folder:
        control = Control(folder, {"status": status})
        await control.open()
        assert True is (await ask(home, {"ask": "status"}))["well"]
        control.close()


async def test_one_that_hangs_is_said_to(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_S", 0.05)

    over = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()
        await writer.wait_closed()

    with Folder.open(home) as folder:
        path = f"/proc/self/fd/{folder.descriptor}/{SOCKET_NAME}"
        server = await asyncio.start_unix_server(hang, path)
        with pytest.raises(TimedOut, match="does not answer: see whether it hangs"):
            await ask(home, {"ask": "status"})
        over.set()
        server.close()
        await asyncio.sleep(0.05)
