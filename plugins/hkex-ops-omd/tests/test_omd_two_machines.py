"""Multicast over a real network interface: two network namespaces of this machine, joined by veth.

Loopback hides what a network card shows: that a group is joined by IGMP through the interface that
is named, and that packets carry a time to live.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

MACHINES = (f"omd-{os.getpid()}-a", f"omd-{os.getpid()}-b")
ADDRESSES = ("192.0.2.1", "192.0.2.2")
GROUP, PORT = "239.77.255.1", 51_030

SENDER = f"""
import asyncio, sys
from datetime import datetime, timedelta
from decimal import Decimal
from hkex_ops.model import HONG_KONG, IndexTick, SiteRole
from hkex_ops_omd import PublisherOptions, open_publisher
from hkex_ops_omd.options import MulticastLine

async def publish():
    at = datetime(2010, 1, 22, 10, tzinfo=HONG_KONG)
    options = PublisherOptions(
        interface={ADDRESSES[0]!r}, line_a=MulticastLine({GROUP!r}, {PORT}), ttl=1
    )
    async with open_publisher(options, SiteRole.PRIMARY) as publisher:
        for moment in range(5):
            tick = IndexTick("0000100", at + timedelta(seconds=2 * moment), Decimal(20000 + moment))
            await publisher.publish([tick])

asyncio.run(publish())
"""

HEARER = f"""
import asyncio, json, sys
from hkex_ops.model import SiteRole
from hkex_ops_omd import MulticastOptions, open_multicast
from hkex_ops_omd.options import ChannelLines, MulticastLine

async def hear():
    line = MulticastLine({GROUP!r}, {PORT})
    options = MulticastOptions(interface={ADDRESSES[1]!r}, channels=[ChannelLines(30, line)])
    packets = []
    async with open_multicast(options, SiteRole.PRIMARY) as feed:
        print("joined", flush=True)
        async with asyncio.timeout(15):
            async for batch in feed.packets():
                packets += [packet.hex() for packet in batch.packets]
                if len(packets) >= 7:
                    break
    print(json.dumps(packets))

asyncio.run(hear())
"""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def unavailable() -> str:
    """Why this machine cannot play two; empty where it can."""
    if shutil.which("ip") is None:
        return "there is no ip on this machine: install Debian's iproute2"
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    try:
        ip("netns", "add", MACHINES[0])
    except subprocess.CalledProcessError as error:
        return f"this machine has no network namespaces: {error.stderr.decode().strip()}"
    ip("netns", "delete", MACHINES[0])
    return ""


@contextmanager
def two_machines() -> Iterator[None]:
    made: list[str] = []
    try:
        for machine in MACHINES:
            ip("netns", "add", machine)
            made.append(machine)
        first, second = MACHINES
        ip("link", "add", "omd-a", "netns", first, "type", "veth", "peer", "omd-b", "netns", second)
        for machine, end, address in zip(MACHINES, ("omd-a", "omd-b"), ADDRESSES, strict=True):
            ip("-n", machine, "address", "add", f"{address}/24", "dev", end)
            ip("-n", machine, "link", "set", end, "up")
        yield
    finally:
        for machine in made:
            ip("netns", "delete", machine)


@pytest.fixture
def machines() -> Iterator[tuple[str, str]]:
    reason = unavailable()
    if reason:
        if os.environ.get("HKEX_OPS_REQUIRE_SERVERS") == "1" and os.geteuid() == 0:
            pytest.fail(reason)
        pytest.skip(reason)
    with two_machines():
        yield MACHINES


def command(machine: str, program: str) -> list[str]:
    return ["ip", "netns", "exec", machine, sys.executable, "-c", program]


def test_one_machine_hears_what_another_publishes(machines: tuple[str, str]) -> None:
    """A reset, a definition and five values, each packet as it was sent, through one hop."""
    first, second = machines
    with subprocess.Popen(command(second, HEARER), stdout=subprocess.PIPE) as hearing:
        assert hearing.stdout is not None
        assert b"joined\n" == hearing.stdout.readline()
        maddresses = subprocess.run(
            ["ip", "-n", second, "maddress", "show", "dev", "omd-b"],
            stdout=subprocess.PIPE,
            check=True,
        )
        assert GROUP in maddresses.stdout.decode(), "the group is not joined by the interface"
        subprocess.run(command(first, SENDER), check=True, timeout=30)
        packets = [bytes.fromhex(one) for one in json.loads(hearing.stdout.read())]
    assert [100, 70, 71, 71, 71, 71, 71] == [
        int.from_bytes(packet[18:20], "little") for packet in packets
    ]
    assert [1, 1, 2, 3, 4, 5, 6] == [int.from_bytes(packet[4:8], "little") for packet in packets]
