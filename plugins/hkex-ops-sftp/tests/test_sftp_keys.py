"""Keys that log in, from a file or an agent; a new pair for an old one; host keys to compare."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import Generator
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread

import asyncssh
import pytest
from attrs import define, evolve
from sftp_benches import HOSTS, AsyncsshBench, Keys

from hkex_ops import ManualClock
from hkex_ops.cli import papers
from hkex_ops.cli.main import run
from hkex_ops.errors import AuthRefused, ConfigError
from hkex_ops.model import HONG_KONG, SiteRole
from hkex_ops_sftp import open_sftp
from hkex_ops_sftp.keys import read_key

PRIMARY = SiteRole.PRIMARY
PASSPHRASE = "correct horse"


@define
class Running:
    """A server that answers while a command runs in this thread."""

    bench: AsyncsshBench
    loop: asyncio.AbstractEventLoop

    def do(self, what: object) -> object:
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(10)  # type: ignore[arg-type]


@pytest.fixture
def running(tmp_path: Path, keys: Keys) -> Generator[Running]:
    bench = AsyncsshBench(tmp_path, keys)
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    there = Running(bench, loop)
    there.do(bench.__aenter__())
    try:
        yield there
    finally:
        there.do(bench.__aexit__())
        there.do(asyncio.sleep(0.05))
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def configure(folder: Path, bench: AsyncsshBench, *, pins: bool = True, more: str = "") -> Path:
    """A configuration of one source; its key is a copy, so that it may be changed."""
    key = folder / "desk_key"
    if not key.exists():
        shutil.copy(bench.keys.file("user"), key)
        key.chmod(0o600)
    line = f', host_keys = ["{bench.keys.line(PRIMARY)}"]' if pins else ""
    addresses = ", ".join(
        f'{{ host = "{host}", port = {bench.port}{line} }}' for host in HOSTS[PRIMARY]
    )
    path = folder / "config.toml"
    path.write_text(
        "[archive]\nfolder = 'archive'\n[report_sources.rrs]\nadapter = 'sftp'\nservice = 'rrs'\n"
        "site = 'primary'\n[report_sources.rrs.options]\nuser = 'BU_C001'\nkey_file = 'desk_key'\n"
        f"{more}\n[report_sources.rrs.options.sites.primary]\naddresses = [{addresses}]\n"
    )
    return path


def command(*words: str) -> int:
    return run([*words, "--json"])


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    document: dict[str, object] = json.loads(capsys.readouterr().out)
    return document


class TestKeyFiles:
    @pytest.mark.parametrize("form", ["openssh", "pkcs8-pem", "pkcs1-pem"])
    def test_encrypted_keys_of_every_form_are_opened_with_their_passphrase(
        self, tmp_path: Path, form: str
    ) -> None:
        kind = "ssh-rsa" if form == "pkcs1-pem" else "ecdsa-sha2-nistp256"
        key = asyncssh.generate_private_key(kind)
        (tmp_path / "key").write_bytes(key.export_private_key(form, PASSPHRASE))
        (tmp_path / "passphrase").write_text(f"{PASSPHRASE}\n")
        for name in ("key", "passphrase"):
            (tmp_path / name).chmod(0o600)
        options = AsyncsshBench(tmp_path, Keys.make(_made(tmp_path / "k"))).options()
        options = evolve(options, passphrase_file=tmp_path / "passphrase")
        assert key.get_fingerprint() == read_key(tmp_path / "key", options).get_fingerprint()

    def test_a_wrong_passphrase_is_told_and_shown_nowhere(self, tmp_path: Path, keys: Keys) -> None:
        key = asyncssh.generate_private_key("ssh-ed25519")
        (tmp_path / "key").write_bytes(key.export_private_key("openssh", PASSPHRASE))
        (tmp_path / "passphrase").write_text("another secret\n")
        for name in ("key", "passphrase"):
            (tmp_path / name).chmod(0o600)
        options = evolve(
            AsyncsshBench(tmp_path, keys).options(), passphrase_file=tmp_path / "passphrase"
        )
        with pytest.raises(ConfigError, match="the passphrase does not open") as raised:
            read_key(tmp_path / "key", options)
        assert "secret" not in str(raised.value)

    def test_an_encrypted_key_without_a_passphrase_says_what_to_set(self, tmp_path: Path) -> None:
        key = asyncssh.generate_private_key("ssh-ed25519")
        (tmp_path / "key").write_bytes(key.export_private_key("openssh", PASSPHRASE))
        (tmp_path / "key").chmod(0o600)
        with pytest.raises(ConfigError, match="set passphrase_file or passphrase_entry"):
            read_key(tmp_path / "key")

    def test_a_passphrase_comes_from_the_credential_store(
        self, tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keyring = pytest.importorskip("keyring", reason="wants hkex-ops-sftp[keyring]")
        key = asyncssh.generate_private_key("ssh-ed25519")
        (tmp_path / "key").write_bytes(key.export_private_key("openssh", PASSPHRASE))
        (tmp_path / "key").chmod(0o600)
        store = {("hkex-ops", "rrs"): PASSPHRASE}
        monkeypatch.setattr(keyring, "get_password", lambda *entry: store.get(entry))
        options = evolve(AsyncsshBench(tmp_path, keys).options(), passphrase_entry="rrs")
        assert key.get_fingerprint() == read_key(tmp_path / "key", options).get_fingerprint()
        with pytest.raises(ConfigError, match="run keyring set hkex-ops other"):
            read_key(tmp_path / "key", evolve(options, passphrase_entry="other"))


def _made(path: Path) -> Path:
    path.mkdir()
    return path


class TestAgent:
    @pytest.fixture
    def agent(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
        """A real ssh-agent, with nothing in it."""
        if shutil.which("ssh-agent") is None:
            if os.environ.get("HKEX_OPS_REQUIRE_SERVERS") == "1":
                pytest.fail("there is no ssh-agent on this machine: install openssh-client")
            pytest.skip("there is no ssh-agent on this machine: install openssh-client")
        socket = tmp_path / "agent"
        process = subprocess.Popen(
            ["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL
        )
        while not socket.exists():
            assert process.poll() is None
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        yield
        process.terminate()
        process.wait()

    @pytest.mark.usefixtures("agent")
    async def test_a_key_that_the_agent_holds_logs_in(
        self, server: AsyncsshBench, keys: Keys
    ) -> None:
        adding = await asyncio.create_subprocess_exec(
            "ssh-add", "-q", str(keys.file("user")), stderr=subprocess.DEVNULL
        )
        assert 0 == await adding.wait()
        public = keys.user.export_public_key().decode().strip()
        options = evolve(server.options(), key_file=None, agent_key=public)
        async with open_sftp(options, PRIMARY):
            assert 1 == server.sessions(PRIMARY)

    @pytest.mark.usefixtures("agent")
    async def test_a_key_that_the_agent_does_not_hold_is_told(
        self, server: AsyncsshBench, keys: Keys
    ) -> None:
        options = evolve(
            server.options(), key_file=None, agent_key=keys.fingerprint(SiteRole.SECONDARY)
        )
        with pytest.raises(AuthRefused, match="add it with ssh-add"):
            async with open_sftp(options, PRIMARY):
                pass
        assert 0 == server.logins_tried(PRIMARY)

    async def test_no_agent_is_told(
        self, server: AsyncsshBench, keys: Keys, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
        options = evolve(
            server.options(), key_file=None, agent_key=keys.fingerprint(SiteRole.PRIMARY)
        )
        with pytest.raises(ConfigError, match="the key agent cannot be reached"):
            async with open_sftp(options, PRIMARY):
                pass


class TestRotation:
    def test_a_new_pair_takes_the_place_once_it_has_logged_in(
        self, running: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The old key is the one in use until then, and is kept after it."""
        config = str(configure(tmp_path, running.bench))
        old = (tmp_path / "desk_key").read_bytes()
        assert 0 == command("keys", "rotate", "--config", config)
        made = told(capsys)
        assert ("made", old) == (made["state"], (tmp_path / "desk_key").read_bytes())
        assert 0o600 == (tmp_path / "desk_key.next").stat().st_mode & 0o777
        assert 1 == command("keys", "show", "--config", config)
        assert str(tmp_path / "desk_key.next") == told(capsys)["next"]

        assert 1 == command("keys", "rotate", "--config", config)
        assert "not-active" == told(capsys)["state"]
        assert old == (tmp_path / "desk_key").read_bytes()

        known = running.bench.keys.file("authorized_keys")
        before = known.read_text()
        try:
            known.write_text(f"{before}{made['public_key']}\n")
            running.do(running.bench.__aexit__())
            running.do(running.bench.__aenter__())
            assert 0 == command("keys", "rotate", "--config", config)
        finally:
            known.write_text(before)
        rotated = told(capsys)
        assert ("rotated", made["sha256"]) == (rotated["state"], rotated["sha256"])
        assert old == Path(str(rotated["kept"])).read_bytes()
        assert 0 == command("keys", "show", "--config", config)
        assert made["sha256"] == told(capsys)["sha256"]

    def test_the_day_from_which_a_new_key_is_active_counts_business_days(
        self,
        running: Running,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Made on the Thursday before Easter 2023, two days to wait: on the Wednesday after."""
        clock = ManualClock(datetime(2023, 4, 6, 10, tzinfo=HONG_KONG))
        monkeypatch.setattr(papers, "system_clock", lambda: clock)
        config = str(configure(tmp_path, running.bench, more="key_active_after_days = 2"))
        assert 0 == run(["keys", "rotate", "--config", config])
        said = " ".join(capsys.readouterr().out.split())
        assert "handed in today it is active from Wed 2023-04-12 on: then run hkex-ops keys" in said
        clock.advance(timedelta(days=5))
        assert 1 == command("keys", "rotate", "--config", config)
        assert "2023-04-12" == told(capsys)["active_from"]
        assert 1 == run(["keys", "rotate", "--config", config])
        said = " ".join(capsys.readouterr().out.split())
        assert "Handed in on 2023-04-06, when it was made, it is active from 2023-04-12 on" in said

    @pytest.mark.parametrize("is_own", [True, False], ids=["changed", "given up"])
    def test_a_change_that_was_killed_before_its_public_key_moved_is_finished_by_the_next(
        self, running: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str], is_own: bool
    ) -> None:
        """The public key beside the private one is the one that belongs to it."""
        config = str(configure(tmp_path, running.bench))
        own = asyncssh.read_private_key(tmp_path / "desk_key").export_public_key()
        other = asyncssh.generate_private_key("ssh-ed25519").export_public_key()
        (tmp_path / "desk_key.pub").write_bytes(b"old")
        (tmp_path / "desk_key.next.pub").write_bytes(own if is_own else other)
        assert 0 == command("keys", "rotate", "--config", config)
        assert "made" == told(capsys)["state"]
        assert (own if is_own else b"old") == (tmp_path / "desk_key.pub").read_bytes()

    def test_a_new_pair_can_be_given_up(
        self, running: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        config = str(configure(tmp_path, running.bench))
        command("keys", "rotate", "--kind", "rsa-4096", "--config", config)
        assert str(told(capsys)["public_key"]).startswith("ssh-rsa ")
        assert 0 == command("keys", "rotate", "--abandon", "--config", config)
        assert "abandoned" == told(capsys)["state"]
        assert [] == list(tmp_path.glob("desk_key.*"))

    def test_a_stabilisation_period_forbids_it(
        self,
        running: Running,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The circular of 23 March 2023 says so; nothing is made."""
        clock = ManualClock(datetime(2023, 4, 20, 10, tzinfo=HONG_KONG))
        monkeypatch.setattr(papers, "system_clock", lambda: clock)
        config = str(configure(tmp_path, running.bench))
        assert 3 == command("keys", "rotate", "--config", config)
        assert "renew-ssh-key" == told(capsys)["action"]
        assert [] == list(tmp_path.glob("desk_key.*"))

    def test_days_to_expiry_are_shown(
        self, running: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        config = str(configure(tmp_path, running.bench, more="key_expires = 2026-12-31"))
        when = ("--at", "2026-11-21T12:00", "--config", config)
        assert 0 == command("keys", "show", *when)
        assert 40 == told(capsys)["days_to_expiry"]
        assert 1 == command("keys", "show", "--at", "2027-01-02T12:00", "--config", config)
        assert -2 == told(capsys)["days_to_expiry"]


class TestHostKeys:
    def test_both_forms_are_shown_and_nothing_is_written(
        self, running: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        more = "host_keys_file = 'host_keys'"
        config = str(configure(tmp_path, running.bench, pins=False, more=more))
        assert 1 == command("hostkeys", "add", "--config", config)
        document = told(capsys)
        keys = document["host_keys"]
        assert isinstance(keys, list)
        assert [(host, "new") for host in HOSTS[PRIMARY]] == [
            (one["host"], one["state"]) for one in keys
        ]
        assert {running.bench.keys.fingerprint(PRIMARY)} == {one["sha256"] for one in keys}
        assert all(re.fullmatch(r"MD5(:[0-9a-f]{2}){16}", one["md5"]) for one in keys)
        assert not (tmp_path / "host_keys").exists()
        assert 0 == running.bench.logins_tried(PRIMARY)

    def test_what_the_paper_confirms_is_added_and_logs_in(
        self, running: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        more = "host_keys_file = 'host_keys'"
        config = str(configure(tmp_path, running.bench, pins=False, more=more))
        right = running.bench.keys.fingerprint(PRIMARY)
        assert 0 == command("hostkeys", "add", "--accept", right, "--config", config)
        capsys.readouterr()
        lines = (tmp_path / "host_keys").read_text().splitlines()
        assert [f"[{host}]:{running.bench.port}" for host in HOSTS[PRIMARY]] == [
            line.split()[0] for line in lines
        ]
        assert 0 == command("hostkeys", "add", "--config", config)
        assert {"known"} == {one["state"] for one in told(capsys)["host_keys"]}  # type: ignore[attr-defined]
        command("keys", "rotate", "--config", config)
        assert 1 == command("keys", "rotate", "--config", config), "the pins let nobody in"

    def test_a_fingerprint_that_nobody_shows_is_an_alarm(
        self, running: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        more = "host_keys_file = 'host_keys'"
        config = str(configure(tmp_path, running.bench, pins=False, more=more))
        other = running.bench.keys.fingerprint(SiteRole.SECONDARY)
        assert 2 == command("hostkeys", "add", "--accept", other, "--config", config)
        assert "do not connect if the paper says otherwise" in capsys.readouterr().out
        assert not (tmp_path / "host_keys").exists()

    def test_accepting_what_is_known_already_changes_nothing(
        self, running: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The same command may be run again: what the paper says is shown, and is taken."""
        more = "host_keys_file = 'host_keys'"
        config = str(configure(tmp_path, running.bench, pins=False, more=more))
        right = running.bench.keys.fingerprint(PRIMARY)
        assert 0 == command("hostkeys", "add", "--accept", right, "--config", config)
        before = (tmp_path / "host_keys").read_bytes()
        capsys.readouterr()
        assert 0 == command("hostkeys", "add", "--accept", right, "--config", config)
        assert {"known"} == {one["state"] for one in told(capsys)["host_keys"]}  # type: ignore[attr-defined]
        assert before == (tmp_path / "host_keys").read_bytes()

    @pytest.mark.parametrize("is_whole", [True, False], ids=["a key", "a fingerprint"])
    def test_another_key_than_the_pinned_one_is_an_alarm(
        self,
        running: Running,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        is_whole: bool,
    ) -> None:
        """Both fingerprints are shown, and what to do: it is no mere unknown key."""
        keys = running.bench.keys
        pinned, shown = keys.fingerprint(SiteRole.SECONDARY), keys.fingerprint(PRIMARY)
        config = configure(tmp_path, running.bench)
        pin = keys.line(SiteRole.SECONDARY) if is_whole else pinned
        config.write_text(config.read_text().replace(keys.line(PRIMARY), pin))
        assert 1 == run(["hostkeys", "add", "--config", str(config)])
        said = " ".join(capsys.readouterr().out.split())
        first = f"{HOSTS[PRIMARY][0]} port {running.bench.port} ssh-ed25519"
        assert f"{first}: NOT the key that is pinned {shown} is shown" in said
        assert f"{pinned} is pinned" in said
        assert "do not connect: somebody else may answer there. Ask the exchange" in said
        assert 1 == command("hostkeys", "add", "--config", str(config))
        [one, _] = told(capsys)["host_keys"]  # type: ignore[misc]
        assert ("changed", [pinned]) == (one["state"], one["pinned_instead"])  # type: ignore[has-type]

    def test_a_changed_key_that_the_paper_confirms_is_added_beside_the_old_one(
        self, running: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """No pin is removed here; the operator is told that the old one still counts."""
        keys = running.bench.keys
        more = "host_keys_file = 'host_keys'"
        config = str(configure(tmp_path, running.bench, pins=False, more=more))
        old = keys.line(SiteRole.SECONDARY)
        lines = [f"[{host}]:{running.bench.port} {old}" for host in HOSTS[PRIMARY]]
        (tmp_path / "host_keys").write_text("\n".join(lines))
        right = keys.fingerprint(PRIMARY)
        assert 0 == run(["hostkeys", "add", "--accept", right, "--config", config])
        assert "what was pinned before still counts" in capsys.readouterr().out
        kept = (tmp_path / "host_keys").read_text().splitlines()
        assert (lines, 4) == (kept[:2], len(kept))
        assert 0 == command("hostkeys", "add", "--config", config)
        assert {"known"} == {one["state"] for one in told(capsys)["host_keys"]}  # type: ignore[attr-defined]

    def test_an_address_that_is_away_hides_no_other(
        self, running: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """What the others show is shown and can be taken; the one that is away is told."""
        more = "host_keys_file = 'host_keys'"
        config = configure(tmp_path, running.bench, pins=False, more=more)
        text, port = config.read_text(), running.bench.port
        first, second = HOSTS[PRIMARY]
        away = re.sub(rf"({re.escape(first)}\D+){port}", r"\g<1>1", text)
        assert text != away
        config.write_text(away)
        assert 1 == command("hostkeys", "add", "--config", str(config))
        document = told(capsys)
        assert [second] == [one["host"] for one in document["host_keys"]]  # type: ignore[attr-defined]
        assert [f"asking {first} port 1 for its host keys: Connection refused"] == document[
            "failures"
        ]

    def test_without_any_pin_nobody_is_connected(self, running: Running, tmp_path: Path) -> None:
        options = evolve(
            running.bench.options(),
            host_keys_file=tmp_path / "none",
            sites={
                site: evolve(
                    place,
                    addresses=tuple(evolve(one, host_keys=()) for one in place.addresses),
                )
                for site, place in running.bench.options().sites.items()
            },
        )

        async def log_in() -> None:
            async with open_sftp(options, PRIMARY):
                pass

        with pytest.raises(ConfigError, match="run hkex-ops hostkeys add"):
            asyncio.run(log_in())
        assert 0 == running.bench.logins_tried(PRIMARY)
