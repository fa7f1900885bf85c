"""``hkex-ops reports``: list, fetch, drill and verify, with a folder as the far side."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hkex_ops.clock import ManualClock
from hkex_ops.model import HONG_KONG
from tests.cli.desk import FRIDAY, Desk
from tests.cli.program import Ended, require_refused

MONDAY = "2023-04-17"


def names(document: dict[str, Any], key: str) -> list[str]:
    return [one["name"] for one in document[key]]


def findings(ended: Ended) -> list[tuple[str, str]]:
    return [(one["kind"], one["name"]) for one in ended.document["findings"]]


def require_sound(desk: Desk) -> None:
    """Nothing was lost or half-written."""
    ended = desk.reports("verify")
    assert (0, []) == (ended.code, ended.document["findings"])


def turn_clock(monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    clock = ManualClock(datetime.fromisoformat(at).replace(tzinfo=HONG_KONG))
    monkeypatch.setattr("hkex_ops.cli.report_desk.system_clock", lambda: clock)


class TestList:
    def test_every_entry_says_what_it_is_and_whether_it_is_held(self, desk: Desk) -> None:
        desk.publish_day()
        desk.fetch()
        [monday, *_] = desk.publish_day(MONDAY)
        desk.publish("README.txt")
        desk.publish("WHAT.csv")
        ended = desk.reports("list")
        assert 0 == ended.code
        document = ended.document
        assert ("RRS", "primary", 8) == (
            document["service"],
            document["site"],
            document["count"],
        )
        states = {one["name"]: one["state"] for one in document["reports"]}
        assert ["held", "new", "ignored", "unrecognised"] == [
            states[name] for name in (f"HKCC_TP001_{FRIDAY.replace('-', '')}.csv", monday,
                                      "README.txt", "WHAT.csv")
        ]  # fmt: skip
        [one] = [one for one in document["reports"] if one["name"] == monday]
        assert {
            "house": "HKCC",
            "code": "CM001",
            "business_date": MONDAY,
            "modified": "2023-04-14T11:30:00+00:00",
        }.items() <= one.items()

    def test_one_business_date_leaves_the_others_out_but_not_out_of_the_count(
        self, desk: Desk
    ) -> None:
        desk.publish_day()
        monday = desk.publish_day(MONDAY)
        document = desk.reports("list", "--business-date", MONDAY).document
        assert (6, monday) == (document["count"], sorted(names(document, "reports")))

    def test_it_transfers_and_keeps_nothing(self, desk: Desk) -> None:
        desk.publish_day()
        desk.reports("list")
        assert {} == desk.kept()
        require_sound(desk)


class TestFetch:
    def test_what_is_new_is_kept_and_again_nothing_is_transferred(self, desk: Desk) -> None:
        published = desk.publish_day()
        first = desk.fetch()
        assert (0, published) == (first.code, sorted(names(first.document, "fetched")))
        assert {
            f"RRS/{FRIDAY}/{name}": (desk.exchange / name).read_bytes() for name in published
        } == desk.kept()
        again = desk.fetch()
        assert (0, [], 3, 3) == (
            again.code,
            again.document["fetched"],
            again.document["held"],
            again.document["listed"],
        )
        require_sound(desk)

    def test_only_the_asked_business_date_is_fetched(self, desk: Desk) -> None:
        desk.publish_day()
        monday = desk.publish_day(MONDAY)
        assert monday == sorted(names(desk.fetch(MONDAY).document, "fetched"))

    def test_without_a_date_it_is_the_latest_business_day(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        turn_clock(monkeypatch, "2023-04-16T10:00")
        friday = desk.publish_day()
        document = desk.reports("fetch").document
        assert (FRIDAY, friday) == (document["business_date"], sorted(names(document, "fetched")))

    def test_a_changed_report_is_kept_beside_the_first_and_told(self, desk: Desk) -> None:
        [changed, *_] = desk.publish_day()
        desk.fetch()
        before = desk.kept()
        desk.publish(changed, b"other content")
        ended = desk.fetch()
        assert (1, [("second-version", changed)]) == (ended.code, findings(ended))
        added = {f"RRS/{FRIDAY}/{changed}.v2": b"other content"}
        assert {**before, **added} == desk.kept()
        require_sound(desk)

    def test_a_report_that_vanishes_between_listing_and_fetch_is_a_finding(
        self, desk: Desk
    ) -> None:
        [gone, *others] = desk.publish_day()
        desk.configure(options={"goes_wrong": f"vanishes {gone}"})
        ended = desk.fetch()
        assert (1, [("not-fetched", gone)]) == (ended.code, findings(ended))
        assert others == sorted(names(ended.document, "fetched"))
        require_sound(desk)

    def test_a_report_cut_short_is_not_kept_and_the_next_run_fetches_it(self, desk: Desk) -> None:
        [cut, *others] = desk.publish_day()
        desk.configure(options={"goes_wrong": f"cut-short {cut}"})
        ended = desk.fetch()
        assert (1, [("cut-short", cut)]) == (ended.code, findings(ended))
        assert others == sorted(names(ended.document, "fetched"))
        desk.configure()
        assert [cut] == names(desk.fetch().document, "fetched")
        require_sound(desk)

    def test_a_connection_lost_half_way_keeps_what_came_whole(self, desk: Desk) -> None:
        first, second, _ = desk.publish_day()
        desk.configure(options={"goes_wrong": f"lost-after {second}"})
        require_refused_after_progress(desk.fetch(), 4, "Unreachable")
        assert [f"RRS/{FRIDAY}/{first}"] == list(desk.kept())
        require_sound(desk)
        desk.configure()
        assert 2 == len(desk.fetch().document["fetched"])

    def test_a_name_without_a_rule_is_a_finding_and_stays_where_it_is(self, desk: Desk) -> None:
        desk.publish_day()
        desk.publish("WHAT.csv")
        ended = desk.fetch()
        assert (1, [("unrecognised", "WHAT.csv")]) == (ended.code, findings(ended))
        assert 3 == len(desk.kept())

    def test_thousands_of_names_without_a_rule_are_no_thousands_of_lines(self, desk: Desk) -> None:
        """One catalogue is to be mended; the document has every name."""
        desk.publish_day()
        for number in range(30):
            desk.publish(f"WHAT_{number:02}.csv")
        ended = desk.fetch()
        assert 30 == len(findings(ended))
        *told, more = ended.stderr.splitlines()
        assert (20, "finding: unrecognised: and 10 more") == (len(told), more)
        shown = desk.program.here(
            "reports", "fetch", "--config", desk.config, "--business-date", FRIDAY
        )
        assert "and 10 more: --json has them all" in shown.stdout

    def test_a_date_of_which_nothing_is_listed_is_a_finding(self, desk: Desk) -> None:
        desk.publish_day()
        ended = desk.fetch(MONDAY)
        assert (1, ["nothing-listed"]) == (ended.code, [kind for kind, _ in findings(ended)])

    def test_before_anything_is_due_an_empty_folder_is_as_it_should_be(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nobody is called because at nine there is nothing yet of what is due at eight."""
        catalogue = (desk.home / "catalogue.toml").read_text(encoding="utf-8")
        due = catalogue.replace(
            "[[ignore]]", 'due = [{ by = "20:00" }]\nhouses = ["HKCC"]\n[[ignore]]'
        )
        (desk.home / "catalogue.toml").write_text(due, encoding="utf-8")
        turn_clock(monkeypatch, f"{FRIDAY}T19:59")
        assert (0, []) == (desk.fetch().code, findings(desk.fetch()))
        turn_clock(monkeypatch, f"{FRIDAY}T20:00")
        assert (1, [("nothing-listed", "")]) == (desk.fetch().code, findings(desk.fetch()))

    @pytest.mark.parametrize(
        "name", [b"caf\xe9.csv", b"a\x1b[31mred.csv", b"line\nbreak.csv", "報表.csv".encode()]
    )
    def test_a_strange_name_steers_no_terminal_and_breaks_no_document(
        self, desk: Desk, name: bytes
    ) -> None:
        Path(os.fsdecode(os.path.join(os.fsencode(desk.exchange), name))).write_bytes(b"x")
        ended = desk.fetch()
        assert [name.decode("utf-8", "backslashreplace")] == [
            one["name"] for one in ended.document["findings"] if one["name"]
        ]
        for shown in (
            ended,
            desk.program.here("reports", "list", "--config", desk.config),
            desk.program.here("reports", "fetch", "--config", desk.config),
        ):
            assert "\x1b" not in shown.stdout + shown.stderr
            (shown.stdout + shown.stderr).encode()


def require_refused_after_progress(ended: Ended, code: int, kind: str) -> None:
    """Refused like `require_refused` demands, after lines that told of progress."""
    assert (code, kind) == (ended.code, ended.document["error"]["kind"])
    last = ended.stderr.splitlines()[-1]
    assert f"hkex-ops: {ended.document['error']['message']}" == last


def steps(ended: Ended) -> dict[str, str]:
    return {step["step"]: step["outcome"] for step in ended.document["steps"]}


PASSED = {
    "log-in": "passed",
    "compare-listing": "passed",
    "download": "passed",
    "log-out": "passed",
}


class TestDrill:
    def drill(self, desk: Desk, *more: str) -> Ended:
        return desk.reports("drill", "--site", "secondary", "--business-date", FRIDAY, *more)

    def test_without_a_snapshot_the_outcome_is_unknown_never_passed(self, desk: Desk) -> None:
        desk.publish_day()
        ended = self.drill(desk)
        assert (1, "unknown") == (ended.code, ended.document["outcome"])
        assert {**PASSED, "compare-listing": "unknown"} == steps(ended)

    def test_it_passes_where_nothing_changed_and_leaves_the_archive_alone(self, desk: Desk) -> None:
        desk.publish_day()
        desk.fetch()
        before = desk.kept()
        ended = self.drill(desk)
        assert (0, "passed", PASSED) == (ended.code, ended.document["outcome"], steps(ended))
        assert ("secondary", FRIDAY) == (
            ended.document["site"],
            ended.document["last_business_date"],
        )
        assert before == desk.kept()
        require_sound(desk)

    def test_it_fails_where_the_folder_changed_and_again_after_it_has_listed_itself(
        self, desk: Desk
    ) -> None:
        desk.publish_day()
        desk.fetch()
        desk.publish("HKCC_TP001_20230413.csv")
        for _ in range(2):
            ended = self.drill(desk)
            assert (1, "failed") == (ended.code, ended.document["outcome"])
            [compared] = [
                step for step in ended.document["steps"] if step["step"] == "compare-listing"
            ]
            assert {
                "counted_now": 4,
                "counted_then": 3,
                "appeared": ["HKCC_TP001_20230413.csv"],
                "vanished": [],
                "resized": [],
            }.items() <= compared["facts"].items()

    def test_on_saturday_it_compares_with_friday(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        desk.publish_day()
        turn_clock(monkeypatch, "2023-04-15T03:00")
        desk.fetch()
        turn_clock(monkeypatch, "2023-04-15T14:30")
        for _ in range(2):
            ended = desk.reports("drill", "--site", "secondary")
            assert (0, FRIDAY) == (ended.code, ended.document["last_business_date"])

    @pytest.mark.parametrize("day", [FRIDAY, MONDAY])
    def test_the_day_itself_and_a_day_to_come_are_no_last_business_date(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch, day: str
    ) -> None:
        """Its own listing would count as the snapshot, and a second drill would always pass."""
        turn_clock(monkeypatch, f"{FRIDAY}T20:00")
        desk.publish_day()
        ended = desk.reports("drill", "--business-date", day)
        require_refused(ended, 2, "UsageError", day, "before today")

    def test_a_report_whose_content_differs_from_the_archives_fails_the_download(
        self, desk: Desk
    ) -> None:
        desk.publish_day()
        desk.fetch()
        name = "HKCC_TP001_20230414.csv"
        size = (desk.exchange / name).stat().st_size
        desk.publish(name, b"x" * size)
        ended = self.drill(desk)
        assert (1, {**PASSED, "download": "failed"}) == (ended.code, steps(ended))

    def test_the_named_reports_are_downloaded(self, desk: Desk) -> None:
        desk.publish_day()
        ended = self.drill(desk, "--report", "CM001")
        [download] = [step for step in ended.document["steps"] if step["step"] == "download"]
        assert ["HKCC_CM001_20230414.csv"] == names(download["facts"], "downloaded")

    def test_a_report_that_is_not_in_the_folder_fails_the_download(self, desk: Desk) -> None:
        desk.publish("HKCC_TP001_20230414.csv")
        desk.fetch()
        ended = self.drill(desk)
        assert {**PASSED, "download": "failed"} == steps(ended)

    def test_a_site_that_is_down_fails_the_login_and_skips_the_rest(self, desk: Desk) -> None:
        desk.configure(options={"goes_wrong": "unreachable"})
        ended = self.drill(desk)
        assert (1, "failed") == (ended.code, ended.document["outcome"])
        assert {**dict.fromkeys(PASSED, "skipped"), "log-in": "failed"} == steps(ended)

    def test_an_unknown_code_is_refused_before_anybody_logs_in(self, desk: Desk) -> None:
        desk.configure(options={"goes_wrong": "unreachable"})
        ended = self.drill(desk, "--report", "TP001", "--report", "TP999")
        require_refused(ended, 2, "UsageError", "unknown report code TP999", "TP001")

    def test_a_drill_without_reports_to_download_is_no_drill(self, desk: Desk) -> None:
        desk.configure(source='adapter = "folder"\nservice = "RRS"')
        require_refused(self.drill(desk), 2, "UsageError", "--report", "drill_reports")

    def test_a_person_reads_each_step(self, desk: Desk) -> None:
        desk.publish_day()
        desk.fetch()
        ended = desk.program.here(
            "reports", "drill", "--config", desk.config, "--business-date", FRIDAY
        )
        assert "compare-listing 3 files, unchanged in names and sizes" in ended.words


def flip_a_byte(desk: Desk) -> None:
    path = next((desk.archive / "reports").rglob("*.csv"))
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)


def delete_a_file(desk: Desk) -> None:
    next((desk.archive / "reports").rglob("*.csv")).unlink()


def add_a_file(desk: Desk) -> None:
    (desk.archive / "reports" / "RRS" / FRIDAY / "planted.csv").write_bytes(b"x")


def edit_the_ledger(statement: str) -> Callable[[Desk], None]:
    """Change a row as somebody would who knows how to lift the ledger's own guards."""

    def edit(desk: Desk) -> None:
        connection = sqlite3.connect(desk.archive / "ledger.sqlite3")
        guards = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        with connection:
            triggers = connection.execute(guards).fetchall()
            for name, _ in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            assert 0 < connection.execute(statement).rowcount
            for _, sql in triggers:
                connection.execute(sql)
        connection.close()

    return edit


def remove_the_head(desk: Desk) -> None:
    (desk.archive / "ledger.head").unlink()


LAST = "sequence = (SELECT max(sequence) FROM chain)"


class TestVerify:
    def test_a_sound_archive_is_said_to_be_whole(self, desk: Desk) -> None:
        desk.publish_day()
        desk.fetch()
        ended = desk.reports("verify")
        assert (0, "") == (ended.code, ended.stderr)
        assert {
            "archive": str(desk.archive),
            "copy": None,
            "records": 3,
            "findings": [],
            "copy_mended_by_next_fetch": False,
        } == ended.document

    @pytest.mark.parametrize(
        ("damage", "kind", "where"),
        [
            (flip_a_byte, "changed", "reports/RRS/"),
            (delete_a_file, "missing", "reports/RRS/"),
            (add_a_file, "added", "planted.csv"),
            (edit_the_ledger(f"DELETE FROM chain WHERE {LAST}"), "missing", ""),
            (edit_the_ledger(f"UPDATE chain SET body = '{{}}' WHERE {LAST}"), "changed", ""),
            (edit_the_ledger("UPDATE chain SET at = '2023-01-01' WHERE sequence = 1"),
             "changed", "1"),
            (remove_the_head, "missing", ""),
        ],
        ids=[
            "a flipped byte",
            "a deleted file",
            "an added file",
            "the last row deleted",
            "the last row edited",
            "a row edited",
            "the head removed",
        ],
    )  # fmt: skip
    def test_every_damage_is_found(
        self, desk: Desk, damage: Callable[[Desk], None], kind: str, where: str
    ) -> None:
        desk.publish_day()
        desk.fetch()
        damage(desk)
        ended = desk.reports("verify")
        assert 1 == ended.code
        found = [(one["kind"], one["where"]) for one in ended.document["findings"]]
        assert [] != [place for known, place in found if known == kind and where in place], found
        shown = desk.program.here("reports", "verify", "--config", desk.config)
        assert 1 == shown.code
        assert "is NOT whole" in shown.words

    def test_shallow_does_not_read_contents(self, desk: Desk) -> None:
        desk.publish_day()
        desk.fetch()
        flip_a_byte(desk)
        assert (0, 1) == (desk.reports("verify", "--shallow").code, desk.reports("verify").code)
