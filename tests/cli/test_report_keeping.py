"""``hkex-ops reports`` once reports are kept: how they stand, the copy, the bag, their end."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hkex_ops.clock import ManualClock
from hkex_ops.flows.watching_reports import watch_reports
from hkex_ops.model import HONG_KONG
from tests.cli.desk import FRIDAY, Desk
from tests.cli.program import Ended, require_refused
from tests.cli.test_reports import turn_clock

DUE = """\
[[reports]]
service = "RRS"
houses = ["HKCC"]
codes = ["TP001", "TP002", "CM001"]
name = "{house}_{code}_{business_date:YYYYMMDD}.csv"
due = [{ by = "20:00", grace_min = 30 }]
"""

EVENING = f"{FRIDAY}T21:00"


def states(document: dict[str, Any]) -> list[tuple[str, str]]:
    [day] = document["days"]
    return [(one["code"], one["state"]) for one in day["reports"]]


@pytest.fixture
def due(desk: Desk) -> Desk:
    (desk.home / "catalogue.toml").write_text(DUE, encoding="utf-8")
    return desk


class TestExpected:
    def test_what_must_come_is_listed_by_its_cut_off(self, due: Desk) -> None:
        """Asked of a day, with nothing fetched and nothing connected."""
        ended = due.reports("expected", "--business-date", FRIDAY)
        assert [
            (code, f"{FRIDAY}T20:00:00+08:00", f"{FRIDAY}T20:30:00+08:00")
            for code in ("CM001", "TP001", "TP002")
        ] == [(one["code"], one["due"], one["missing_after"]) for one in ended.document["reports"]]

    def test_at_two_in_the_morning_it_is_still_the_day_before(self, due: Desk) -> None:
        """Saturday's early hours belong to Friday, whose T+1 session they close."""
        ended = due.reports("expected", "--at", "2023-04-15T02:00")
        assert FRIDAY == ended.document["business_date"]

    def test_a_day_that_is_no_business_day_is_refused(self, due: Desk) -> None:
        """With the last one before it named."""
        require_refused(due.reports("expected", "--business-date", "2023-04-15"), 2, "UsageError")


class TestStatus:
    def test_a_person_reads_each_state_once(self, due: Desk) -> None:
        """And of a date that no listing was kept of, that nobody looked."""
        due.publish_day()
        due.fetch("2023-04-13")
        when = ("--business-date", FRIDAY, "--at", EVENING, "--config", due.config)
        shown = due.program.here("reports", "status", *when).words
        assert f"missing: HKCC TP001 of {FRIDAY} missing:" in shown
        assert f"RRS of Fri {FRIDAY}, never looked at" in shown

    def test_all_held_is_well(self, due: Desk) -> None:
        """Exit 0 and no digest."""
        due.publish_day()
        due.fetch()
        ended = due.reports("status", "--business-date", FRIDAY, "--at", EVENING)
        assert (0, None) == (ended.code, ended.document["digest"])
        assert [("CM001", "held"), ("TP001", "held"), ("TP002", "held")] == states(ended.document)

    @pytest.mark.parametrize(
        ("at", "state", "code"),
        [("19:59", "expected", 0), ("20:00", "late", 0), ("20:30", "missing", 1)],
    )
    def test_what_is_not_there_is_expected_then_late_then_missing(
        self, due: Desk, at: str, state: str, code: int
    ) -> None:
        """The cut-off and its grace part the three; only missing exits 1."""
        gone, *_ = due.publish_day()
        (due.exchange / gone).unlink()
        due.fetch()
        ended = due.reports("status", "--business-date", FRIDAY, "--at", f"{FRIDAY}T{at}")
        assert code == ended.code
        assert ("CM001", state) in states(ended.document)

    def test_one_digest_names_what_is_missing(self, due: Desk) -> None:
        """A value that is ready to be sent; its key changes with what is missing."""
        due.publish_day()
        due.fetch("2023-04-13")
        ended = due.reports("status", "--business-date", FRIDAY, "--at", EVENING)
        digest = ended.document["digest"]
        assert f"RRS: 3 reports are missing for {FRIDAY}" == digest["subject"]
        assert f"- HKCC CM001 of {FRIDAY}: missing" in digest["body"].splitlines()
        assert ("desk", "reports/missing") == (digest["audience"], digest["event"])

    def test_what_lies_on_the_server_and_is_not_held_is_said_to(self, due: Desk) -> None:
        """The last listing showed it; so it is to be fetched, not asked for."""
        _, cut, _ = due.publish_day()
        due.configure(options={"goes_wrong": f"cut-short {cut}"})
        due.fetch()
        ended = due.reports("status", "--business-date", FRIDAY, "--at", EVENING)
        [day] = ended.document["days"]
        assert [True] == [one["on_server"] for one in day["reports"] if one["state"] == "missing"]

    def test_before_the_first_fetch_it_is_said_what_makes_an_archive(self, due: Desk) -> None:
        """Whoever asks first is told what to run."""
        for verb in ("status", "verify"):
            require_refused(due.reports(verb), 6, "StoreError", "no archive yet: hkex-ops reports")
        assert not due.archive.exists()

    def test_day_three_is_noticed_on_day_ten(self, due: Desk) -> None:
        """--days looks back, no further than the archive."""
        for day in ("2023-04-12", "2023-04-14"):
            due.publish_day(day)
            due.fetch(day)
        ended = due.reports("status", "--days", "10", "--business-date", FRIDAY, "--at", EVENING)
        assert [("2023-04-12", 0), ("2023-04-13", 3), (FRIDAY, 0)] == [
            (day["business_date"], day["counts"]["missing"]) for day in ended.document["days"]
        ]
        assert 1 == ended.code

    @pytest.mark.parametrize("verb", ["fetch", "status", "watch"])
    @pytest.mark.parametrize("place", ["nowhere/reports.prom", "exchange"])
    def test_metrics_that_could_not_be_written_are_refused_before_anything_is_done(
        self, due: Desk, verb: str, place: str
    ) -> None:
        """Nobody waits for a fetch to be told of a folder that is not there."""
        due.publish_day()
        metrics = due.home / place
        ended = due.reports(verb, "--business-date", FRIDAY, "--metrics", str(metrics))
        require_refused(ended, 6, "StoreError", str(metrics.parent))
        assert not due.archive.exists()

    def test_metrics_are_written_whole(self, due: Desk) -> None:
        """The text format of Prometheus, one sample for each state."""
        due.publish_day()
        metrics = due.home / "reports.prom"
        ended = due.reports("fetch", "--business-date", FRIDAY, "--metrics", str(metrics))
        assert 0 == ended.code
        lines = metrics.read_text(encoding="utf-8").splitlines()
        of = f'service="RRS",business_date="{FRIDAY}"'
        assert f'hkex_ops_reports{{{of},session="",state="held"}} 3' in lines
        assert f"hkex_ops_reports_missing{{{of}}} 0" in lines
        assert 'hkex_ops_reports_run_fetched{service="RRS"} 3' in lines
        assert [] == [path for path in due.home.iterdir() if path.name.endswith(".part")]


class TestSets:
    PAIR = DUE.replace(".csv", ".{part}").replace(
        "due =",
        'parts = { control = "ctl", data = "dat" }\n'
        "check = { form = \"control\", states = 'COUNT=(?P<count>\\d+)' }\ndue =",
    )

    def test_half_a_set_is_not_fetched_and_said_to_be_half(self, desk: Desk) -> None:
        """The other half is named; nothing of it enters the archive."""
        (desk.home / "catalogue.toml").write_text(self.PAIR, encoding="utf-8")
        desk.publish("HKCC_TP001_20230414.ctl", b"COUNT=2\n")
        ended = desk.fetch()
        assert [("incomplete-set", "HKCC_TP001_20230414.ctl")] == [
            (one["kind"], one["name"]) for one in ended.document["findings"]
        ]
        assert (1, {}) == (ended.code, desk.kept())

    def test_a_whole_set_is_kept_and_a_false_one_is_not(self, desk: Desk) -> None:
        """What the control file states is held against its data file."""
        (desk.home / "catalogue.toml").write_text(self.PAIR, encoding="utf-8")
        for code, count in (("TP001", 2), ("TP002", 3)):
            desk.publish(f"HKCC_{code}_20230414.ctl", f"COUNT={count}\n".encode())
            desk.publish(f"HKCC_{code}_20230414.dat", b"a\nb\n")
        ended = desk.fetch()
        assert {
            f"RRS/{FRIDAY}/HKCC_TP001_20230414.ctl",
            f"RRS/{FRIDAY}/HKCC_TP001_20230414.dat",
        } == set(desk.kept())
        assert {
            ("not-whole", "HKCC_TP002_20230414.ctl"),
            ("not-whole", "HKCC_TP002_20230414.dat"),
        } == {(one["kind"], one["name"]) for one in ended.document["findings"]}


class TestSecondCopy:
    def test_it_is_written_in_the_same_run_and_is_an_archive_itself(self, desk: Desk) -> None:
        """File by file the same; `reports verify` looks at both."""
        desk.configure(more="", archive="archive")
        self.add_copy(desk)
        desk.publish_day()
        ended = desk.fetch()
        assert (0, 3, []) == (
            ended.code,
            len(ended.document["copy"]["copied"]),
            ended.document["copy"]["findings"],
        )
        copy = desk.home / "copy"
        copied = {
            path.relative_to(copy / "reports").as_posix(): path.read_bytes()
            for path in sorted((copy / "reports").rglob("*"))
            if path.is_file()
        }
        assert desk.kept() == copied
        assert 0 == desk.reports("verify").code
        desk.configure(archive="copy")
        assert 0 == desk.reports("verify").code

    def test_a_copy_that_was_changed_is_found(self, desk: Desk) -> None:
        """Deep, every byte of it is read again."""
        self.add_copy(desk)
        first, *_ = desk.publish_day()
        desk.fetch()
        changed = desk.home / "copy" / "reports" / "RRS" / FRIDAY / first
        changed.write_bytes(changed.read_bytes().swapcase())
        ended = desk.reports("verify")
        assert (1, ["changed"]) == (
            ended.code,
            [one["kind"] for one in ended.document["findings"]],
        )
        shown = desk.program.here("reports", "verify", "--config", desk.config).words
        assert "archive is whole: 3 ledger records of files, chain intact" in shown
        assert "copy is NOT whole: 1 finding" in shown

    def test_what_verify_found_damaged_the_next_fetch_mends_and_tells(self, desk: Desk) -> None:
        """From the archive's own file, with a line for it; exit 1, for the disk wants an eye."""
        self.add_copy(desk)
        first, *_ = desk.publish_day()
        desk.fetch()
        changed = desk.home / "copy" / "reports" / "RRS" / FRIDAY / first
        changed.write_bytes(changed.read_bytes().swapcase())
        shown = desk.program.here("reports", "verify", "--config", desk.config)
        assert "the next fetch writes them again from the archive" in shown.words
        fetch = ("reports", "fetch", "--config", desk.config, "--business-date", FRIDAY)
        mended = desk.program.here(*fetch)
        assert 1 == mended.code
        assert f"copy-mended: {changed}" in mended.words
        assert mended.stderr.startswith(f"finding: copy-mended: {changed}: is not what was")
        assert changed.read_bytes() == desk.kept()[f"RRS/{FRIDAY}/{first}"]
        assert (0, 0) == (desk.fetch().code, desk.reports("verify").code)

    def test_what_the_archive_lost_can_be_put_back_from_the_copy(self, desk: Desk) -> None:
        """It is said where it lies, and put there again the archive is whole."""
        self.add_copy(desk)
        first, *_ = desk.publish_day()
        desk.fetch()
        path = f"reports/RRS/{FRIDAY}/{first}"
        (desk.archive / path).write_bytes(b"damaged")
        shown = desk.program.here("reports", "verify", "--config", desk.config)
        assert "agrees with the ledger a file that was changed or is missing can be" in shown.words
        (desk.archive / path).write_bytes((desk.home / "copy" / path).read_bytes())
        assert 0 == desk.reports("verify").code

    def test_a_copy_that_is_gone_is_one_finding(self, desk: Desk) -> None:
        """And the archive is verified all the same."""
        self.add_copy(desk)
        desk.publish_day()
        desk.fetch()
        (desk.home / "copy").rename(desk.home / "elsewhere")
        shown = desk.program.here("reports", "verify", "--config", desk.config)
        assert "copy is NOT verified: 1 finding" in shown.words
        ended = desk.reports("verify")
        assert (1, ["unreadable"]) == (
            ended.code,
            [one["kind"] for one in ended.document["findings"]],
        )

    def test_what_one_run_could_not_copy_the_next_one_does(self, desk: Desk) -> None:
        """The archive is whole all the same, and the run says that the copy is not."""
        self.add_copy(desk)
        (desk.home / "copy").write_text("a file in the way", encoding="utf-8")
        desk.publish_day()
        ended = desk.fetch()
        assert (1, 3, 1) == (
            ended.code,
            len(desk.kept()),
            len(ended.document["copy"]["findings"]),
        )
        (desk.home / "copy").unlink()
        ended = desk.fetch()
        assert (0, 3) == (ended.code, len(ended.document["copy"]["copied"]))

    @staticmethod
    def add_copy(desk: Desk) -> None:
        text = desk.config.read_text(encoding="utf-8")
        desk.config.write_text(text + '[archive.copy]\nfolder = "copy"\n', encoding="utf-8")


class TestExport:
    def test_dates_of_which_nothing_is_held_make_no_bag(self, desk: Desk) -> None:
        """Nobody is handed an empty folder that proves well."""
        desk.publish_day()
        desk.fetch()
        bag = desk.home / "bag"
        ended = desk.reports("export", "--since", "2023-04-12", "--out", str(bag))
        require_refused(ended, 2, "UsageError", "holds no report of 2023-04-12")
        assert not bag.exists()

    def test_a_bag_holds_the_reports_of_the_dates(self, desk: Desk, tmp_path: Path) -> None:
        """It verifies as evidence does, second versions included."""
        first, *_ = desk.publish_day()
        desk.fetch()
        desk.publish(first, b"other content")
        desk.fetch()
        bag = desk.home / "bag"
        ended = desk.reports("export", "--since", FRIDAY, "--out", str(bag))
        assert (0, 4, []) == (ended.code, ended.document["files"], ended.document["findings"])
        there = {
            path.relative_to(bag / "data" / "reports" / "RRS").as_posix()
            for path in (bag / "data" / "reports").rglob("*")
            if path.is_file()
        }
        assert f"{FRIDAY}/version-2/{first}" in there
        assert 0 == desk.program.here("evidence", "verify", bag, "--json").code

    def test_a_changed_file_is_left_out_and_told(self, desk: Desk) -> None:
        """Exit 1; the bag is whole without it."""
        first, *_ = desk.publish_day()
        desk.fetch()
        path = desk.archive / "reports" / "RRS" / FRIDAY / first
        path.chmod(0o644)
        path.write_bytes(path.read_bytes().swapcase())
        ended = desk.reports("export", "--since", FRIDAY, "--out", str(desk.home / "bag"))
        assert (1, 2) == (ended.code, ended.document["files"])


class TestRetain:
    def test_what_is_older_is_removed_and_the_ledger_keeps_what_it_was(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The archive verifies afterwards."""
        self.keep(desk, 30)
        desk.publish_day()
        desk.fetch()
        turn_keeping(monkeypatch, "2023-06-01T10:00")
        dry = desk.reports("retain", "--dry-run")
        assert (0, 3, 3) == (dry.code, len(dry.document["files"]), len(desk.kept()))
        assert (0, {}) == (desk.reports("retain").code, desk.kept())
        assert 0 == desk.reports("verify").code
        assert [] == desk.reports("retain").document["files"]

    def test_never_in_a_stabilisation_period(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The paper of March 2023 says until when; a dry run only looks."""
        self.keep(desk, 30)
        desk.publish_day("2023-01-05")
        desk.fetch("2023-01-05")
        turn_keeping(monkeypatch, "2023-04-20T10:00")
        ended = desk.reports("retain")
        assert (3, "2023-04-29T00:00:00+08:00") == (ended.code, ended.document["until"])
        assert 3 == len(desk.kept())
        assert 3 == len(desk.reports("retain", "--dry-run").document["files"])

    def test_without_keep_days_nothing_is_ever_removed(self, desk: Desk) -> None:
        """The command says what to set."""
        require_refused(desk.reports("retain"), 6, "ConfigError", "keep_days")

    @staticmethod
    def keep(desk: Desk, days: int) -> None:
        text = desk.config.read_text(encoding="utf-8")
        text = text.replace("[archive]\n", f"[archive]\nkeep_days = {days}\n")
        desk.config.write_text(text, encoding="utf-8")


class TestReady:
    def test_a_client_left_at_the_secondary_site_is_not_ready(self, desk: Desk) -> None:
        """On the Saturday evening after the drill, asked for Monday's first use."""
        source = 'adapter = "folder"\nservice = "RRS"\nsite = "secondary"'
        desk.configure(source=source)
        ended = desk.reports("ready", "--at", "2023-04-15T18:00")
        document = ended.document
        assert (1, "2023-04-17T08:45:00+08:00") == (ended.code, document["first_use"])
        assert ["the configuration points at the secondary site, primary is right"] == document[
            "faults"
        ]

    def test_addresses_that_nobody_can_tell_are_unknown_and_no_pass(self, desk: Desk) -> None:
        """The folder of this test has no address."""
        ended = desk.reports("ready", "--at", "2023-04-15T18:00")
        assert (1, [], ["the adapter cannot tell its addresses"]) == (
            ended.code,
            ended.document["faults"],
            ended.document["unknown"],
        )

    def test_a_fetch_by_a_client_left_there_says_so(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What it fetched is kept; in the session itself, or for one command, it is right."""
        desk.configure(source='adapter = "folder"\nservice = "RRS"\nsite = "secondary"')
        desk.publish_day()
        turn_clock(monkeypatch, "2023-04-15T15:00")
        assert 0 == desk.fetch().code
        turn_clock(monkeypatch, "2023-04-17T09:00")
        ended = desk.fetch()
        assert (1, ["points-elsewhere"]) == (
            ended.code,
            [one["kind"] for one in ended.document["findings"]],
        )
        named = desk.reports("fetch", "--business-date", FRIDAY, "--site", "secondary")
        assert 0 == named.code


class TestUpload:
    def test_nothing_is_sent_unless_the_configuration_says_so(self, desk: Desk) -> None:
        """And says which names."""
        file = desk.home / "LOP_20230414.csv"
        file.write_text("1", encoding="utf-8")
        require_refused(desk.reports("upload", str(file)), 6, "ConfigError", "may not send files")
        self.allow(desk)
        other = desk.home / "other.csv"
        require_refused(desk.reports("upload", str(other)), 2, "UsageError", "other.csv")

    def test_an_adapter_that_cannot_send_is_told_apart(self, desk: Desk) -> None:
        """The sentence names the adapter."""
        self.allow(desk)
        file = desk.home / "LOP_20230414.csv"
        file.write_text("1", encoding="utf-8")
        ended = desk.reports("upload", str(file))
        assert (6, "PluginError") == (ended.code, ended.document["error"]["kind"])

    @staticmethod
    def allow(desk: Desk) -> None:
        text = desk.config.read_text(encoding="utf-8")
        more = "[report_sources.desk.upload]\nnames = 'LOP_\\d{8}\\.csv'\n"
        desk.config.write_text(text + more, encoding="utf-8")


class TestCatalogue:
    def test_what_ships_is_listed_and_sound(self, desk: Desk) -> None:
        """Facts and examples, told apart."""
        listed = desk.program.here("reports", "catalogue", "list", "--json").document["catalogues"]
        assert {"hkex-rpf": False, "example-lch": True}.items() <= {
            one["name"]: one["example"] for one in listed
        }.items()

    def test_every_fault_of_a_file_is_told_with_its_place(self, desk: Desk) -> None:
        """What is wrong with the shape of a key hides nothing else, in its rule or in another."""
        file = desk.home / "faulty.toml"
        file.write_text(
            "[[reports]]\nservice = 1\n"
            '[[reports]]\nservice = "RRS"\ncodes = []\nname = "{house}{code}"\n'
            'due = [{ by = "noon" }]\n'
            '[[reports]]\nservice = "RRS"\ncodes = ["A"]\nhouse = "H"\n'
            'name = "{code}-{kode}"\ndue = [{ grace_min = 5 }]\n',
            encoding="utf-8",
        )
        ended = desk.program.here("reports", "catalogue", "check", file, "--json")
        assert 1 == ended.code
        assert [
            "reports[0].codes",
            "reports[0].name",
            "reports[0].service",
            "reports[1].codes",
            "reports[1].due[0].by",
            "reports[1].name",
            "reports[2].due[0].by",
            "reports[2].name",
        ] == sorted({one["path"] for one in ended.document["faults"]})

    def test_an_example_is_written_out_and_never_taken_for_a_fact(self, desk: Desk) -> None:
        """Including one is a fault that says what to do instead."""
        out = desk.home / "own.toml"
        shown = desk.program.here(
            "reports", "catalogue", "show", "example-lch", "--out", out, "--json"
        )
        assert (0, True) == (shown.code, out.exists())
        out.write_text('[[include]]\ncatalogue = "example-lch"\n', encoding="utf-8")
        ended = desk.program.here("reports", "catalogue", "check", out, "--json")
        [fault] = ended.document["faults"]
        assert "include[0].catalogue" == fault["path"]
        assert "is an example" in fault["message"]

    def test_acts_that_make_no_sense_are_usage_errors(self, desk: Desk) -> None:
        """Each with what to do."""
        for arguments in (("check",), ("show", "exmaple-lch"), ("list", "--out", "x")):
            ended = desk.program.here("reports", "catalogue", *arguments, "--json")
            require_refused(ended, 2, "UsageError")


def turn_keeping(monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    """Turn the clock of the commands that keep, too."""
    turn_clock(monkeypatch, at)
    clock = ManualClock(datetime.fromisoformat(at).replace(tzinfo=HONG_KONG))
    monkeypatch.setattr("hkex_ops.cli.report_keeping.system_clock", lambda: clock)


class TestDatedFolder:
    def test_a_folder_for_each_date_gives_its_date_to_the_names(self, desk: Desk) -> None:
        """One name on two days is two reports, though size and time on the server are the same."""
        text = (
            '[[reports]]\nservice = "RRS"\nhouse = "HKCC"\ncodes = ["EOD"]\nname = "{code}.csv"\n'
        )
        due = 'due = [{ by = "20:00" }]\n'
        (desk.home / "catalogue.toml").write_text(text + due, encoding="utf-8")
        desk.configure(options={"folder": "exchange/{business_date:YYYYMMDD}"})
        for day in ("20230413", "20230414"):
            (desk.exchange / day).mkdir()
            desk.publish(f"{day}/EOD.csv", day.encode())
        for day in ("2023-04-13", FRIDAY):
            assert 0 == desk.fetch(day).code
        assert {
            "RRS/2023-04-13/EOD.csv": b"20230413",
            f"RRS/{FRIDAY}/EOD.csv": b"20230414",
        } == desk.kept()
        ended = desk.reports("status", "--business-date", FRIDAY, "--at", EVENING)
        assert [("EOD", "held")] == states(ended.document)
        assert 0 == desk.reports("list", "--business-date", FRIDAY).code


class TestWrongInput:
    @pytest.mark.parametrize(
        ("arguments", "code", "kind", "said"),
        [
            (("status", "--days", "0"), 2, "UsageError", "--days must be from 1"),
            (("status", "--at", "noon"), 2, "UsageError", "is no ISO 8601 time"),
            (("status", "--source", "dsek"), 2, "UsageError", "there is no report source 'dsek'"),
            (
                ("expected", "--business-date", "2031-01-02"),
                2,
                "OutsideCalendar",
                "lies outside the calendar tables",
            ),
            (
                ("export", "--since", "2023-04-14", "--until", "2023-04-13", "--out", "bag"),
                2,
                "UsageError",
                "lies before --since",
            ),
            (
                ("export", "--since", "2023-04-14", "--out", "exchange"),
                6,
                "StoreError",
                "evidence is never overwritten",
            ),
            (
                ("export", "--since", "2023-04-14", "--out", "no/where/bag"),
                6,
                "StoreError",
                "make that folder first",
            ),
            (
                ("status", "--metrics", "no/where/reports.prom"),
                6,
                "StoreError",
                "open the folder",
            ),
            (("upload", "nothing.csv"), 6, "ConfigError", "may not send files"),
        ],
    )
    def test_it_is_refused_in_one_sentence(
        self, due: Desk, arguments: tuple[str, ...], code: int, kind: str, said: str
    ) -> None:
        """And leaves everything as it was."""
        names = due.publish_day()
        due.fetch()
        before = due.kept()
        require_refused(due.reports(*arguments), code, kind, said)
        assert before == due.kept()
        assert names == sorted(path.name for path in due.exchange.iterdir())
        assert not (due.home / "bag").exists()

    @pytest.mark.parametrize(
        ("lines", "said"),
        [
            ("[archive.copy]\n", "archive.copy: wants a folder or a url"),
            ('[archive.copy]\nfolder = "x"\nurl = "s3://x"\n', "archive.copy: wants a folder"),
            ('[archive.copy]\nfolder = "archive"\n', "is the archive itself: name another"),
            ('[archive.copy]\nfolder = "x/../archive"\n', "is the archive itself: name another"),
            ('[archive.copy]\nfolder = "archive/copy"\n', "lies in the archive: name one outside"),
            ('[archive.copy]\nfolder = "."\n', "has the archive in it: name one beside it"),
            ('[archive.copy]\nfolder = "x"\noptions = { a = 1 }\n', "are those of a url"),
        ],
    )
    def test_a_copy_that_cannot_be_is_found_before_anything_is_fetched(
        self, desk: Desk, lines: str, said: str
    ) -> None:
        """Exit 6, and no archive."""
        text = desk.config.read_text(encoding="utf-8")
        desk.config.write_text(text + lines, encoding="utf-8")
        desk.publish_day()
        require_refused(desk.fetch(), 6, "ConfigError", said)
        assert not desk.archive.exists()


class TestWatch:
    @pytest.fixture
    def over(self, due: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
        """A desk after the day's last cut-off, when a watch looks once and stops."""
        turn_clock(monkeypatch, EVENING)
        due.publish_day()
        return due

    @staticmethod
    def watch(desk: Desk, *more: str) -> tuple[Ended, list[dict[str, Any]]]:
        ended = desk.reports("watch", *more)
        return ended, [json.loads(line) for line in ended.stdout.splitlines()]

    def test_each_look_and_the_end_are_a_line(self, over: Desk) -> None:
        """And where all is well nothing is on stderr."""
        ended, (look, end) = self.watch(over)
        assert (0, "") == (ended.code, ended.stderr)
        assert (3, 0) == (len(look["fetched"]), look["missing"])
        assert ("last-cut-off", [], None) == (end["why"], end["findings"], end["digest"])

    def test_a_person_reads_what_came_and_how_it_stands(self, over: Desk) -> None:
        """With the time at which it came."""
        shown = over.program.here("reports", "watch", "--config", over.config)
        assert (0, "") == (shown.code, shown.stderr)
        begin, look, *_ = shown.stdout.splitlines()
        assert f"RRS of Fri {FRIDAY}, until Fri {FRIDAY} 20:30, a look every 300 s" == begin
        assert look.startswith(f"Fri {EVENING.replace('T', ' ')}: 3 fetched (")
        assert "of the day: 3 held" in shown.words

    def test_each_finding_and_each_outage_is_told_once_and_not_at_every_look(
        self, over: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Four looks from eight o'clock on, the second and third at a site that is away."""
        over.publish("WHAT.csv")
        clock = ManualClock(datetime.fromisoformat(f"{FRIDAY}T20:00").replace(tzinfo=HONG_KONG))
        monkeypatch.setattr("hkex_ops.cli.report_desk.system_clock", lambda: clock)
        waited: list[float] = []
        sign = over.home / "sign"

        async def wait(seconds: float) -> None:
            clock.advance(timedelta(seconds=seconds))
            waited.append(seconds)
            if len(waited) in (1, 2):
                sign.touch()
            else:
                sign.unlink()

        monkeypatch.setattr(
            "hkex_ops.cli.report_watch.watch_reports", partial(watch_reports, sleep=wait)
        )
        source = 'adapter = "folder"\nservice = "RRS"\nmanners.poll_s = 600\nmanners.attempts = 1'
        over.configure(source=source, options={"goes_wrong": "away-while-a-sign-hangs"})
        ended, lines = self.watch(over)
        assert ([600, 600, 600], 3) == (waited, len(lines))
        told = [line.partition(": ")[0] for line in ended.stderr.splitlines()]
        assert ["finding", "interrupted"] == told

    def test_a_copy_that_took_nothing_is_told_and_exits_1(self, over: Desk) -> None:
        """The archive is whole, and still somebody must look."""
        TestSecondCopy.add_copy(over)
        (over.home / "copy").write_text("a file in the way", encoding="utf-8")
        ended, (*_, end) = self.watch(over)
        assert (1, ["not-copied"]) == (ended.code, [one["kind"] for one in end["findings"]])
        assert ended.stderr.startswith("finding: not-copied: ")

    def test_a_client_that_was_left_at_the_other_site_is_told(self, over: Desk) -> None:
        """As a fetch tells it."""
        source = 'adapter = "folder"\nservice = "RRS"\nsite = "secondary"'
        over.configure(source=source)
        ended, (*_, end) = self.watch(over)
        assert (1, ["points-elsewhere"]) == (ended.code, [one["kind"] for one in end["findings"]])
