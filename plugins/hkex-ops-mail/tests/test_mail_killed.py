"""Killed while telling, again and again: each receiver has it once, or it is honestly unknown.

A real mail server with TLS, a real HTTPS endpoint and a file; the process that delivers is killed
with SIGKILL at moments that the servers see and at others that nobody sees. The servers count.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Self

import mail_child
import pytest
from attrs import define, field
from basic_certificates import Authority
from basic_hooks import FileBench, HookBench
from mail_benches import MailNotifierBench
from mail_servers import MailServer

from hkex_ops.flows.notifying.outbox import Outbox
from hkex_ops.flows.notifying.standing import ToldReceiver, standing
from hkex_ops.notifications import DeliveryState

KEYS = ("k1", "k2", "k3")
MAIL = ("a@broker.example", "b@broker.example", "c@broker.example")
MOST_KILLS = 4
MOMENTS = 12
WAIT_S = 30

CONFIG = """
[notifications]
routes = "routes.toml"
folder = "outbox"

[notifiers.mail]
adapter = "mail"
drops_repeats = {drops_repeats}
[notifiers.mail.options]
host = "127.0.0.1"
port = {mail_port}
ca_file = "authority.pem"
user = "index-desk"
password_file = "password"
sender = "desk@broker.example"

[notifiers.hook]
adapter = "webhook"
drops_repeats = {drops_repeats}
[notifiers.hook.options]
receivers = {{ desk = "{hook}/desk", management = "{hook}/management" }}
secret_file = "{secret}"
ca_file = "authority.pem"

[notifiers.notes]
adapter = "file"
options = {{ file = "notes/notes.jsonl" }}
"""

ROUTES = """
[[routes]]
id = "all"
audience = "participants"
tell = [
  { by = "mail", to = ["a@broker.example", "b@broker.example", "c@broker.example"] },
  { by = "hook", to = ["desk", "management"] },
  { by = "notes", to = ["desk", "management"] },
]
"""


@define
class Scene:
    """Three far sides, and a process whose children deliver and are killed."""

    folder: Path
    mail: MailNotifierBench
    hook: HookBench
    notes: FileBench
    random: Random
    child: int | None = None
    moments: int = 0
    kill_at: int | None = None
    kills: int = 0
    process: asyncio.subprocess.Process | None = field(default=None)

    async def begin(self, *, drops_repeats: bool) -> Self:
        self.mail.options()
        options = self.hook.options()
        port = self.hook.far_side.port
        (self.folder / "routes.toml").write_text(ROUTES)
        config = self.folder / "hkex-ops.toml"
        config.write_text(
            CONFIG.format(
                mail_port=self.mail.server.port,
                hook=f"https://{self.hook.far_side.host}:{port}",
                secret=options.secret_file.name,
                drops_repeats=str(drops_repeats).lower(),
            )
        )
        self.mail.server.on_moment = self.hook.on_moment = self._pass
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            mail_child.__file__,
            str(config),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert b"ready\n" == await self._line()
        return self

    async def end(self) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.close()
        async with asyncio.timeout(WAIT_S):
            await self.process.wait()

    async def deliver(self, *, killed: bool) -> int:
        """Let a child hand everything in and deliver; its status."""
        assert self.process is not None
        assert self.process.stdin is not None
        self.moments = 0
        by_clock = self.random.random() < 0.4
        self.kill_at = self.random.randrange(1, MOMENTS) if killed and not by_clock else None
        self.process.stdin.write(f"{' '.join(KEYS)}\n".encode())
        self.child = int(await self._line())
        soon = self.random.uniform(0.0, 0.25) if killed and by_clock else WAIT_S
        alarm = asyncio.get_running_loop().call_later(soon, self._kill)
        status = int(await self._line())
        # A child that had ended by then leaves no alarm for the next one.
        alarm.cancel()
        self.child = None
        return status

    async def _line(self) -> bytes:
        assert self.process is not None
        assert self.process.stdout is not None
        async with asyncio.timeout(WAIT_S):
            return await self.process.stdout.readline()

    def _pass(self) -> None:
        self.moments += 1
        if self.moments == self.kill_at:
            self._kill()

    def _kill(self) -> None:
        if self.child is not None:
            os.kill(self.child, signal.SIGKILL)
            self.kills += 1
            self.child = None


@pytest.fixture
async def scene(
    authority: Authority, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Scene]:
    random = Random(request.param)
    async with (
        MailServer(authority) as server,
        HookBench(tmp_path, authority) as hook,
    ):
        mail = MailNotifierBench(server, tmp_path, by_token=False)
        scene = Scene(tmp_path, mail, hook, FileBench(tmp_path), random)
        yield await scene.begin(drops_repeats=random.random() < 0.3)
        await scene.end()


def told(folder: Path) -> dict[tuple[str, str, str], ToldReceiver]:
    outbox = Outbox(folder / "outbox")
    try:
        return {
            (message.notification.key, one.channel, one.receiver): one
            for message in standing(outbox)
            for one in message.receivers
        }
    finally:
        outbox.close()


async def counted(scene: Scene) -> Counter[tuple[str, str, str]]:
    """How often each receiver has each key, by what the far sides say."""
    counter: Counter[tuple[str, str, str]] = Counter()
    for channel, bench in (("mail", scene.mail), ("hook", scene.hook), ("notes", scene.notes)):
        for one in await bench.arrived():
            (key,) = (key for key in KEYS if f"about {key}" in one.text)
            counter[key, channel, one.receiver] += 1
    return counter


SEEDS = [*range(5), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(5, 105))]


@pytest.mark.parametrize("scene", SEEDS, indirect=True)
async def test_each_receiver_has_it_once_or_it_is_honestly_unknown(scene: Scene) -> None:
    """*taken* is there once; *unknown* at most once; a file, which can be asked, exactly once; who
    drops repetitions has everything. Nothing is left under way."""
    for _ in range(scene.random.randrange(1, MOST_KILLS + 1)):
        await scene.deliver(killed=True)
    assert 0 == await scene.deliver(killed=False)
    there = await counted(scene)
    standing_now = told(scene.folder)
    assert {
        (key, channel, receiver)
        for key in KEYS
        for channel, receivers in (
            ("mail", MAIL),
            ("hook", ("desk", "management")),
            ("notes", ("desk", "management")),
        )
        for receiver in receivers
    } == set(standing_now)
    drops_repeats = "drops_repeats = true" in (scene.folder / "hkex-ops.toml").read_text()
    for place, one in standing_now.items():
        may_repeat = drops_repeats and place[1] != "notes"
        if may_repeat:
            assert DeliveryState.TAKEN is one.state, place
            assert there[place] >= 1, place
        elif one.state is DeliveryState.TAKEN:
            assert 1 == there[place], place
        else:
            assert DeliveryState.UNKNOWN is one.state, place
            assert there[place] <= 1, place
        if place[1] == "notes":
            assert (DeliveryState.TAKEN, 1) == (one.state, there[place])
    identities = [(one.receiver, one.identity) for one in await scene.mail.arrived()]
    assert len(set(identities)) == len([one for one in there if one[1] == "mail"]), (
        "a repetition bears another Message-ID"
    )
