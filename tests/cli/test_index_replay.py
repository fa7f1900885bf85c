"""``hkex-ops index replay``: a whole day computed again from a capture."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from attrs import evolve

from hkex_ops.model import IndexTick, TickKind
from hkex_ops.model.ticks import parse_published, parse_tick
from tests.cli.program import Program, require_refused
from tests.flows.index_capture import capture_of, day_of_market, ticks_of
from tests.flows.index_market import BASKET_FILE

MARKET = day_of_market()
TICKS = [evolve(tick, kind=TickKind.RECALCULATED) for tick in ticks_of(MARKET)]
ASK = ("index", "replay", "day.pcapng", "--baskets", "baskets.toml")
WAYS = ["plain", "engine"]


@pytest.fixture
def desk(program: Program) -> Program:
    """A folder with a capture of the day and its baskets."""
    capture_of(program.home / "day.pcapng", MARKET)
    (program.home / "baskets.toml").write_text(BASKET_FILE, encoding="utf-8")
    return program


def written(path: Path) -> Sequence[IndexTick]:
    return [parse_tick(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("way", WAYS)
def test_the_ticks_are_those_of_the_live_engine(desk: Program, way: str) -> None:
    ended = desk.here(*ASK, "--way", way, "--out", "t.jsonl", "--out", "t.csv")
    assert (0, "") == (ended.code, ended.stderr)
    assert f"{len(TICKS)} ticks of 2 indexes, 09:30:02 to 09:31:0" in ended.stdout
    assert TICKS == written(desk.home / "t.jsonl")
    with (desk.home / "t.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [
        (tick.index, tick.at.isoformat(), str(tick.value), str(tick.high)) for tick in TICKS
    ] == [(row["index"], row["time"], row["value"], row["high"]) for row in rows]


def test_a_folder_is_read_as_the_captures_in_it(desk: Program) -> None:
    """As `index record` leaves one that begins another file now and then."""
    parts = desk.home / "parts"
    parts.mkdir()
    middle = len(MARKET) // 2
    capture_of(parts / "omd-20261117-085700.pcapng", MARKET[:middle])
    capture_of(parts / "omd-20261117-093005.pcapng", MARKET[middle:])
    ended = desk.here(*ASK[:2], "parts", *ASK[3:], "--out", "t.jsonl")
    assert (0, TICKS) == (ended.code, written(desk.home / "t.jsonl"))
    (desk.home / "empty").mkdir()
    ended = desk.here(*ASK[:2], "empty", *ASK[3:], "--json")
    require_refused(ended, 6, "ConfigError", "is a folder without a capture")


def test_numpy_gives_the_same(desk: Program) -> None:
    pytest.importorskip("numpy", reason="wants the extra `data`")
    ended = desk.here(*ASK, "--way", "vector", "--out", "t.jsonl")
    assert (0, TICKS) == (ended.code, written(desk.home / "t.jsonl"))


def test_json_is_a_tick_a_line_and_the_sum_at_the_end(desk: Program) -> None:
    ended = desk.here(*ASK, "--json")
    *ticks, end = map(parse_published, ended.stdout.splitlines())
    assert (0, "", TICKS) == (ended.code, ended.stderr, ticks)
    assert isinstance(end, dict)
    assert ("replayed", len(TICKS), 0) == (end["event"], end["ticks"], end["marked"])


def test_what_is_printed_can_be_read_as_ticks_again(desk: Program) -> None:
    (desk.home / "shown.jsonl").write_text(desk.here(*ASK, "--json").stdout, "utf-8")
    ended = desk.here(
        "index", "recalculate", *ASK[2:], "--shown", "shown.jsonl", "--json"
    )  # fmt: skip
    assert (0, []) == (ended.document["different"], ended.document["lacking"])


class TestFindings:
    @pytest.fixture
    def lossy(self, desk: Program) -> Program:
        """A packet of trades is on neither line."""
        (desk.home / "day.pcapng").unlink()
        capture_of(desk.home / "day.pcapng", [*MARKET[:20], *MARKET[21:]])
        return desk

    def test_lost_messages_are_told_and_exit_1(self, lossy: Program) -> None:
        ended = lossy.here(*ASK)
        assert 1 == ended.code
        assert "messages-lost: channel 30: " in ended.stdout
        assert "marked: stocks in them are stale" in ended.stdout

    @pytest.mark.parametrize("way", ["plain", "engine"])
    def test_ticks_that_a_loss_makes_doubtful_are_marked(self, lossy: Program, way: str) -> None:
        ended = lossy.here(*ASK, "--way", way, "--json")
        told = [json.loads(line) for line in ended.stdout.splitlines()]
        *_, end = told
        marked = [one for one in told if one.get("stale")]
        assert (1, len(marked)) == (ended.code, end["marked"])
        assert [] != marked
        assert {"messages-lost"} <= {one.get("kind") for one in told if "grave" in one}

    def test_a_capture_cut_short_is_told_with_the_values_before(self, desk: Program) -> None:
        whole = (desk.home / "day.pcapng").read_bytes()
        (desk.home / "day.pcapng").write_bytes(whole[: len(whole) * 2 // 3])
        ended = desk.here(*ASK, "--out", "t.jsonl")
        kept = written(desk.home / "t.jsonl")
        assert (1, True) == (ended.code, "capture-damaged: " in ended.stdout)
        assert TICKS[: len(kept)] == kept
        assert 10 < len(kept) < len(TICKS)

    def test_a_capture_without_a_value_says_why_it_may_be(self, desk: Program) -> None:
        ended = desk.here(*ASK, "--base-port", "60000")
        assert (1, True) == (ended.code, "no value: " in ended.stdout)
        assert "no-channel: " in ended.stdout


def test_without_sessions_values_begin_where_one_says(desk: Program) -> None:
    capture_of(desk.home / "bare.pcapng", day_of_market(sessions=False))
    words = ("index", "replay", "bare.pcapng", *ASK[3:], "--out")
    bare = desk.here(*words, "none.jsonl")
    ended = desk.here(*words, "t.jsonl", "--from", "09:30:10")
    found = [(one.index, one.at, one.value) for one in written(desk.home / "t.jsonl")]
    expected = [
        (one.index, one.at, one.value) for one in TICKS if f"{one.at:%H:%M:%S}" >= "09:30:10"
    ]
    assert (1, 0) == (bare.code, ended.code)
    assert expected == found


@pytest.mark.parametrize(
    ("words", "code", "kind", "said"),
    [
        (["none.pcapng", *ASK[3:]], 6, "StoreError", "cannot open the capture: it is not there"),
        (["baskets.toml", *ASK[3:]], 1, "", "capture-damaged"),
        (["day.pcapng"], 2, "UsageError", "name --baskets FILE"),
        ([*ASK[2:], "--out", "t.xlsx"], 2, "UsageError", "must end in one of .csv, .jsonl"),
        ([*ASK[2:], "--out", "taken.csv"], 6, "StoreError", "nothing is ever overwritten"),
        ([*ASK[2:], "--from", "nine"], 2, "UsageError", "--from 'nine' is no ISO 8601 time"),
        ([*ASK[2:], "--way", "fast"], 2, "UsageError", "plain"),
        ([*ASK[2:], "--interval", "0"], 2, "UsageError", "--interval 0 is no distance"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_asked_wrongly_is_said(
    desk: Program, words: list[str], code: int, kind: str, said: str
) -> None:
    (desk.home / "taken.csv").write_text("mine", "utf-8")
    ended = desk.here("index", "replay", *words)
    if kind:
        require_refused(ended, code, kind, said)
    else:
        assert (code, True) == (ended.code, said in ended.stdout)
    assert "mine" == (desk.home / "taken.csv").read_text("utf-8")
    assert [] == list(desk.home.glob(".*part"))
