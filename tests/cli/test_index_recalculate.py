"""``hkex-ops index recalculate``: an outage computed again, as an operator asks for it."""

from __future__ import annotations

import csv
import json
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve

from hkex_ops.model import HONG_KONG, IndexTick, TickKind
from hkex_ops.model.ticks import format_event, format_tick, parse_tick
from tests.cli.program import Program, require_refused
from tests.flows.index_capture import capture_of, day_of_market, ticks_of
from tests.flows.index_market import BASKET_FILE, DAY

HSI = "0000100"
MARKET = day_of_market()
TICKS = ticks_of(MARKET)
OUTAGE = ("09:30:20", "09:30:40")
ASK = ("index", "recalculate", "day.pcapng", "--baskets", "baskets.toml")
STRETCH = ("--from", OUTAGE[0], "--to", OUTAGE[1])


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{DAY}T{text}").replace(tzinfo=HONG_KONG)


LOST = [one for one in TICKS if at(OUTAGE[0]) <= one.at <= at(OUTAGE[1])]


@pytest.fixture
def desk(program: Program) -> Program:
    """A folder with a capture of the day, its baskets, and what was shown with and without a
    hole."""
    capture_of(program.home / "day.pcapng", MARKET)
    (program.home / "baskets.toml").write_text(BASKET_FILE, encoding="utf-8")
    write(program.home / "all.jsonl", TICKS)
    write(program.home / "hole.jsonl", [one for one in TICKS if one not in LOST])
    return program


def write(path: Path, ticks: list[IndexTick], *events: str) -> None:
    lines = [*map(format_tick, ticks), *events]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


class TestValues:
    def test_every_tick_is_the_live_engines_and_is_marked(self, desk: Program) -> None:
        """With its own high and low, and beside it what was shown of its moment."""
        ended = desk.here(*ASK, *STRETCH, "--shown", "hole.jsonl", "--json")
        expected = [
            {
                "index": one.index,
                "time": one.at.isoformat(),
                "value": str(one.value),
                "high": str(one.high),
                "low": str(one.low),
                "kind": "recalculated",
                "published": None,
                "contingency": None,
                "difference": None,
            }
            for one in LOST
        ]
        assert (1, 22, 22, 0) == (
            ended.code,
            len(expected),
            ended.document["missing"],
            ended.document["different"],
        )
        assert expected == ended.document["ticks"]

    def test_a_day_without_an_outage_changes_nothing(self, desk: Program) -> None:
        ended = desk.here(*ASK, "--shown", "all.jsonl", "--json")
        document = ended.document
        assert (0, 0, 0, 0) == (
            ended.code,
            document["missing"],
            document["different"],
            document["strays"],
        )
        assert len(TICKS) == len(document["ticks"])

    def test_a_value_that_was_shown_otherwise_is_told(self, desk: Program) -> None:
        wrong = evolve(LOST[0], value=LOST[0].value + Decimal("0.25"))
        mailed = evolve(LOST[2], kind=TickKind.CONTINGENCY)
        write(desk.home / "wrong.jsonl", [wrong, mailed])
        ended = desk.here(*ASK, *STRETCH, "--shown", "wrong.jsonl", "--json")
        first, _, third, *_ = ended.document["ticks"]
        assert (1, 21, 1) == (ended.code, ended.document["missing"], ended.document["different"])
        assert ("0.25", None) == (first["difference"], first["contingency"])
        assert (None, str(mailed.value), "0.00") == (
            third["published"],
            third["contingency"],
            third["difference"],
        )

    def test_one_index_alone_has_the_same_values(self, desk: Program) -> None:
        ended = desk.here(*ASK, *STRETCH, "--index", "HSI", "--json")
        own = [str(one.value) for one in LOST if one.index == HSI]
        assert own == [one["value"] for one in ended.document["ticks"]]

    def test_another_run_that_was_kept_gives_them_without_a_capture(self, desk: Program) -> None:
        ended = desk.here(
            *("index", "recalculate", "all.jsonl", "--baskets", "baskets.toml"),
            *(*STRETCH, "--shown", "hole.jsonl", "--json"),
        )
        assert [str(one.value) for one in LOST] == [one["value"] for one in ended.document["ticks"]]
        assert {"recalculated"} == {one["kind"] for one in ended.document["ticks"]}

    def test_shown_values_of_another_grid_are_no_answer(self, desk: Program) -> None:
        ended = desk.here(*ASK, "--interval", "4", "--shown", "all.jsonl", "--json")
        assert (1, len(TICKS) // 2) == (ended.code, ended.document["strays"])

    def test_a_capture_without_sessions_goes_by_the_calendar(self, desk: Program) -> None:
        capture_of(desk.home / "day.pcapng", day_of_market(sessions=False))
        ended = desk.here(*ASK, *STRETCH)
        assert "the calendar's hours were taken" in ended.words
        ended = desk.here(*ASK, *STRETCH, "--json")
        assert [str(one.value) for one in LOST] == [one["value"] for one in ended.document["ticks"]]

    def test_what_the_capture_lacks_is_told(self, desk: Program) -> None:
        lost = next(one for one in MARKET[20:] if one.channel == 30 and one.packets[0][2] == 1)
        capture_of(desk.home / "day.pcapng", [one for one in MARKET if one is not lost])
        ended = desk.here(*ASK, "--shown", "all.jsonl", "--json")
        [gap] = ended.document["lacking"]
        assert (1, 30, gap["begin"]) == (ended.code, gap["channel"], gap["end"])


class TestFiles:
    def test_json_lines_are_ticks_again(self, desk: Program) -> None:
        desk.here(*ASK, *STRETCH, "--out", "made.jsonl")
        lines = (desk.home / "made.jsonl").read_text(encoding="utf-8").splitlines()
        expected = [
            (one.index, one.at, one.value, one.high, one.low, TickKind.RECALCULATED) for one in LOST
        ]
        ticks = [parse_tick(line) for line in lines]
        got = [(one.index, one.at, one.value, one.high, one.low, one.kind) for one in ticks]
        assert expected == got

    def test_a_table_has_the_same(self, desk: Program) -> None:
        desk.here(*ASK, *STRETCH, "--shown", "all.jsonl", "--out", "made.csv")
        text = (desk.home / "made.csv").read_text(encoding="utf-8")
        rows = list(csv.DictReader(text.splitlines()))
        assert [str(one.value) for one in LOST] == [row["value"] for row in rows]
        assert [row["value"] for row in rows] == [row["published"] for row in rows]
        assert {"0.00"} == {row["difference"] for row in rows}

    def test_parquet_is_exact(self, desk: Program) -> None:
        duckdb = pytest.importorskip("duckdb", reason="Parquet wants hkex-ops[data]")
        desk.here(*ASK, *STRETCH, "--out", "made.parquet")
        with duckdb.connect() as connection:
            rows = connection.execute(
                "SELECT index, value, epoch_us(time), kind FROM read_parquet(?)",
                [str(desk.home / "made.parquet")],
            ).fetchall()
        expected = [
            (one.index, one.value, int(one.at.timestamp()) * 1_000_000, "recalculated")
            for one in LOST
        ]
        assert expected == rows

    def test_parquet_without_its_library_says_what_to_install(
        self, desk: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "duckdb", None)
        ended = desk.here(*ASK, "--out", "a.csv", "--out", "a.parquet", "--json")
        require_refused(ended, 6, "ConfigError", "install hkex-ops[data]")
        assert not (desk.home / "a.csv").exists()

    def test_nothing_is_written_where_a_name_is_taken(self, desk: Program) -> None:
        (desk.home / "page.html").write_text("mine", encoding="utf-8")
        files = ("--out", "new.csv", "--page", "page.html")
        require_refused(
            desk.here(*ASK, *files, "--json"), 6, "StoreError", "page.html", "is there already"
        )
        assert "mine" == (desk.home / "page.html").read_text(encoding="utf-8")
        kept = ["all.jsonl", "baskets.toml", "day.pcapng", "hole.jsonl", "page.html"]
        assert kept == sorted(path.name for path in desk.home.iterdir())

    def test_the_page_shows_the_hole_what_happened_and_that_it_is_synthetic(
        self, desk: Program
    ) -> None:
        event = format_event(
            {
                "event": "mode-changed",
                "at": at("09:30:22").isoformat(),
                "name": "contingency",
                "before": "standby",
                "after": "active",
                "reason": "every engine is silent",
                "by": "",
            }
        )
        write(desk.home / "hole.jsonl", [one for one in TICKS if one not in LOST], event)
        ended = desk.here(
            *(*ASK, *STRETCH, "--shown", "hole.jsonl"),
            *("--page", "page.html", "--call-level", "20000"),
        )
        assert 1 == ended.code
        text = (desk.home / "page.html").read_text(encoding="utf-8")
        for words in ("SYNTHETIC", "not published", "call level", "every engine is silent"):
            assert words in text
        for forbidden in ("<script", "http://", "https://"):
            assert forbidden not in text


class TestWrongInput:
    def test_a_capture_that_ends_mid_packet(self, desk: Program) -> None:
        """Wherever it is cut, and whatever stretch is asked for: nothing is computed."""
        whole = (desk.home / "day.pcapng").read_bytes()
        for stretch in ((), STRETCH, ("--to", "09:30:10")):
            (desk.home / "day.pcapng").write_bytes(whole[:-7])
            ended = desk.here(*ASK, *stretch, "--out", "a.csv", "--json")
            require_refused(ended, 6, "ConfigError", "day.pcapng", "cut off", "offset")
            assert not (desk.home / "a.csv").exists()

    def test_baskets_of_another_date(self, desk: Program) -> None:
        other = BASKET_FILE.replace("2026-11-20", "2026-11-19")
        (desk.home / "other.toml").write_text(other, encoding="utf-8")
        arguments = ("index", "recalculate", "day.pcapng", "--baskets", "other.toml", "--json")
        require_refused(
            desk.here(*arguments), 6, "ConfigError", "day.pcapng", "is of 2026-11-20", "2026-11-19"
        )
        asked = ("--from", "2026-11-20T09:30", "--to", "2026-11-20T09:31")
        require_refused(
            desk.here(*arguments, *asked),
            *(6, "ConfigError", "other.toml", "baskets[0].business_date", "is 2026-11-19"),
        )

    @pytest.mark.parametrize(
        ("more", "kind", "said"),
        [
            (("--from", "2026-11-21T09:30", "--to", "2026-11-21T10:00"), 2, "no trading day"),
            (("--from", "09:31", "--to", "09:30"), 2, "before"),
            (("--from", "half past"), 2, "is no ISO 8601 time"),
            (("--index", "HSTECH"), 2, "has no basket of HSTECH; it has HSI, HSCEI"),
            (("--out", "a.xlsx"), 2, "must end in one of .csv, .jsonl, .parquet"),
            (("--call-level", "high"), 2, "is no number"),
            (("--from", "12:10", "--to", "12:20"), 2, "there is no value from 12:10:00"),
            (("--interval", "0"), 2, "is no distance between ticks"),
            (("--shown", "nowhere.jsonl"), 6, "there is no file of ticks"),
            (("--base-port", "60000"), 6, "none is of a channel"),
        ],
    )
    def test_a_question_that_makes_no_sense_is_refused(
        self, desk: Program, more: tuple[str, ...], kind: int, said: str
    ) -> None:
        name = {2: "UsageError", 6: "ConfigError"}[kind]
        require_refused(desk.here(*ASK, *more, "--json"), kind, name, said)

    def test_files_that_are_not_there_or_are_none(self, desk: Program) -> None:
        for name, said in (("baskets.toml", "begins as no pcap"), ("none.pcap", "no capture at")):
            arguments = ("index", "recalculate", name, "--baskets", "baskets.toml", "--json")
            require_refused(desk.here(*arguments), 6, "ConfigError", said)

    def test_damage_behind_the_stretch_is_found(self, desk: Program) -> None:
        data = bytearray((desk.home / "day.pcapng").read_bytes())
        data[-300:-200] = bytes(100)
        (desk.home / "day.pcapng").write_bytes(bytes(data))
        ended = desk.here(*ASK, "--to", "09:30:10", "--json")
        require_refused(ended, 6, "ConfigError", "day.pcapng", "offset")


class TestConsumers:
    """Settlement and calls read captures as they read files."""

    def test_settlement_and_calls_from_a_capture(self, desk: Program) -> None:
        capture_of(desk.home / "day.pcapng", day_of_market(320))
        source = ("--capture", "day.pcapng", "--baskets", "baskets.toml", "--json")
        day = ("--date", str(DAY))
        ended = desk.here("index", "settlement", "--index", "HSI", *day, *source)
        [mark] = [one for one in ended.document["marks"] if one["kind"] == "recalculated"]
        known = {one.at: one.value for one in ticks_of(day_of_market(320)) if one.index == HSI}
        assert str(known[at("09:35:00")]) == mark["value"]
        (desk.home / "products.csv").write_text(
            "product,index,direction,category,strike,call_level,entitlement_ratio\n"
            f"1,HSI,bear,N,{max(known.values())},{max(known.values())},10000\n",
            encoding="utf-8",
        )
        ended = desk.here("index", "calls", "--products", "products.csv", *day, *source)
        [call] = ended.document["calls"]
        first = min(moment for moment, value in known.items() if value == max(known.values()))
        assert (first.isoformat(), "value", "morning") == (
            call["time"],
            call["by"],
            call["session"],
        )

    def test_a_basket_that_is_not_there_is_told(self, desk: Program) -> None:
        source = ("--capture", "day.pcapng", "--baskets", "baskets.toml", "--json")
        arguments = ("index", "settlement", "--index", "HSTECH", "--date", str(DAY))
        require_refused(desk.here(*arguments, *source), 2, "UsageError", "no basket of HSTECH")

    def test_a_basket_of_another_date_is_told(self, desk: Program) -> None:
        source = ("--capture", "day.pcapng", "--baskets", "baskets.toml", "--json")
        arguments = ("index", "settlement", "--index", "HSI", "--date", "2026-11-19")
        require_refused(
            desk.here(*arguments, *source),
            *(6, "ConfigError", "baskets.toml", "baskets[0].business_date"),
        )


def test_json_of_the_command_is_one_document(desk: Program) -> None:
    ended = desk.here(*ASK, *STRETCH, "--json")
    assert json.loads(ended.stdout)["ticks"]
