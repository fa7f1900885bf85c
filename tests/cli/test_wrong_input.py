"""Wrong input: one clear sentence that says who must do what, the right exit code, nothing lost."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

from tests.cli.desk import FRIDAY, Desk
from tests.cli.program import HKEX_OPS, Ended, Program, require_refused, times_of
from tests.cli.test_reports import require_sound


def both_ways(desk: Desk, *arguments: str) -> Iterator[Ended]:
    """The same command for a person and for a program."""
    line = ("reports", *arguments, "--config", str(desk.config))
    yield desk.program.here(*line)
    yield desk.program.here(*line, "--json")


class TestQuestions:
    @pytest.mark.parametrize(
        ("arguments", "kind", "said"),
        [
            (["list", "--site", "primery"], "UsageError", "did you mean primary?"),
            (["fetch", "--site", "tertiary"], "UsageError", "known: primary, secondary"),
            (["fetch", "--source", "dask"], "UsageError", "did you mean 'desk'?"),
            (["drill", "--report", "TP999"], "UsageError", "unknown report code TP999"),
            (["fetch", "--business-date", "2023-04-15"], "UsageError", "2023-04-14"),
            (["fetch", "--business-date", "2023-04-10"], "UsageError", "Easter Monday"),
            (["list", "--business-date", "2023-04-16"], "UsageError", "is no business day"),
            (["drill", "--business-date", "2023-04-16"], "UsageError", "is no business day"),
            (["fetch", "--business-date", "2050-01-03"], "OutsideCalendar", "2050-01-03"),
            (["fetch", "--business-date", "14/04/2023"], "UsageError", "write it as 2023-04-14"),
            (["fetch", "--business-date", ""], "UsageError", "is no date"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_it_exits_2_and_names_what_would_be_right(
        self, desk: Desk, arguments: list[str], kind: str, said: str
    ) -> None:
        desk.publish_day()
        for ended in both_ways(desk, *arguments):
            require_refused(ended, 2, kind, said)
        assert {} == desk.kept()

    def test_several_sources_want_a_name(self, desk: Desk) -> None:
        desk.configure()
        other = '[report_sources.other]\nadapter = "folder"\nservice = "RRS"\n'
        other += '[report_sources.other.options]\nfolder = "exchange"\n'
        desk.config.write_text(desk.config.read_text("utf-8") + other, "utf-8")
        require_refused(desk.fetch(), 2, "UsageError", "desk, other")


class TestConfiguration:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("[archive\n", "line 1"),
            ('[archive]\nfolder = "a\n', "line 2"),
            ("\x00", "line 1"),
        ],
    )
    def test_broken_toml_is_said_with_the_line(self, desk: Desk, text: str, said: str) -> None:
        desk.config.write_text(text, encoding="utf-8")
        for ended in both_ways(desk, "fetch"):
            require_refused(ended, 6, "ConfigError", str(desk.config), "is not TOML", said)

    def test_a_file_that_is_no_text_is_said(self, desk: Desk) -> None:
        desk.config.write_bytes(b"\xff\xfe")
        for ended in both_ways(desk, "fetch"):
            require_refused(ended, 6, "ConfigError", str(desk.config), "cannot be read")

    def test_every_fault_is_told_at_once_each_with_its_path(self, desk: Desk) -> None:
        desk.config.write_text(
            '[archive]\nfoldr = "a"\n[report_sources.desk]\nadapter = 7\nservice = "RRS"\n'
            'site = "tertiary"\n',
            encoding="utf-8",
        )
        expected = [
            f"{desk.config}: 4 faults",
            "  archive.folder: is missing",
            "  archive.foldr: unknown key; did you mean 'folder'?",
            "  report_sources.desk.adapter: must be a text, not a whole number",
            "  report_sources.desk.site: unknown word 'tertiary'; did you mean 'primary'?",
        ]
        shown, told = both_ways(desk, "fetch")
        assert (6, 6) == (shown.code, told.code)
        assert "\n".join(expected) == told.document["error"]["message"]
        assert ["hkex-ops: " + expected[0], *expected[1:]] == shown.stderr.splitlines()

    def test_faults_of_an_adapters_options_name_the_source(self, desk: Desk) -> None:
        desk.configure(options={"goes_wrog": "x"})
        for ended in both_ways(desk, "list"):
            where = "report_sources.desk.options.goes_wrog: unknown key"
            require_refused(ended, 6, "ConfigError", str(desk.config), where)

    @pytest.mark.parametrize(
        ("arguments", "variables"),
        [
            (["--config", "nowhere.toml"], {}),
            ([], {"HKEX_OPS_CONFIG": "nowhere.toml"}),
            ([], {}),
        ],
    )
    def test_a_missing_file_is_said_with_its_place(
        self, program: Program, arguments: list[str], variables: dict[str, str]
    ) -> None:
        asking = attrs.evolve(program, more=variables)
        ended = asking.here("reports", "fetch", *arguments, "--json")
        named = "nowhere.toml" if arguments or variables else ".config/hkex-ops/config.toml"
        require_refused(ended, 6, "ConfigError", named)

    def test_the_users_own_file_is_found(self, desk: Desk) -> None:
        desk.publish_day()
        own = desk.home / ".config" / "hkex-ops"
        own.mkdir(parents=True)
        text = desk.config.read_text("utf-8")
        for name in ("archive", "catalogue.toml", "exchange"):
            text = text.replace(f'"{name}"', f'"{desk.home / name}"')
        (own / "config.toml").write_text(text, "utf-8")
        ended = desk.program.here("reports", "fetch", "--business-date", FRIDAY, "--json")
        assert (0, 3) == (ended.code, len(ended.document["fetched"]))

    @pytest.mark.parametrize(
        ("spoil", "said"),
        [
            (lambda desk: (desk.home / "catalogue.toml").unlink(), "there is no catalogue at"),
            (
                lambda desk: (desk.home / "catalogue.toml").write_text(
                    '[[reports]]\nservice = "RRS"\npattern = "("\ndate_form = "YYYYMMDD"\n'
                    'codes = ["A"]\n'
                ),
                "is no regular expression",
            ),
            (
                lambda desk: desk.config.write_text(
                    '[archive]\nfolder = "archive"\n[catalogue]\nfile = "catalogue.toml"\n'
                ),
                "has no [report_sources.NAME] table",
            ),
            (
                lambda desk: desk.configure(source='adapter = "ftp"\nservice = "RRS"'),
                "report source ftp is not on offer; on offer: folder",
            ),
        ],
        ids=["no catalogue", "a bad pattern", "no source", "an unknown adapter"],
    )
    def test_what_is_missing_or_wrong_beside_it_is_said(
        self, desk: Desk, spoil: Callable[[Desk], object], said: str
    ) -> None:
        spoil(desk)
        for ended in both_ways(desk, "fetch"):
            require_refused(ended, 6, "ConfigError", said)


class TestFarSide:
    @pytest.mark.parametrize(
        ("wrong", "code", "kind"),
        [
            ("unreachable", 4, "Unreachable"),
            ("timed-out", 4, "TimedOut"),
            ("busy", 4, "Busy"),
            ("auth", 5, "AuthRefused"),
            ("host-key", 5, "HostKeyMismatch"),
            ("rejected", 5, "Rejected"),
            ("listed-twice", 6, "PluginError"),
        ],
    )
    def test_each_refusal_has_its_exit_code(
        self, desk: Desk, wrong: str, code: int, kind: str
    ) -> None:
        desk.publish_day()
        desk.configure(options={"goes_wrong": wrong})
        ended = desk.reports("list")
        assert (code, kind) == (ended.code, ended.document["error"]["kind"])
        assert f"hkex-ops: {ended.document['error']['message']}" == ended.stderr.splitlines()[-1]


class TestArchive:
    def test_an_archive_that_is_a_file_is_left_as_it_is(self, desk: Desk) -> None:
        desk.publish_day()
        desk.archive.write_text("mine")
        for verb in ("fetch", "list", "verify"):
            for ended in both_ways(desk, verb):
                require_refused(ended, 6, "StoreError", str(desk.archive), "must be a folder")
        assert "mine" == desk.archive.read_text()

    def test_an_archive_that_is_not_there_cannot_be_verified(self, desk: Desk) -> None:
        for ended in both_ways(desk, "verify"):
            require_refused(ended, 6, "StoreError", str(desk.archive))
        assert not desk.archive.exists()

    def test_a_folder_of_other_things_is_not_taken_for_an_archive(self, desk: Desk) -> None:
        desk.archive.mkdir()
        (desk.archive / "holiday.jpg").write_text("mine")
        for verb in ("fetch", "verify"):
            for ended in both_ways(desk, verb):
                require_refused(ended, 6, "StoreError", str(desk.archive))
        assert ["holiday.jpg"] == [path.name for path in desk.archive.iterdir()]

    def test_an_archive_in_use_says_by_whom_and_verify_and_list_read_on(self, desk: Desk) -> None:
        desk.publish_day()
        desk.fetch()
        holding = (
            "import fcntl, sys, time\n"
            "from pathlib import Path\n"
            "from hkex_ops.clock import SystemClock\n"
            "from hkex_ops.flows.store import Archive\n"
            "with Archive.open(Path(sys.argv[1]), clock=SystemClock()):\n"
            "    print('held', flush=True)\n"
            "    sys.stdin.read()\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", holding, desk.archive],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert "held\n" == process.stdout.readline()
            for ended in both_ways(desk, "fetch"):
                require_refused(ended, 6, "StoreInUse", "in use", f"pid {process.pid}")
            require_sound(desk)
            shown, listed = both_ways(desk, "list")
            assert (0, 0, False) == (listed.code, shown.code, listed.document["kept"])
            assert "not kept as a snapshot" in shown.words
            process.communicate()
        assert 0 == desk.fetch().code

    @pytest.mark.skipif(
        bool(os.geteuid()), reason="mounting a small file system takes the superuser"
    )
    def test_a_full_disk_keeps_what_is_whole_and_the_next_run_completes(self, desk: Desk) -> None:
        names = [f"HKCC_{code}_20230414.csv" for code in ("CM001", "TP001", "TP002")]
        for name in names:
            desk.publish(name, name.encode() * 8000)
        desk.archive.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=320k", "none", desk.archive],
            capture_output=True,
            check=False,
        )
        if mounted.returncode:
            pytest.skip("this machine mounts no small file system")
        try:
            for ended in (desk.fetch(), desk.fetch()):
                assert (6, "StoreError") == (ended.code, ended.document["error"]["kind"])
                assert "the disk is full" in ended.stderr.splitlines()[-1]
            whole = desk.kept()
            assert {name: (desk.exchange / name).read_bytes() for name in names}.items() >= {
                Path(path).name: content for path, content in whole.items()
            }.items()
            require_sound(desk)
            subprocess.run(["mount", "-o", "remount,size=4m", desk.archive], check=True)
            assert 3 - len(whole) == len(desk.fetch().document["fetched"])
            require_sound(desk)
        finally:
            subprocess.run(["umount", desk.archive], check=True)

    def test_a_limit_on_file_size_is_a_full_disk_for_this_user(self, desk: Desk) -> None:
        published = desk.publish_day()
        desk.fetch()
        large = "HKCC_TP001_20230417.csv"
        desk.publish(large, b"x" * 2_000_000)
        limit = 1_000_000

        def limited() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        done = subprocess.run(
            [
                *(HKEX_OPS, "reports", "fetch", "--config", str(desk.config)),
                *("--business-date", "2023-04-17", "--json"),
            ],
            cwd=desk.home,
            env=desk.program.environment(),
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=limited,
        )
        ended = Ended(done.returncode, done.stdout, done.stderr)
        assert (6, "StoreError") == (ended.code, ended.document["error"]["kind"])
        assert "larger than this process" in ended.stderr.splitlines()[-1]
        assert sorted(f"RRS/{FRIDAY}/{name}" for name in published) == sorted(desk.kept())
        require_sound(desk)
        assert [large] == [kept["name"] for kept in desk.fetch("2023-04-17").document["fetched"]]

    def test_an_interrupted_fetch_says_so_and_leaves_nothing_half_written(self, desk: Desk) -> None:
        _, silent, _ = desk.publish_day()
        desk.configure(options={"goes_wrong": f"falls-silent {silent}"})
        with subprocess.Popen(
            [HKEX_OPS, "reports", "fetch", "--config", desk.config, "--business-date", FRIDAY],
            cwd=desk.home,
            env=desk.program.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            while 2 > len(list(desk.archive.rglob("*.part"))):
                assert process.poll() is None
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate()
        assert (130, "") == (process.returncode, stdout)
        assert "hkex-ops: interrupted" in stderr.splitlines()[-1]
        assert "Traceback" not in stderr
        require_sound(desk)


class TestEvidence:
    @pytest.mark.parametrize(
        ("make", "said"),
        [
            (lambda path: None, "there is no evidence folder at"),
            (lambda path: path.write_text("x"), "there is no evidence folder at"),
            (lambda path: path.mkdir(), "holds no evidence"),
        ],
        ids=["nothing", "a file", "an empty folder"],
    )
    def test_what_is_no_evidence_exits_6(
        self, program: Program, make: Callable[[Path], object], said: str
    ) -> None:
        make(program.home / "folder")
        for more in ([], ["--json"]):
            ended = program.here("evidence", "verify", "folder", *more)
            require_refused(ended, 6, "ConfigError", said)


def test_no_refusal_carries_a_time_without_offset(desk: Desk) -> None:
    desk.publish_day()
    assert times_of(desk.fetch().document) == []
    assert times_of(desk.reports("list").document)
