"""A desk at work: ``hkex-ops reports`` over SFTP against an exchange in a box.

The exchange runs in this process and is its own witness; the command line runs as a process of its
own where exit codes and outputs are the matter, in a thread of this one otherwise.
"""

from __future__ import annotations

import asyncio
import random
import shlex
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Any

import asyncssh
import pytest
import pytest_asyncio
from attrs import frozen

from hkex_ops.model import SiteRole
from hkex_ops_simulator.configuration import write_configuration
from hkex_ops_simulator.server import SimulatedExchange
from hkex_ops_simulator.sftp import ReadOnlySftp
from tests.cli.program import HKEX_OPS, TIMEOUT_S, Ended, Program

PRIMARY, SECONDARY = SiteRole.PRIMARY, SiteRole.SECONDARY
FRIDAY = "2023-04-14"
REPORT = "HKCC_TP001_20230414.csv"
FETCH = ("fetch", "--business-date", FRIDAY)
DRILL = ("drill", "--site", "secondary", "--business-date", FRIDAY)
PLUGINS = frozenset({"hkex-ops-sftp", "hkex-ops-simulator"})


@frozen
class Office:
    """A desk whose configuration points at ``exchange``."""

    exchange: SimulatedExchange
    program: Program
    config: Path

    @property
    def archive(self) -> Path:
        """Where the archive is."""
        return self.config.parent / "archive"

    async def reports(self, *arguments: str) -> Ended:
        """``hkex-ops reports … --json`` in a thread of this process."""
        line = ("reports", *arguments, "--config", str(self.config), "--json")
        return await asyncio.to_thread(self.program.here, *line)

    async def process(self, *arguments: str) -> Ended:
        """``hkex-ops reports …`` as a process."""
        line = ("reports", *arguments, "--config", str(self.config))
        return await asyncio.to_thread(self.program.run, *line)

    async def require_sound(self) -> None:
        """Nothing was lost or half-written."""
        ended = await self.reports("verify")
        assert (0, []) == (ended.code, ended.document["findings"])

    def kept(self) -> dict[str, bytes]:
        """The files of the archive by name."""
        found = sorted((self.archive / "reports").rglob("*"))
        return {path.name: path.read_bytes() for path in found if path.is_file()}

    def published(self, day: str = FRIDAY) -> dict[str, bytes]:
        """What the primary site has of a business date, asked at the back door."""
        names = [name for name in self.exchange.names(PRIMARY) if day.replace("-", "") in name]
        return {name: self.exchange.content(PRIMARY, name) for name in names}

    def rewrite(self, old: str, new: str) -> None:
        """Change the configuration."""
        text = self.config.read_text("utf-8")
        assert old in text
        self.config.write_text(text.replace(old, new), "utf-8")


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    home = tmp_path / "home"
    home.mkdir()
    async with SimulatedExchange(folder=home) as exchange:
        exchange.publish(date(2023, 4, 13))
        exchange.publish(date(2023, 4, 14))
        config = write_configuration(exchange, home)
        yield Office(exchange, Program(home, plugins=PLUGINS), config)
        assert [] == exchange.requests


class Opened:
    """The files that clients open, as the far side sees it."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._more = asyncio.Event()

    def add(self, name: str) -> None:
        """A client opened a file."""
        self.names.append(name)
        self._more.set()

    async def reached(self, count: int) -> None:
        """Wait until that many have been opened."""
        while len(self.names) < count:
            self._more.clear()
            await self._more.wait()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    booked = Opened()
    really = ReadOnlySftp.open

    def booking(self: ReadOnlySftp, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        booked.add(path.decode().rpartition("/")[2])
        return really(self, path, pflags, attrs)

    monkeypatch.setattr(ReadOnlySftp, "open", booking)
    return booked


def names(entries: list[dict[str, Any]]) -> list[str]:
    return sorted(entry["name"] for entry in entries)


def findings(ended: Ended) -> list[tuple[str, str]]:
    return [(one["kind"], one["name"]) for one in ended.document["findings"]]


def steps(ended: Ended) -> dict[str, str]:
    return {step["step"]: step["outcome"] for step in ended.document["steps"]}


class TestFetch:
    async def test_a_days_38_reports_are_fetched_and_again_none(
        self, office: Office, opened: Opened
    ) -> None:
        first = await office.process(*FETCH, "--json")
        assert (0, 38, []) == (
            first.code,
            len(first.document["fetched"]),
            first.document["findings"],
        )
        assert office.published() == office.kept()
        assert sorted(office.published()) == sorted(opened.names)
        opened.names.clear()
        again = await office.process(*FETCH, "--json")
        assert (0, [], 38, []) == (
            again.code,
            again.document["fetched"],
            again.document["held"],
            opened.names,
        )
        await asyncio.wait_for(office.exchange.until_logged_out(), 1)
        await office.require_sound()

    async def test_a_person_reads_one_line_and_cron_has_nothing_to_mail(
        self, office: Office
    ) -> None:
        ended = await office.process(*FETCH)
        assert 0 == ended.code
        assert ended.words.startswith(f"RRS {FRIDAY}: 38 fetched (")
        assert "77 in the folder at the primary site" in ended.words
        assert "" == ended.stderr

    async def test_a_changed_report_is_a_second_version_and_exits_1(self, office: Office) -> None:
        await office.reports(*FETCH)
        before = office.kept()
        office.exchange.put(PRIMARY, REPORT, b"SYNTHETIC other content\n")
        ended = await office.process(*FETCH, "--json")
        assert (1, [("second-version", REPORT)]) == (ended.code, findings(ended))
        assert {**before, f"{REPORT}.v2": b"SYNTHETIC other content\n"} == office.kept()
        await office.require_sound()

    async def test_a_report_that_vanishes_between_listing_and_fetch_is_a_finding(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gone = max(office.published())
        really = ReadOnlySftp.open

        def vanishing(
            self: ReadOnlySftp, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs
        ) -> object:
            if gone in office.exchange.names(PRIMARY):
                office.exchange.remove(PRIMARY, gone)
            return really(self, path, pflags, attrs)

        monkeypatch.setattr(ReadOnlySftp, "open", vanishing)
        ended = await office.reports(*FETCH)
        assert (1, [("not-fetched", gone)]) == (ended.code, findings(ended))
        assert 37 == len(office.kept())
        await office.require_sound()

    async def test_a_name_without_a_rule_is_a_finding(self, office: Office) -> None:
        office.exchange.put(PRIMARY, "HKCC_ZZ999_20230414.csv", b"SYNTHETIC\n")
        ended = await office.reports(*FETCH)
        assert (1, [("unrecognised", "HKCC_ZZ999_20230414.csv")]) == (ended.code, findings(ended))
        assert 38 == len(office.kept())

    async def test_the_second_address_serves_where_the_first_is_down(self, office: Office) -> None:
        await office.exchange.take_down(PRIMARY, "127.151.14.121")
        ended = await office.reports(*FETCH)
        assert (0, f"127.151.14.122:{office.exchange.port}") == (
            ended.code,
            ended.document["address"],
        )

    async def test_a_site_that_is_down_exits_4_and_the_other_is_not_tried(
        self, office: Office
    ) -> None:
        await office.exchange.take_down(PRIMARY)
        ended = await office.process(*FETCH, "--json")
        assert (4, "Unreachable") == (ended.code, ended.document["error"]["kind"])
        said = ended.document["error"]["message"]
        assert f"hkex-ops: {said}" == ended.stderr.splitlines()[-1]
        # Three attempts: two that are followed by another, and the last, which is the answer.
        assert 2 == " ".join(ended.stderr.split()).count("trying again")
        assert [] == [host for host in ("127.151.14.121", "127.151.14.122") if host not in said]
        assert [] == office.exchange.logins
        await office.exchange.bring_up(PRIMARY)
        assert 38 == len((await office.reports(*FETCH)).document["fetched"])


class TestList:
    async def test_it_shows_what_lies_there_and_transfers_nothing(
        self, office: Office, opened: Opened
    ) -> None:
        document = (await office.reports("list", "--site", "secondary")).document
        assert ("secondary", 77, 77) == (
            document["site"],
            document["count"],
            len(document["reports"]),
        )
        states = {one["name"]: one["state"] for one in document["reports"]}
        assert ("new", "ignored") == (states[REPORT], states["README.txt"])
        assert [] == opened.names


class TestDrill:
    async def test_without_a_snapshot_it_is_unknown(self, office: Office) -> None:
        ended = await office.process(*DRILL, "--json")
        assert (1, "unknown", "unknown") == (
            ended.code,
            ended.document["outcome"],
            steps(ended)["compare-listing"],
        )

    async def test_it_compares_with_fridays_fetch_however_often_anybody_lists_since(
        self, office: Office, opened: Opened
    ) -> None:
        await office.reports(*FETCH)
        opened.names.clear()
        assert (0, "passed") == (
            (passed := await office.process(*DRILL, "--json")).code,
            passed.document["outcome"],
        )
        downloaded = ["HKCC_TP001_20230414.csv", "HKCC_TP002_20230414.csv"]
        assert downloaded == sorted(opened.names)
        office.exchange.remove(SECONDARY, min(office.published()))
        for _ in range(2):
            failed = await office.reports(*DRILL)
            assert (1, "failed", "failed") == (
                failed.code,
                failed.document["outcome"],
                steps(failed)["compare-listing"],
            )
            await office.reports("list", "--site", "secondary")
        await office.require_sound()

    async def test_a_site_that_is_down_fails_the_login_and_says_where(self, office: Office) -> None:
        await office.exchange.take_down(SECONDARY)
        ended = await office.reports(*DRILL)
        assert (1, "failed", "failed", "skipped") == (
            ended.code,
            ended.document["outcome"],
            steps(ended)["log-in"],
            steps(ended)["download"],
        )
        assert "127.152.14.122" in ended.document["steps"][0]["found"]
        assert [] == office.exchange.logins


def remove_the_key(office: Office) -> None:
    office.exchange.key_file.unlink()


def open_the_key(office: Office) -> None:
    office.exchange.key_file.chmod(0o644)


def spoil_the_key(office: Office) -> None:
    lines = office.exchange.key_file.read_text().splitlines()
    office.exchange.key_file.write_text("\n".join([lines[0], *lines[2:]]))


def use_another_user(office: Office) -> None:
    office.rewrite(office.exchange.user, "SOMEBODY")


def use_another_key(office: Office) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    office.exchange.key_file.write_bytes(key.export_private_key())


def pin_the_other_site(office: Office) -> None:
    keys = {role: site.host_keys[0] for role, site in office.exchange.sites.items()}
    office.rewrite(keys[PRIMARY], keys[SECONDARY])


def look_elsewhere(office: Office) -> None:
    office.rewrite('folder = "reports"', 'folder = "nowhere"')


def forget_the_primary(office: Office) -> None:
    office.rewrite("options.sites.primary", "options.sites.primery")


WRONG: dict[str, tuple[Callable[[Office], None], int, str, list[str]]] = {
    "a missing key": (remove_the_key, 6, "ConfigError", ["there is no private key at", "KEY"]),
    "a world-readable key": (open_the_key, 6, "ConfigError", ["chmod 600", "KEY"]),
    "a key that is none": (spoil_the_key, 6, "ConfigError", ["is not a private key", "KEY"]),
    "a wrong user": (use_another_user, 5, "AuthRefused", ["check user and key_file"]),
    "a wrong key": (use_another_key, 5, "AuthRefused", ["registered with the exchange"]),
    "a wrong host key": (pin_the_other_site, 5, "HostKeyMismatch", ["SEEN", "PINNED"]),
    "a wrong folder": (look_elsewhere, 5, "Rejected", ["nowhere", "check the option folder"]),
    "an unknown site": (forget_the_primary, 6, "ConfigError", ["primery", "primary"]),
}


class TestWrongInput:
    @pytest.mark.parametrize("wrong", WRONG)
    async def test_one_sentence_says_who_must_do_what_and_nothing_is_lost(
        self, office: Office, wrong: str
    ) -> None:
        await office.reports("fetch", "--business-date", "2023-04-13")
        before = office.kept()
        secret = office.exchange.key_file.read_text().splitlines()[1:-1]
        spoil, code, kind, said = WRONG[wrong]
        spoil(office)
        ended = await office.process(*FETCH, "--json", "--verbose")
        assert (code, kind) == (ended.code, ended.document["error"]["kind"])
        message = ended.document["error"]["message"]
        assert f"hkex-ops: {message}" == ended.stderr.splitlines()[-1]
        assert 1 == ended.stderr.count("hkex-ops: ")
        sites = office.exchange.sites
        meant = {
            "KEY": str(office.exchange.key_file),
            "SEEN": sites[PRIMARY].fingerprint,
            "PINNED": sites[SECONDARY].fingerprint,
        }
        assert [] == [words for words in said if meant.get(words, words) not in message]
        assert [] == [line for line in secret if line in ended.stdout + ended.stderr]
        assert before == office.kept()
        await office.require_sound()


class TestVerify:
    async def test_a_flipped_byte_is_found(self, office: Office) -> None:
        await office.reports(*FETCH)
        path = office.archive / "reports" / "RRS" / FRIDAY / REPORT
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        ended = await office.process("verify", "--json")
        assert (1, [("changed", f"reports/RRS/{FRIDAY}/{REPORT}")]) == (
            ended.code,
            [(one["kind"], one["where"]) for one in ended.document["findings"]],
        )


def test_the_lines_that_the_simulator_suggests_run(tmp_path: Path) -> None:
    program = Program(tmp_path, plugins=PLUGINS)
    with subprocess.Popen(
        [HKEX_OPS, "simulator", "--folder", "with space"],
        cwd=tmp_path,
        env=program.environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = [line for line in iter(process.stdout.readline, "Ctrl-C ends it.\n") if line]
        suggested = [shlex.split(line)[1:] for line in lines if line.startswith("  hkex-ops ")]
        codes = [program.run(*arguments).code for arguments in suggested]
        process.send_signal(signal.SIGINT)
        assert 0 == process.wait(TIMEOUT_S)
    assert [0, 0, 0] == codes


# Killed at most so long after that many files were opened at the far side: anywhere in a run (most
# of which is Python starting), in the transfer, and where files are given their place.
MOMENTS = ((0, 1.0), (1, 0.3), (38, 0.2))
SEED = 20230414


async def killed_fetch(office: Office, opened: Opened, draw: random.Random) -> None:
    """A fetch that is killed, if it has not ended before."""
    process = await asyncio.create_subprocess_exec(
        HKEX_OPS,
        *("reports", *FETCH, "--config", str(office.config)),
        cwd=office.program.home,
        env=office.program.environment(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    count, within_s = draw.choice(MOMENTS)
    ended = asyncio.create_task(process.wait())
    reached = asyncio.create_task(opened.reached(count))
    await asyncio.wait({ended, reached}, return_when=asyncio.FIRST_COMPLETED, timeout=TIMEOUT_S)
    await asyncio.wait({ended}, timeout=draw.uniform(0, within_s))
    reached.cancel()
    if not ended.done():
        process.kill()
    _, told = await process.communicate()
    assert process.returncode in (0, -signal.SIGKILL), told.decode()


@pytest.mark.parametrize(
    ("first", "count"),
    [
        *((number, 1) for number in range(6)),
        *(pytest.param(6 + 20 * n, 20, marks=pytest.mark.long) for n in range(10)),
    ],
)
async def test_a_fetch_that_is_killed_leaves_no_half_file_and_the_next_one_completes(
    office: Office, opened: Opened, first: int, count: int
) -> None:
    for number in range(first, first + count):
        opened.names.clear()
        await kill_and_complete(office, opened, random.Random(f"{SEED} {number}"))
        await asyncio.to_thread(shutil.rmtree, office.archive)


async def kill_and_complete(office: Office, opened: Opened, draw: random.Random) -> None:
    whole = office.published()
    await killed_fetch(office, opened, draw)
    standing = office.kept()
    assert standing.items() <= whole.items()
    if (office.archive / "ledger.head").exists():
        await office.require_sound()
    opened.names.clear()
    completed = await office.reports(*FETCH)
    assert (0, []) == (completed.code, completed.document["findings"])
    assert [] == sorted(set(opened.names) & standing.keys())
    assert whole == office.kept()
    assert [] == list((office.archive / ".staging").iterdir())
    await office.require_sound()
    assert [] == (await office.reports(*FETCH)).document["fetched"]
