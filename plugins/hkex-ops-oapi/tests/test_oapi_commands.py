"""The commands of clearing over the real adapter and the stand-in library."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from oapi_benches import StandInBench, needs_compiler, open_bench
from oapi_desk import desk_options

from hkex_ops.cli.main import run
from hkex_ops.model import Occurrence
from hkex_ops.testing.oapi_gateway_asking import noticed

pytestmark = [pytest.mark.asyncio, needs_compiler]


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StandInBench]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    async with open_bench(tmp_path) as bench:
        desk_options(bench.stand_in, tmp_path)  # writes layouts and password
        configure(bench)
        yield bench


def configure(bench: StandInBench, **changed: object) -> None:
    stated: dict[str, object] = {
        "library": str(bench.stand_in.library),
        "layouts": "layouts.toml",
        "user": bench.stand_in.user,
        "password_file": "password",
        "event_poll_ms": 5,
        "ready_poll_ms": 1,
    }
    options = [f"{key} = {json.dumps(value)}" for key, value in (stated | changed).items()]
    gateways = ", ".join(f'{{ host = "{one.host}", port = {one.port} }}' for one in bench.gateways)
    (bench.folder / "config.toml").write_text(
        "\n".join(
            [
                "[oapi_gateways.dcass]",
                'adapter = "oapi"',
                "[oapi_gateways.dcass.options]",
                *options,
                "[oapi_gateways.dcass.options.sites.primary]",
                f"gateways = [{gateways}]",
                "[oapi_gateways.dcass.options.enquiries]",
                "UQ12 = { facility = 1 }",
                'UQ13 = { facility = 1, paging = "segments" }',
                "[oapi_gateways.dcass.options.recovery.BI27]",
                'enquiry = "UQ13"',
                'key = ["sequence_number_u"]',
            ]
        ),
        encoding="utf-8",
    )


async def hkex_ops(*words: str) -> int:
    """A command, in a thread of its own as the gateways are."""
    async with asyncio.timeout(30):
        return await asyncio.to_thread(run, [*words, "--config", "config.toml"])


def subscribed(bench: StandInBench) -> Callable[[], bool]:
    return lambda: any(len(one.subscribed) == 8 for one in bench.stand_in.house.queues)


async def test_what_the_clearing_house_tells_is_shown_told_and_proven(
    bench: StandInBench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Occurrence] = []
    monkeypatch.setattr("hkex_ops.cli.clearing_watch.hearers_of", lambda *_: (told.append,))
    house = bench.stand_in.house
    watching = asyncio.ensure_future(
        hkex_ops("clearing", "watch", "--count", "5", "--json", "--evidence", "proof")
    )
    assert await noticed(subscribed(bench))
    house.tell_trade()
    house.tell_text("SYNTHETIC words")
    house.lose_events()
    assert 0 == await watching
    lines: list[dict[str, Any]] = [
        json.loads(line) for line in capsys.readouterr().out.splitlines()
    ]
    names = [line["event"] for line in lines]
    assert ["session-begun", "broadcast-received", "clearing-message-received"] == names[:3]
    assert ["events-lost", "events-recovered", "clearing-message-received"] == names[3:6]
    assert ("watch-ended", "BD6", "SYNTHETIC words") == (
        names[-1],
        lines[1]["code"],
        lines[2]["text"],
    )
    assert ["clearing/system-text", "clearing/events-lost"] == [one.event for one in told][:2]
    proven = (bench.folder / "proof" / "data" / "events.jsonl").read_text(encoding="utf-8")
    assert "gate-decided" in proven
    assert "SYNTHETIC words" in proven
    assert "trade_number_i" not in proven


async def test_watching_ends_with_the_session(
    bench: StandInBench, capsys: pytest.CaptureFixture[str]
) -> None:
    watching = asyncio.ensure_future(hkex_ops("clearing", "watch"))
    assert await noticed(subscribed(bench))
    await bench.take_down(0)
    assert 4 == await watching
    shown = capsys.readouterr()
    assert f"logged in at {bench.gateways[0]}" in shown.out
    assert "log in again" in shown.err


async def test_every_gateway_is_checked(
    bench: StandInBench, capsys: pytest.CaptureFixture[str]
) -> None:
    await hkex_ops("clearing", "check", "--json", "--evidence", "proof")
    document = json.loads(capsys.readouterr().out)
    assert [(str(one), "ZZSYN01BO801") for one in bench.gateways] == [
        (one["gateway"], one["user_code"]) for one in document["gateways"] if one["user_code"]
    ]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"library": "none.so"}, "there is no OAPI library at"),
        ({"library": "password"}, "is no shared library"),
        ({"layouts": "none.toml"}, "there is no layout file at"),
        ({"layouts": "password"}, "is not TOML"),
        ({"password_file": "none"}, "there is no file at"),
        ({"byte_order": "big"}, "the library says that messages are little-endian"),
        ({"user": ""}, "user must be a text of ASCII"),
    ],
    ids=str,
)
async def test_each_wrong_input_is_one_sentence_and_exit_6(
    bench: StandInBench,
    changed: dict[str, object],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure(bench, **changed)
    assert 6 == await hkex_ops("clearing", "check", "--json")
    told = json.loads(capsys.readouterr().out)["error"]
    assert sentence in told["message"]


async def test_a_wrong_password_is_refused_and_told_nowhere(
    bench: StandInBench, capsys: pytest.CaptureFixture[str]
) -> None:
    (bench.folder / "password").write_text("Nobody-Knows-1\n", encoding="utf-8")
    await hkex_ops("clearing", "check", "--verbose", "--evidence", "proof")
    shown = capsys.readouterr()
    kept = [path for path in (bench.folder / "proof").rglob("*") if path.is_file()]
    assert kept
    for text in (shown.out, shown.err, *(path.read_text(encoding="utf-8") for path in kept)):
        assert "Nobody-Knows-1" not in text
    assert "do not try again before it is put right" in " ".join(shown.out.split())
