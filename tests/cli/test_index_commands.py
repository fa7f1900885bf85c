"""``hkex-ops index``: what is asked wrongly is said in one sentence, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import frozen

from hkex_ops.model import IndexTick, TickKind, format_tick
from tests.cli import folder_source
from tests.cli.program import Ended, Program, require_refused
from tests.flows.index_market import BASKET_FILE, DAY, TEN, Market
from tests.flows.tape_feed import Tape

CONFIGURATION = """\
[market_feeds.tape]
adapter = "tape"
[market_feeds.tape.options]
tape = "tape"
channels = [1, 30]

[index_publishers.lines]
adapter = "lines"
[index_publishers.lines.options]
file = "ticks.jsonl"

[index_feeds.written]
adapter = "written"
[index_feeds.written.options]
file = "ticks.jsonl"

[index]
baskets = "baskets.toml"
folder = "runs"
publish = ["lines"]
"""

RUN = ("run", "--business-date", str(DAY))


@frozen
class Desk:
    """A home with a configuration of an index, and nothing under way."""

    program: Program

    @property
    def home(self) -> Path:
        """Where everything lies."""
        return self.program.home

    def configure(self, *changes: tuple[str, str]) -> None:
        """Write the configuration, with something in it replaced."""
        text = CONFIGURATION
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        (self.home / "config.toml").write_text(text, "utf-8")

    def both_ways(self, *words: str) -> Iterator[Ended]:
        """The same command for a person and for a program."""
        line = ("index", *words, "--config", "config.toml")
        yield self.program.here(*line)
        yield self.program.here(*line, "--json")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    site, home = tmp_path / "site", tmp_path / "home"
    folder_source.install(site, "tape-source", module="tests.flows.tape_feed")
    home.mkdir()
    desk = Desk(Program(home, (site,)))
    desk.configure()
    (home / "baskets.toml").write_text(BASKET_FILE, "utf-8")
    Tape(home / "tape").close()
    return desk


class TestRun:
    @pytest.mark.parametrize(
        ("words", "code", "kind", "said"),
        [
            (["run"], 6, "ConfigError", "name that day's baskets, or give --business-date"),
            ([*RUN, "--baskets", "none.toml"], 6, "ConfigError", "there is no basket file at"),
            ([*RUN, "--feed", "tepe"], 2, "UsageError", "did you mean 'tape'?"),
            ([*RUN, "--publish", "lines,nats"], 2, "UsageError", "no index publisher 'nats'"),
            ([*RUN, "--engines", "0"], 2, "UsageError", "0 engines cannot be run: 1 to 14 can"),
            ([*RUN, "--engines", "15"], 2, "UsageError", "15 engines cannot be run"),
            (["run", "--business-date", "20/11/2026"], 2, "UsageError", "write it as 2023-04-14"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_it_says_who_must_do_what(
        self, desk: Desk, words: list[str], code: int, kind: str, said: str
    ) -> None:
        for ended in desk.both_ways(*words):
            require_refused(ended, code, kind, said)
        assert not (desk.home / "runs").exists()

    @pytest.mark.parametrize(
        ("before", "after", "code", "kind", "said"),
        [
            ('baskets = "baskets.toml"\n', "", 6, "ConfigError", "names no basket file"),
            ('folder = "runs"\n', "", 6, "ConfigError", "names no folder for runs"),
            ('publish = ["lines"]\n', "", 2, "UsageError", "nothing would be published"),
            ('adapter = "tape"', 'adapter = "omd-multicast"', 6, "ConfigError", "on offer: tape"),
            ("channels = [1, 30]", "chanels = [1]", 6, "ConfigError", "did you mean 'channels'?"),
        ],
        ids=["no-baskets", "no-folder", "no-publisher", "no-plug-in", "bad-options"],
    )
    def test_a_configuration_that_lacks_something_is_said(
        self, desk: Desk, before: str, after: str, code: int, kind: str, said: str
    ) -> None:
        desk.configure((before, after))
        for ended in desk.both_ways(*RUN):
            assert (code, True) == (ended.code, said in ended.stderr)
        assert not (desk.home / "runs").exists()

    def test_without_the_plug_in_it_says_which_to_install(self, desk: Desk) -> None:
        bare = Desk(Program(desk.home))
        for ended in bare.both_ways(*RUN):
            require_refused(ended, 6, "ConfigError", "install a plug-in such as hkex-ops-omd")

    def test_settings_that_make_no_sense_are_told_at_once(self, desk: Desk) -> None:
        desk.configure(
            ("[index]\n", "[index.rules]\ninterval_s = 0\n[index.run]\nhold_back_ms = 5\n[index]\n")
        )
        shown, _ = desk.both_ways(*RUN)
        assert [
            "  index.rules.interval_s: is 0; the least that makes sense is 1",
            "  index.run.hold_back_ms: must be at least 10",
        ] == shown.stderr.splitlines()[1:3]


class TestCheck:
    def test_a_sound_file_is_summed_up(self, desk: Desk) -> None:
        ended = desk.program.here("index", "check", "baskets.toml", "--json")
        document = ended.document
        assert (0, ["0000100", "0001400"], 3, []) == (
            ended.code,
            document["indexes"],
            document["securities"],
            document["faults"],
        )
        ended = desk.program.here("index", "check", "baskets.toml")
        assert f"baskets.toml is sound: 2 indexes of 3 stocks, for {DAY}" == ended.words

    def test_every_fault_is_told_with_its_path(self, desk: Desk) -> None:
        text = BASKET_FILE.replace("security = 5,", "security = 0,").replace('"20000.00"', '"0"')
        (desk.home / "baskets.toml").write_text(text, "utf-8")
        ended = desk.program.here("index", "check", "baskets.toml", "--json")
        assert (1, ["baskets[0].constituents[0].security", "baskets[0].previous_close"]) == (
            ended.code,
            [fault["path"] for fault in ended.document["faults"]],
        )
        for refused in desk.both_ways(*RUN):
            assert (6, True) == (refused.code, "2 faults" in refused.stderr)

    def test_a_file_that_is_not_there_is_no_finding(self, desk: Desk) -> None:
        ended = desk.program.here("index", "check", "none.toml", "--json")
        require_refused(ended, 6, "ConfigError", "there is no basket file at none.toml")


class TestAsking:
    @pytest.mark.parametrize(
        "words",
        [
            ["status"],
            ["watch"],
            ["contingency", "declare", "--by", "Chan", "--reason", "values look wrong"],
        ],
    )
    def test_where_no_run_is_under_way_it_exits_4(self, desk: Desk, words: list[str]) -> None:
        for ended in desk.both_ways(*words, "--business-date", str(DAY)):
            require_refused(ended, 4, "Unreachable", "start one with hkex-ops index run")
        assert not (desk.home / "runs").exists()

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["contingency", "declare"], "--by"),
            (["contingency", "abolish", "--by", "Chan", "--reason", "x"], "stand-down"),
            (
                ["contingency", "declare", "--by", "Chan", "--reason", "x", "--vouch"],
                "--vouch is for stand-down",
            ),
            (["watch", "--count", "0"], "0 ticks are nothing to watch"),
            (["watch", "--feed", "wirtten"], "did you mean 'written'?"),
            (["record", "--out", "a.pcapng", "--packets", "0"], "0 packets are no recording"),
            (["record", "--out", "a.pcapng", "--seconds", "0"], "0 seconds are no recording"),
            (["record", "--out", "a.pcapng", "--feed", "tepe"], "did you mean 'tape'?"),
            (["record", "--out", "a.pcapng", "--file-seconds", "0"], "file_s of a recording is 0"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_a_question_that_makes_no_sense_exits_2(
        self, desk: Desk, words: list[str], said: str
    ) -> None:
        for ended in desk.both_ways(*words):
            assert (2, True) == (ended.code, said in ended.stderr)
        assert not (desk.home / "a.pcapng").exists()


class TestWatch:
    @pytest.fixture
    def written(self, desk: Desk) -> list[IndexTick]:
        """Ticks that somebody published, the last of them by the contingency path."""
        ticks = [
            IndexTick("0000100", TEN, Decimal("20000.00"), previous_close=Decimal("19990.00")),
            IndexTick("0001400", TEN, Decimal("8000.00"), stale=(941,)),
            IndexTick(
                "0000100",
                TEN + timedelta(seconds=15),
                Decimal("20001.50"),
                kind=TickKind.CONTINGENCY,
            ),
        ]
        lines = "".join(f"{format_tick(tick)}\n" for tick in ticks)
        (desk.home / "ticks.jsonl").write_text(lines, "utf-8")
        return ticks

    @pytest.mark.usefixtures("written")
    def test_where_there_is_no_terminal_a_tick_is_a_line(self, desk: Desk) -> None:
        ended, _ = desk.both_ways("watch", "--feed", "written")
        assert [
            "10:00:00  0000100     20000.00  T",
            "10:00:00  0001400      8000.00  T  stale: 1",
            "10:00:15  0000100     20001.50  T  contingency",
        ] == ended.stdout.splitlines()

    def test_as_json_a_tick_is_a_document_a_line(
        self, desk: Desk, written: list[IndexTick]
    ) -> None:
        _, ended = desk.both_ways("watch", "--feed", "written", "--count", "2")
        assert [format_tick(tick) for tick in written[:2]] == ended.stdout.splitlines()


class TestRecord:
    def test_what_comes_is_kept_and_nothing_is_overwritten(self, desk: Desk) -> None:
        market, tape = Market(), Tape(desk.home / "tape")
        for batch in market.begin():
            tape.write(batch)
        tape.end()
        tape.close()
        shown, told = desk.both_ways("record", "--out", "day.pcapng")
        assert (0, "day.pcapng: 4 packets of 2 channels") == (shown.code, shown.words[:35])
        require_refused(told, 6, "StoreError", "nothing is ever overwritten")
        again = desk.program.here(
            *("index", "record", "--out", "part.pcapng", "--packets", "3"),
            *("--config", "config.toml", "--json"),
        )
        assert {"file": "part.pcapng", "feed": "tape", "packets": 3, "channels": [1, 30]} == {
            key: value for key, value in again.document.items() if key != "size_bytes"
        }
        assert (desk.home / "part.pcapng").stat().st_size == again.document["size_bytes"]

    def test_with_a_limit_to_a_file_the_next_one_is_begun(self, desk: Desk) -> None:
        """The folder is made; together the files hold what one would."""
        market, tape = Market(), Tape(desk.home / "tape")
        batches = market.begin()
        for batch in batches:
            tape.write(batch)
            tape.write(batch._replace(received_ns=batch.received_ns + 60 * 10**9))
        tape.end()
        tape.close()
        ended = desk.program.here(
            *("index", "record", "--out", "kept", "--file-seconds", "60"),
            *("--config", "config.toml", "--json"),
        )
        files = ended.document["files"]
        names = sorted(path.name for path in (desk.home / "kept").iterdir())
        assert names == [Path(one["file"]).name for one in files]
        assert 2 * len(batches) == sum(one["packets"] for one in files)
        assert len(names) > 1
