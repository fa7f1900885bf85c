"""A simulated day as files: captures that others read, baskets beside them, and the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hkex_ops.cli.main import run
from hkex_ops.config.baskets import load_baskets
from hkex_ops.omd.capture import CaptureReader, CaptureStreams
from hkex_ops.ports import FeedLine
from hkex_ops_simulator.hsil.anchors import BUSINESS_DATE, EXACT
from hkex_ops_simulator.market.capture import pcap
from hkex_ops_simulator.market.day import MarketDay
from hkex_ops_simulator.market.lines import Delivery, Lines
from hkex_ops_simulator.market.shape import CALM, Faults, Shape
from hkex_ops_simulator.market.timetable import instant_ns
from hkex_ops_simulator.market.writing import deliveries_of, write_market

SMALL = Shape(messages=500, minutes=1, securities=20, groups=1, indexes=1)
OPTIONS = ("--messages", "500", "--minutes", "1", "--securities", "20", "--groups", "1")


def expected(faults: Faults) -> list[Delivery]:
    return list(deliveries_of(MarketDay(SMALL), Lines(faults, SMALL.seed)))


class TestCaptures:
    @pytest.mark.parametrize("suffix", [".pcap", ".pcapng"])
    def test_a_reader_finds_every_packet_with_its_channel_line_and_time(
        self, tmp_path: Path, suffix: str
    ) -> None:
        written = write_market(MarketDay(SMALL), Faults(), tmp_path / f"day{suffix}")
        reader, streams = CaptureReader(), CaptureStreams()
        found = list(reader.feed(written.capture.read_bytes()))
        read: list[Delivery] = []
        for time_ns, group, port, payload in found:
            stream = streams.of(group, port)
            assert stream is not None
            read.append(Delivery(time_ns, stream.channel, FeedLine(stream.line), payload))
        assert expected(Faults()) == read
        assert written.size_bytes == written.capture.stat().st_size

    def test_its_headers_have_the_checksum_that_makes_them_sum_to_nothing(self) -> None:
        header, first, *_ = pcap(expected(CALM))
        assert bytes.fromhex("4d3cb2a1") == header[:4]
        ip = first[16 + 14 : 16 + 34]
        total = sum(int.from_bytes(ip[at : at + 2], "big") for at in range(0, 20, 2))
        assert 0xFFFF == (total & 0xFFFF) + (total >> 16)

    def test_baskets_and_truth_lie_beside_it(self, tmp_path: Path) -> None:
        written = write_market(MarketDay(SMALL), CALM, tmp_path / "day.pcap")
        assert ["day.baskets.toml", "day.json", "day.pcap"] == sorted(
            path.name for path in tmp_path.iterdir()
        )
        [basket] = load_baskets(written.baskets)
        truth = json.loads(written.truth.read_text("utf-8"))
        assert ("0000100", SMALL.seed) == (basket.index, truth["shape"]["seed"])
        assert truth["notice"].startswith("SYNTHETIC")
        assert "SYNTHETIC" in written.baskets.read_text("utf-8").splitlines()[0]
        assert 33 == len(truth["published"])


class TestCommand:
    def test_it_writes_a_day_and_says_what_is_in_it(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "day.pcapng"
        assert 0 == run(["simulator", "market", "--out", str(out), *OPTIONS])
        said = " ".join(capsys.readouterr().out.split())
        assert "SYNTHETIC market day" in said
        assert "day.baskets.toml: 2 baskets" in said

    def test_it_answers_in_json(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        out = tmp_path / "day.pcap"
        words = ["--json", "--calm", "--seed", "7", "--feed", "full-tick"]
        assert 0 == run(["simulator", "market", "--out", str(out), *OPTIONS, *words])
        document = json.loads(capsys.readouterr().out)
        assert (str(out), 7, "full-tick") == (
            document["capture"],
            document["shape"]["seed"],
            document["shape"]["feed"],
        )
        assert {"messages", "packets", "heartbeats"} == document["counts"].keys()

    def test_the_script_of_2010_is_a_capture_too(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "hsil.pcapng"
        words = ["--script", "hsil-2010", "--calm", "--json"]
        assert 0 == run(["simulator", "market", "--out", str(out), *words])
        assert "hsil-2010" == json.loads(capsys.readouterr().out)["script"]
        truth = json.loads((tmp_path / "hsil.json").read_text("utf-8"))
        values = {(code, time_ns): cents for code, time_ns, cents, *_ in truth["published"]}
        for anchor in EXACT:
            time_ns = instant_ns(BUSINESS_DATE, anchor.at)
            assert anchor.value_cents == values[anchor.code, time_ns]
        days = {one.business_date for one in load_baskets(tmp_path / "hsil.baskets.toml")}
        assert {BUSINESS_DATE} == days

    @pytest.mark.parametrize(
        ("words", "code", "sentence"),
        [
            ([], 2, "a market day goes to one place: give --out FILE or --multicast FOLDER"),
            (["--out", "day.txt"], 2, "is no name of a capture: let it end in .pcap or .pcapng"),
            (["--out", "day.pcap", "--indexes", "48"], 2, "cannot have indexes 48"),
            (["--out", "nowhere/day.pcap"], 6, "the market day cannot be written: No such file"),
            (["--multicast", "live", "--speed", "0"], 2, "a day is not sent 0 times as fast"),
            (["--multicast", "live", "--base-port", "80"], 2, "80 is no base port"),
            (
                ["--out", "day.pcap", "--business-date", "2026-11-15"],
                2,
                "2026-11-15 is no business day (Sunday); the last one before it is 2026-11-13",
            ),
        ],
    )
    def test_wrong_words_get_one_sentence_and_leave_nothing(
        self,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
        words: list[str],
        code: int,
        sentence: str,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert code == run(["simulator", "market", *words])
        said = capsys.readouterr().err
        assert sentence in said
        assert "Traceback" not in said
        assert [] == list(tmp_path.iterdir())

    @pytest.mark.parametrize("taken", ["day.pcap", "day.json", "day.baskets.toml"])
    def test_nothing_is_overwritten(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], taken: str
    ) -> None:
        (tmp_path / taken).write_text("kept")
        assert 6 == run(["simulator", "market", "--out", str(tmp_path / "day.pcap"), *OPTIONS])
        assert "is there already and is never overwritten" in capsys.readouterr().err
        assert [taken] == [path.name for path in tmp_path.iterdir()]
        assert "kept" == (tmp_path / taken).read_text()

    def test_a_day_that_is_interrupted_leaves_no_file(self, tmp_path: Path) -> None:
        def stop(messages: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_market(MarketDay(SMALL), CALM, tmp_path / "day.pcap", stop)
        assert [] == list(tmp_path.iterdir())
