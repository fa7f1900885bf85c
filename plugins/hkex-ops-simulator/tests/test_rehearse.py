"""``hkex-ops rehearse rrs-2023`` from beginning to end, whole and with each fault."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncssh
import attrs
import pytest
from attrs import frozen

from hkex_ops.clock import ManualClock
from hkex_ops.model import HONG_KONG
from hkex_ops_simulator import server
from tests.cli.program import HKEX_OPS, TIMEOUT_S, Ended, Program, require_refused, times_of

PLUGINS = frozenset({"hkex-ops-sftp", "hkex-ops-simulator"})
BROKEN = "this is [ not TOML"
HOSTS = ("127.151.14.121", "127.151.14.122", "127.152.14.121", "127.152.14.122")

STEPS = [
    ("last-business-date", "fetch"),
    ("before-sessions", "point-at-secondary"),
    ("session-1", "check-addresses"),
    ("session-1", "check-configuration"),
    ("session-1", "log-in"),
    ("session-1", "compare-listing"),
    ("session-1", "download"),
    ("session-1", "log-out"),
    ("between-sessions", "point-at-primary"),
    ("session-2", "check-addresses"),
    ("session-2", "check-configuration"),
    ("session-2", "log-in"),
    ("session-2", "compare-listing"),
    ("session-2", "download"),
    ("session-2", "log-out"),
    ("session-2", "keep-check-configuration"),
    ("stabilisation", "renew-ssh-key-denied"),
    ("stabilisation", "daily-fetch"),
    ("stabilisation", "fetch-again"),
    ("stabilisation", "verify-archive"),
]
DRILL_AFTER_LOGIN = ("compare-listing", "download", "log-out")

# For each fault the steps that do not pass, and words of the reason that the first of them gives;
# where all pass, words of what was found.
FAULTS: dict[str, tuple[dict[tuple[str, str], str], list[str]]] = {
    "secondary-down": (
        {("session-1", "log-in"): "failed"}
        | {("session-1", step): "skipped" for step in DRILL_AFTER_LOGIN},
        ["no address of the secondary site", "127.152.14.121", "127.152.14.122"],
    ),
    "primary-down": (
        {("session-2", "log-in"): "failed"}
        | {("session-2", step): "skipped" for step in DRILL_AFTER_LOGIN}
        | {("stabilisation", step): "failed" for step in ("daily-fetch", "fetch-again")},
        ["no address of the primary site", "127.151.14.121", "127.151.14.122"],
    ),
    "first-address-down": ({}, ["at 127.152.14.122", "at 127.151.14.122"]),
    "report-vanished": (
        {(session, "compare-listing"): "failed" for session in ("session-1", "session-2")},
        ["114 files, 115 then: 1 gone"],
    ),
    "client-not-moved": (
        {
            ("before-sessions", "point-at-secondary"): "skipped",
            ("session-1", "check-configuration"): "failed",
            ("session-1", "log-in"): "failed",
            ("between-sessions", "point-at-primary"): "skipped",
        }
        | {("session-1", step): "skipped" for step in DRILL_AFTER_LOGIN},
        ["nobody changed the client's addresses"],
    ),
}


def program_in(folder: Path) -> Program:
    """The program in an empty home, with a folder of its own for what is temporary."""
    home, scratch = folder / "home", folder / "scratch"
    home.mkdir()
    scratch.mkdir()
    return Program(home, plugins=PLUGINS, more={"TMPDIR": str(scratch)})


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return program_in(tmp_path)


@frozen
class Rehearsed:
    """A rehearsal that has ended, and the lines of every private key it made."""

    ended: Ended
    program: Program
    secrets: tuple[str, ...]

    @property
    def document(self) -> dict[str, Any]:
        """What it said."""
        return self.ended.document

    @property
    def evidence(self) -> Path:
        """What it left."""
        return self.program.home / "proof"


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Rehearsed:
    """One rehearsal without a fault, in the home of a user whose own configuration is broken."""
    program = program_in(tmp_path_factory.mktemp("rehearsed"))
    own = program.home / ".config" / "hkex-ops" / "config.toml"
    own.parent.mkdir(parents=True)
    own.write_text(BROKEN)
    secrets: list[str] = []
    really = server._new_key

    def kept() -> asyncssh.SSHKey:
        key = really()
        secrets.extend(key.export_private_key().decode().splitlines()[1:-1])
        return key

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "_new_key", kept)
        named = attrs.evolve(program, more={**program.more, "HKEX_OPS_CONFIG": str(own)})
        ended = named.here("rehearse", "rrs-2023", "--out", "proof", "--json", "--verbose")
    return Rehearsed(ended, program, tuple(secrets))


def outcomes(document: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {(one["session"], one["step"]): one["outcome"] for one in document["steps"]}


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def events(evidence: Path) -> str:
    """What happened, one event a line."""
    return (evidence / "data" / "events.jsonl").read_text("utf-8")


def require_whole(program: Program, evidence: Path) -> None:
    ended = program.here("evidence", "verify", evidence, "--json")
    assert (0, []) == (ended.code, ended.document["findings"])


def require_nothing_listens(evidence: Path) -> None:
    """The addresses that the evidence names answer nobody any more."""
    told = re.findall(r"(127\.15[12]\.14\.12[12]):([0-9]+)", events(evidence))
    found = {(host, int(port)) for host, port in told}
    assert sorted(HOSTS) == sorted({host for host, _ in found})
    for address in found:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)


class TestRehearsal:
    def test_it_passes_as_the_readme_has_it(self, program: Program) -> None:
        """One line, an empty home: a rundown to read, evidence in ./evidence, nothing else."""
        ended = program.run("rehearse", "rrs-2023")
        assert (0, "") == (ended.code, ended.stderr)
        assert "PASSED: 20 of 20 steps passed." in ended.stdout
        assert "CD/OEC/HKCC/073/2023" in ended.stdout
        assert "SYNTHETIC" in ended.stdout
        [evidence] = (program.home / "evidence").iterdir()
        assert re.fullmatch(r"rrs-2023-\d{8}T\d{6}", evidence.name)
        assert f"hkex-ops evidence verify evidence/{evidence.name}" in ended.words
        assert ["evidence"] == [path.name for path in program.home.iterdir()]
        assert [] == list((program.home.parent / "scratch").iterdir())
        proven = program.run("evidence", "verify", f"evidence/{evidence.name}")
        assert (0, "") == (proven.code, proven.stderr)
        [seal] = re.findall(r"Seal ([0-9a-f]{64})", ended.stdout)
        assert f"seal {seal}" in proven.stdout
        require_nothing_listens(evidence)

    def test_with_json_it_ends_in_one_document(self, rehearsed: Rehearsed) -> None:
        document = rehearsed.document
        assert 0 == rehearsed.ended.code
        assert {"rollout": "rrs-2023", "outcome": "passed", "evidence": "proof"}.items() <= (
            document.items()
        )
        assert STEPS == [(one["session"], one["step"]) for one in document["steps"]]
        assert {"passed"} == set(outcomes(document).values())
        assert "session-1" in rehearsed.ended.stderr

    def test_its_times_are_the_circulars_in_order_with_offset(self, rehearsed: Rehearsed) -> None:
        steps = rehearsed.document["steps"]
        times = times_of([one["at"] for one in steps])
        assert len(STEPS) == len(times)
        assert sorted(times) == times
        assert {
            "session-1": "2023-04-15T14:30:00+08:00",
            "session-2": "2023-04-15T16:30:00+08:00",
        } == {one["session"]: one["at"] for one in steps if one["step"] == "log-in"}

    @pytest.mark.parametrize(
        ("session", "step", "words"),
        [
            ("last-business-date", "fetch", "38 fetched, 0 held, business date 2023-04-14"),
            ("session-1", "compare-listing", "115 files, unchanged in names and sizes"),
            ("session-1", "download", "HKCC_TP001_20230414.csv"),
            ("session-2", "keep-check-configuration", "10.151.14.121:10022"),
            ("stabilisation", "renew-ssh-key-denied", "third paragraph, (ii)"),
            ("stabilisation", "daily-fetch", "38 fetched, 0 held, business date 2023-04-17"),
            ("stabilisation", "fetch-again", "0 fetched, 38 held"),
            ("stabilisation", "verify-archive", "chain intact"),
        ],
    )
    def test_a_step_says_what_was_found(
        self, rehearsed: Rehearsed, session: str, step: str, words: str
    ) -> None:
        [found] = [
            one["found"]
            for one in rehearsed.document["steps"]
            if (one["session"], one["step"]) == (session, step)
        ]
        assert words in found

    def test_the_evidence_holds_rundown_events_listings_and_digests(
        self, rehearsed: Rehearsed
    ) -> None:
        data = rehearsed.evidence / "data"
        require_whole(rehearsed.program, rehearsed.evidence)
        kept = json.loads((data / "rundown.json").read_text("utf-8"))
        assert rehearsed.document["steps"] == kept["steps"]
        assert ["01-primary", "02-secondary", "03-primary"] == [
            path.name.partition("-2023")[0] for path in sorted((data / "listings").iterdir())[:3]
        ]
        # Every one of the 76 fetched reports differs, and each is told with its digest.
        digests = re.findall(r'"sha256":\s*"([0-9a-f]{64})"', events(rehearsed.evidence))
        assert 76 == len(set(digests))

    def test_a_byte_changed_in_the_evidence_is_found(
        self, rehearsed: Rehearsed, program: Program
    ) -> None:
        shutil.copytree(rehearsed.evidence, program.home / "proof")
        path = program.home / "proof" / "data" / "rundown.txt"
        content = path.read_bytes()
        path.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
        ended = program.run("evidence", "verify", "proof", "--json")
        assert (1, ["data/rundown.txt"]) == (
            ended.code,
            [finding["where"] for finding in ended.document["findings"]],
        )

    def test_another_seed_gives_other_reports(self, rehearsed: Rehearsed, program: Program) -> None:
        program.here("rehearse", "rrs-2023", "--out", "proof", "--seed", "7", "--json")
        one, other = (
            contents(evidence / "data" / "listings")
            for evidence in (rehearsed.evidence, program.home / "proof")
        )
        assert list(one) == list(other)
        size = re.compile(rb'"size_bytes":\s*([0-9]+)')
        assert [size.findall(body) for body in one.values()] != [
            size.findall(body) for body in other.values()
        ]

    def test_no_secret_reaches_output_or_evidence(self, rehearsed: Rehearsed) -> None:
        assert "report_kept" in rehearsed.ended.stderr
        told = [rehearsed.ended.stdout, rehearsed.ended.stderr]
        told += [body.decode() for body in contents(rehearsed.evidence).values()]
        # The client's key and one for each site, several lines each.
        assert 3 * 5 <= len(rehearsed.secrets)
        for text in told:
            assert [] == [line for line in rehearsed.secrets if line in text]
            assert "PRIVATE KEY" not in text

    def test_the_users_own_configuration_is_neither_read_nor_touched(
        self, rehearsed: Rehearsed
    ) -> None:
        home = rehearsed.program.home
        assert [".config", "proof"] == sorted(path.name for path in home.iterdir())
        assert {"hkex-ops/config.toml": BROKEN.encode()} == contents(home / ".config")


class TestFaults:
    @pytest.mark.parametrize("fault", FAULTS)
    def test_it_does_what_it_says_and_the_evidence_keeps_it(
        self, program: Program, fault: str
    ) -> None:
        expected, said = FAULTS[fault]
        ended = program.here("rehearse", "rrs-2023", "--fault", fault, "--out", "proof", "--json")
        document = ended.document
        assert (1 if expected else 0, "failed" if expected else "passed", fault) == (
            ended.code,
            document["outcome"],
            document["fault"],
        )
        assert {**dict.fromkeys(STEPS, "passed"), **expected} == outcomes(document)
        wrong = [one["found"] for one in document["steps"] if one["outcome"] != "passed"]
        reason = wrong[0] if wrong else " ".join(one["found"] for one in document["steps"])
        assert [] == [words for words in said if words not in reason]
        evidence = program.home / "proof"
        require_whole(program, evidence)
        kept = json.loads((evidence / "data" / "rundown.json").read_text("utf-8"))
        assert document["outcome"] == kept["outcome"]
        require_nothing_listens(evidence)

    def test_a_person_reads_which_step_failed_and_why(self, program: Program) -> None:
        ended = program.run("rehearse", "rrs-2023", "--fault", "secondary-down", "--out", "proof")
        assert (1, "") == (ended.code, ended.stderr)
        assert "failed log-in no address of the secondary site can be used" in ended.words
        assert "FAILED: 16 of 20 steps passed." in ended.words

    def test_an_unknown_one_names_the_known_ones(self, program: Program) -> None:
        ended = program.run("rehearse", "rrs-2023", "--fault", "typhoon", "--json")
        require_refused(ended, 2, "UsageError", *FAULTS)
        assert [] == list(program.home.iterdir())


def last_line(ended: Ended) -> str:
    """What is wrong, after whatever was told before it."""
    assert f"hkex-ops: {ended.document['error']['message']}" == ended.stderr.splitlines()[-1]
    return str(ended.document["error"]["message"])


class TestOut:
    def test_what_is_there_is_never_overwritten(self, rehearsed: Rehearsed) -> None:
        before = contents(rehearsed.evidence)
        ended = rehearsed.program.run("rehearse", "rrs-2023", "--out", "proof", "--json")
        assert (6, "StoreError") == (ended.code, ended.document["error"]["kind"])
        assert "never overwritten" in last_line(ended)
        assert before == contents(rehearsed.evidence)

    def test_two_in_the_same_second_do_not_share_a_folder(
        self, program: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = ManualClock(datetime(2023, 4, 1, 9, 0, tzinfo=HONG_KONG))
        monkeypatch.setattr("hkex_ops_simulator.rehearse.system_clock", lambda: clock)
        first = program.here("rehearse", "rrs-2023", "--json")
        assert "evidence/rrs-2023-20230401T090000" == first.document["evidence"]
        second = program.here("rehearse", "rrs-2023", "--json")
        assert 6 == second.code
        require_whole(program, program.home / first.document["evidence"])

    @pytest.mark.parametrize("out", ["nowhere/proof", "file", "file/proof"])
    def test_a_place_that_cannot_be_made_is_said(self, program: Program, out: str) -> None:
        (program.home / "file").write_text("mine")
        ended = program.here("rehearse", "rrs-2023", "--out", out, "--json")
        assert (6, "StoreError") == (ended.code, ended.document["error"]["kind"])
        assert out in last_line(ended)
        assert ["file"] == [path.name for path in program.home.iterdir()]

    def test_where_evidence_is_a_file_it_says_to_give_another(self, program: Program) -> None:
        (program.home / "evidence").write_text("mine")
        ended = program.here("rehearse", "rrs-2023", "--json")
        assert (6, "StoreError") == (ended.code, ended.document["error"]["kind"])
        assert "--out" in last_line(ended)

    def test_an_unknown_rollout_leaves_nothing(self, program: Program) -> None:
        ended = program.here("rehearse", "rrs-2033", "--json")
        require_refused(ended, 2, "UsageError", "did you mean 'rrs-2023'?")
        assert [] == list(program.home.iterdir())


def lines_until(process: subprocess.Popen[str], words: str) -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        yield line
        if words in line:
            return
    pytest.fail(f"ended without saying {words!r}")


def begun(program: Program) -> subprocess.Popen[str]:
    """A rehearsal into ``proof``, as a process."""
    return subprocess.Popen(
        [HKEX_OPS, "rehearse", "rrs-2023", "--out", "proof"],
        cwd=program.home,
        env=program.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def require_interrupted(program: Program, name: str) -> None:
    """The evidence verifies, says that it was interrupted, and holds what had ended."""
    require_whole(program, program.home / name)
    kept = json.loads((program.home / name / "data" / "rundown.json").read_text("utf-8"))
    assert "interrupted" == kept["outcome"]
    ended = [(one["session"], one["step"]) for one in kept["steps"]]
    assert STEPS[: len(ended)] == ended
    assert ("session-1", "log-out") in ended
    assert "INTERRUPTED" in (program.home / name / "data" / "summary.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("told_by", "code", "words"),
    [(signal.SIGINT, 130, "hkex-ops: interrupted"), (signal.SIGTERM, 143, "")],
)
def test_an_interrupted_rehearsal_leaves_its_evidence_nothing_up_and_no_key(
    program: Program, told_by: signal.Signals, code: int, words: str
) -> None:
    with begun(program) as process:
        told = " ".join(lines_until(process, "log-out"))
        process.send_signal(told_by)
        rest, errors = process.communicate(timeout=TIMEOUT_S)
    assert code == process.returncode
    assert words in errors
    assert "Traceback" not in errors
    assert "evidence of them in proof.interrupted" in " ".join(rest.split())
    assert ["proof.interrupted"] == [path.name for path in program.home.iterdir()]
    require_interrupted(program, "proof.interrupted")
    assert [] == list((program.home.parent / "scratch").iterdir())
    [port, *_] = re.findall(r"127\.152\.14\.121:(\d+)", told)
    for host in HOSTS:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, int(port)))


def test_a_killed_rehearsal_is_closed_by_the_next_one_which_starts_anew(program: Program) -> None:
    with begun(program) as process:
        list(lines_until(process, "log-out"))
        process.kill()
        process.communicate(timeout=TIMEOUT_S)
    assert ["proof.partial"] == [path.name for path in program.home.iterdir()]
    ended = program.here("rehearse", "rrs-2023", "--out", "proof", "--json")
    assert (0, "passed") == (ended.code, ended.document["outcome"])
    assert "an earlier rehearsal was interrupted" in ended.stderr
    assert ["proof", "proof.interrupted"] == sorted(path.name for path in program.home.iterdir())
    require_interrupted(program, "proof.interrupted")
    require_whole(program, program.home / "proof")


def test_what_a_killed_rehearsal_left_may_be_closed_by_hand(program: Program) -> None:
    with begun(program) as process:
        list(lines_until(process, "log-out"))
        busy = program.here("evidence", "close", "proof.partial", "--json")
        require_refused(busy, 6, "StoreError", "is being written: wait until that has ended")
        process.kill()
        process.communicate(timeout=TIMEOUT_S)
    ended = program.here("evidence", "close", "proof", "--json")
    assert (0, "interrupted", len(STEPS), "proof.interrupted") == (
        ended.code,
        ended.document["outcome"],
        ended.document["steps"],
        ended.document["evidence"],
    )
    require_interrupted(program, "proof.interrupted")
    again = program.here("evidence", "close", "proof.partial", "--json")
    require_refused(again, 6, "StoreError", "is no folder that an interrupted run left")


def test_what_somebody_else_left_at_its_place_is_not_touched(program: Program) -> None:
    (program.home / "proof.partial").mkdir()
    (program.home / "proof.partial" / "theirs").write_text("mine")
    ended = program.here("rehearse", "rrs-2023", "--out", "proof", "--json")
    assert (6, "StoreError") == (ended.code, ended.document["error"]["kind"])
    assert "an interrupted run left it" in last_line(ended)
    assert "mine" == (program.home / "proof.partial" / "theirs").read_text()
