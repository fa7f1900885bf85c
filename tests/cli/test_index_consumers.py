"""``hkex-ops index settlement`` and ``calls`` on files and feeds, as an operator runs them."""

from __future__ import annotations

import csv
import signal
import subprocess
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve

from hkex_ops.config.shipped import load_calendar
from hkex_ops.index.marks import settlement_marks
from hkex_ops.model import HONG_KONG, IndexStatus, IndexTick, TickKind
from hkex_ops.model.ticks import format_tick
from tests.cli import folder_source, index_feed_source
from tests.cli.program import HKEX_OPS, TIMEOUT_S, Program, require_refused

HSI = "0000100"
FRIDAY = load_calendar().day(datetime(2010, 1, 22, tzinfo=HONG_KONG).date())
SWALLOWED = [f"10:{minute:02}:00" for minute in range(5, 31, 5)]
PRODUCTS = """\
product,index,direction,category,strike,call_level,entitlement_ratio,issuer
61001,HSI,bull,R,20300,20500,10000,Issuer A
61002,HSI,bear,N,20900,20900,10000,
"""
TRADES = """\
trade,product,buyer,seller,time,price,quantity
1,61001,P01,P02,10:31:00,0.100,10000
2,61001,P02,P03,10:31:05,0.101,20000
3,61001,P02,P03,10:30:30,0.101,20000
"""


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2010-01-22T{text}").replace(tzinfo=HONG_KONG)


def tick(text: str, value: str, kind: TickKind = TickKind.REAL_TIME, **more: str) -> IndexTick:
    figures = {name: Decimal(figure) for name, figure in more.items()}
    return IndexTick(HSI, at(text), Decimal(value), kind=kind, **figures)


def published() -> list[IndexTick]:
    """A day at 20511.75 whose readings from 10:05 to 10:30 were swallowed."""
    lost = {at(text) for text in SWALLOWED}
    marks = [one.instant for one in settlement_marks(FRIDAY) if not one.closing]
    ticks = [
        IndexTick(HSI, mark, Decimal("20511.75"), low=Decimal("20496.05"))
        for mark in marks
        if mark not in lost
    ]
    closing = IndexTick(HSI, at("16:01:00"), Decimal("20726.00"), status=IndexStatus.CLOSING)
    return [tick("10:32:45", "20511.75", low="20496.05"), *ticks, closing]


def recalculated() -> list[IndexTick]:
    found = tick("10:30:30", "20496.05", TickKind.RECALCULATED)
    return [*(tick(text, "20511.75", TickKind.RECALCULATED) for text in SWALLOWED), found]


@pytest.fixture
def desk(program: Program) -> Program:
    """A program whose folder holds the day's files."""
    write(program.home / "published.jsonl", published())
    write(program.home / "recalculated.jsonl", recalculated())
    (program.home / "products.csv").write_text(PRODUCTS, encoding="utf-8")
    (program.home / "trades.csv").write_text(TRADES, encoding="utf-8")
    return program


def write(path: Path, ticks: Iterable[IndexTick]) -> None:
    path.write_text("".join(f"{format_tick(one)}\n" for one in ticks), encoding="utf-8")


NIGHT = "2010-01-22T20:00"
SETTLE = ("index", "settlement", "--index", "HSI", "--date", "2010-01-22")
CALLS = ("index", "calls", "--products", "products.csv", "--date", "2010-01-22")


class TestSettlement:
    def test_swallowed_marks_are_a_finding_and_every_policy_is_told(self, desk: Program) -> None:
        ended = desk.here(*SETTLE, "--ticks", "published.jsonl", "--json")
        document = ended.document
        assert (1, None, 6) == (ended.code, document["eas"], document["missing"])
        missing = [one["at"] for one in document["marks"] if one["kind"] == "missing"]
        assert [at(text).isoformat() for text in SWALLOWED] == missing
        given = {(one["setting"], one["value"]): one["eas"] for one in document["policies"]}
        exact = (Decimal("20511.75") * 41 + Decimal("20726.00")) / 42
        assert str(round(exact, 2)) == given["missing", "omit"]
        assert {"lunch_edges", "missing", "closing", "final_rounding"} <= set(document["sources"])

    def test_recalculated_readings_fill_it(self, desk: Program) -> None:
        files = ("--ticks", "published.jsonl", "--ticks", "recalculated.jsonl")
        ended = desk.here(*SETTLE, *files, "--json")
        exact = (Decimal("20511.75") * 47 + Decimal("20726.00")) / 48
        document = ended.document
        assert (0, str(round(exact, 2)), "20516") == (
            ended.code,
            document["eas"],
            document["final_settlement_price"],
        )
        assert ("0000100", "2010-01-22", 48) == (
            document["index"],
            document["date"],
            len(document["marks"]),
        )

    def test_during_the_day_it_is_an_estimate(self, desk: Program) -> None:
        now = ("--at", "2010-01-22T10:36")
        ended = desk.here(*SETTLE, "--ticks", "published.jsonl", *now, "--json")
        document = ended.document
        assert (41, 6) == (document["open"], document["missing"])
        assert ["10:35"] == [
            one["at"][11:16] for one in document["marks"] if one["kind"] == "published"
        ]

    def test_a_person_sees_the_marks_that_are_not_simply_published(self, desk: Program) -> None:
        ended = desk.here(*SETTLE, "--ticks", "published.jsonl")
        assert "10:05:00 missing" in ended.words
        assert "A mark has no value of any kind" in ended.words

    def test_a_run_of_the_index_is_read_from_its_folder(self, desk: Program) -> None:
        (desk.home / "no-run").mkdir()
        ended = desk.here(*SETTLE, "--ticks", "no-run", "--json")
        require_refused(ended, 6, "ConfigError", "there is no run at no-run")

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ((*SETTLE[:-1], "2010-01-23", "--ticks", "published.jsonl"), "no trading day"),
            (SETTLE, "name --ticks FILE, --capture FILE, --feed NAME"),
            (
                (
                    "index",
                    "settlement",
                    "--index",
                    "HSIX",
                    *SETTLE[4:],
                    "--ticks",
                    "published.jsonl",
                ),
                "there is no tick of HSIX on 2010-01-22",
            ),
        ],
    )
    def test_a_question_that_makes_no_sense_is_refused(
        self, desk: Program, arguments: tuple[str, ...], said: str
    ) -> None:
        require_refused(desk.here(*arguments, "--json"), 2, "UsageError", said)

    def test_a_file_that_holds_something_else_is_told_line_by_line(self, desk: Program) -> None:
        (desk.home / "other.jsonl").write_text('{"version": 1}\nnonsense\n', encoding="utf-8")
        ended = desk.here(*SETTLE, "--ticks", "other.jsonl", "--json")
        assert 6 == ended.code
        message = ended.document["error"]["message"]
        assert "line 1: " in message
        assert "line 2: is not JSON" in message


class TestCalls:
    def test_the_day_low_suspends_and_the_moment_is_unknown(self, desk: Program) -> None:
        files = ("--ticks", "published.jsonl", "--trades", "trades.csv")
        ended = desk.here(*CALLS, *files, "--json")
        document = ended.document
        [call] = document["calls"]
        assert (1, "61001", None, "low", "20496.05") == (
            ended.code,
            call["product"],
            call["time"],
            call["by"],
            call["index_value"],
        )
        assert [{"product": "61001", "at": at("10:32:45").isoformat()}] == document["suspended"]
        assert ([], 3) == (document["trades_to_cancel"], len(document["undecided"]))

    def test_recalculated_ticks_find_the_moment_and_the_trades(self, desk: Program) -> None:
        files = ("--ticks", "published.jsonl", "--ticks", "recalculated.jsonl")
        ended = desk.here(*CALLS, *files, "--trades", "trades.csv", "--out", "out", "--json")
        document = ended.document
        [call] = document["calls"]
        assert (at("10:30:30").isoformat(), "value") == (call["time"], call["by"])
        assert {"trades": 2, "products": 1, "turnover": "3020.000"} == document["totals"]
        assert ["3"] == [one["trade"] for one in document["ties"]]
        assert ("2010-01-22T18:00:00+08:00", "2010-01-25") == (
            document["files_due"],
            document["cancelled_by"],
        )
        made = sorted(
            str(path.relative_to(desk.home / "out"))
            for path in (desk.home / "out").rglob("*")
            if path.is_file()
        )
        participants = [f"participants/P0{number}.csv" for number in (1, 2, 3)]
        assert ["announcement-61001.txt", "calls.json", *participants] == made
        text = (desk.home / "out/participants/P02.csv").read_text(encoding="utf-8")
        rows = list(csv.DictReader(text.splitlines()))
        assert [("1", "sell"), ("2", "buy")] == [(one["trade"], one["side"]) for one in rows]

    def test_files_are_never_written_over_others(self, desk: Program) -> None:
        (desk.home / "out").mkdir()
        files = ("--ticks", "published.jsonl", "--out", "out")
        require_refused(desk.here(*CALLS, *files, "--json"), 6, "StoreError", "is there already")

    def test_a_person_is_told_the_hour_by_which_files_are_due(self, desk: Program) -> None:
        files = ("--ticks", "published.jsonl", "--ticks", "recalculated.jsonl")
        now = ("--at", "2010-01-22T17:10")
        ended = desk.here(*CALLS, *files, "--trades", "trades.csv", *now)
        assert "Trade files are due by 18:00, in 0 h 50 min" in ended.words

    def test_products_with_faults_are_told_and_nothing_is_computed(self, desk: Program) -> None:
        wrong = PRODUCTS.replace("20300,20500", "20500,20300")
        (desk.home / "products.csv").write_text(wrong, encoding="utf-8")
        ended = desk.here(*CALLS, "--ticks", "published.jsonl", "--json")
        require_refused(ended, 6, "ConfigError", "line 2, column call_level")

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            ("4,61001,P01,P02,09:29:59,0.100,10000", "line 5, column time: "),
            (
                "1,61001,P01,P02,10:31:00,0.100,10000",
                "line 5, column trade: 1 is on line 2 already",
            ),
            ("4,61001,P01,P02,10:31:00,0.100", "line 5: has 6 cells, and there are 7 columns"),
        ],
    )
    def test_a_trade_that_cannot_be_is_told_and_nothing_is_computed(
        self, desk: Program, row: str, said: str
    ) -> None:
        """Before the open, of a number that another has, or cut off: each by its line."""
        (desk.home / "trades.csv").write_text(f"{TRADES}{row}\n", encoding="utf-8")
        files = ("--ticks", "published.jsonl", "--trades", "trades.csv", "--out", "out")
        ended = desk.here(*CALLS, *files, "--json")
        require_refused(ended, 6, "ConfigError", "trades.csv", said)
        assert not (desk.home / "out").exists()


FEEDS = """\
[index_feeds.told]
adapter = "told"

[index_feeds.told.options]
file = "published.jsonl"

[index_feeds.endless]
adapter = "told"

[index_feeds.endless.options]
file = "published.jsonl"
waits = true
"""
LINES = """\
[index_feeds.told]
adapter = "json-lines"

[index_feeds.told.options]
file = "published.jsonl"
"""


class TestFeeds:
    """What is published live is worked as what was kept, and an early end is an end."""

    @pytest.fixture
    def wired(self, desk: Program, tmp_path: Path) -> Program:
        """The desk with a plug-in that offers a feed."""
        folder_source.install(tmp_path / "site", "told", module=index_feed_source.__name__)
        (desk.home / "config.toml").write_text(FEEDS, encoding="utf-8")
        return evolve(desk, path=(tmp_path / "site",))

    @pytest.mark.parametrize("command", [SETTLE, CALLS])
    def test_a_feed_gives_the_answer_that_its_file_gives(
        self, wired: Program, command: tuple[str, ...]
    ) -> None:
        kept = wired.here(*command, "--ticks", "published.jsonl", "--at", NIGHT, "--json")
        live = ("--feed", "told", "--config", "config.toml", "--at", NIGHT, "--json")
        ended = wired.here(*command, *live)
        assert (kept.code, kept.document) == (ended.code, ended.document)

    def test_a_feed_goes_on_where_a_file_ended(self, wired: Program) -> None:
        files = ("--ticks", "recalculated.jsonl", "--feed", "told", "--config", "config.toml")
        ended = wired.here(*CALLS, *files, "--trades", "trades.csv", "--json")
        assert {"trades": 2, "products": 1, "turnover": "3020.000"} == ended.document["totals"]
        assert "61001 suspended: value 20496.05" in ended.stderr

    def test_files_of_a_publisher_are_followed_as_they_grow(self, desk: Program) -> None:
        pytest.importorskip("hkex_ops_basic", reason="files are followed by hkex-ops-basic")
        (desk.home / "config.toml").write_text(LINES, encoding="utf-8")
        basic = evolve(desk, plugins=frozenset({"hkex-ops-basic"}))
        kept = basic.here(*SETTLE, "--ticks", "published.jsonl", "--at", NIGHT, "--json")
        live = ("--feed", "told", "--config", "config.toml", "--at", NIGHT, "--json")
        assert kept.document == basic.here(*SETTLE, *live).document

    def test_ctrl_c_ends_with_the_answer_so_far(self, wired: Program) -> None:
        """While it goes on, every reading is told with the estimate as it then stands."""
        source = ("--feed", "endless", "--config", "config.toml")
        process = subprocess.Popen(
            [HKEX_OPS, *SETTLE, *source, "--at", "2010-01-22T15:00", "--json"],
            cwd=wired.home,
            env=wired.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stderr is not None
            last = next(line for line in process.stderr if line.startswith("15:00:00"))
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=TIMEOUT_S)
        assert "15:00:00 read 20511.75 (published); EAS so far" in last
        assert "Traceback" not in stderr
        assert 1 == process.returncode
        assert '"open": 12' in stdout
        assert '"missing": 6' in stdout

    def test_ctrl_c_ends_a_watch_and_is_no_fault(self, wired: Program) -> None:
        process = subprocess.Popen(
            [HKEX_OPS, "index", "watch", "--feed", "endless", "--config", "config.toml"],
            cwd=wired.home,
            env=wired.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stdout is not None
            assert process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=TIMEOUT_S)
        assert (0, "") == (process.returncode, stderr)

    def test_a_feed_that_nobody_configured_is_told(self, wired: Program) -> None:
        arguments = ("--feed", "tolled", "--config", "config.toml", "--json")
        ended = wired.here(*SETTLE, *arguments)
        assert ended.code in (2, 6)
        assert "told" in ended.message
