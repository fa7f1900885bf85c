"""Logging in: which server, which key, which address, and what is never done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
import pytest
from attrs import evolve
from sftp_benches import HOSTS, AsyncsshBench, Keys

from hkex_ops.errors import ConfigError, HostKeyMismatch, Unreachable
from hkex_ops.model import SiteRole
from hkex_ops_sftp import SftpOptions, SftpSite, open_sftp

PRIMARY = SiteRole.PRIMARY


def pinned(options: SftpOptions, *host_keys: str) -> SftpOptions:
    """The options with these pins on the primary site's first address, and no second one."""
    first = evolve(options.sites[PRIMARY].addresses[0], host_keys=host_keys)
    return evolve(options, sites={PRIMARY: SftpSite((first,))})


@asynccontextmanager
async def silent_address(host: str, port: int) -> AsyncGenerator[None]:
    """Takes connections and never says a word."""
    over = asyncio.Event()

    async def wait(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    async with await asyncio.start_server(wait, host, port):
        yield
        over.set()


async def logged_in(options: SftpOptions) -> str:
    """The host that let us in."""
    async with open_sftp(options, PRIMARY) as source:
        assert [] == [report async for report in source.list_reports()]
        return source.endpoint.host


# -- host keys ------------------------------------------------------------------------------------


@pytest.fixture
def ecdsa() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ecdsa-sha2-nistp256")


async def test_a_fingerprint_pins_as_well_as_the_key(server: AsyncsshBench) -> None:
    options = pinned(server.options(), server.keys.fingerprint(PRIMARY))
    assert "127.0.0.11" == await logged_in(options)


async def test_a_server_with_a_key_of_another_type_is_reported_seen_and_expected(
    server: AsyncsshBench, ecdsa: asyncssh.SSHKey
) -> None:
    await server.take_down(PRIMARY, 1)
    await server.bring_up(PRIMARY, 1, [ecdsa])
    with pytest.raises(HostKeyMismatch) as caught:
        await logged_in(server.options())
    assert ecdsa.get_fingerprint() == caught.value.seen
    assert (server.keys.fingerprint(PRIMARY),) == caught.value.expected
    assert 0 == server.logins_tried(PRIMARY)


async def test_a_changed_key_on_the_second_address_is_an_alarm(
    server: AsyncsshBench, keys: Keys
) -> None:
    await server.take_down(PRIMARY, 1)
    await server.take_down(PRIMARY, 2)
    await server.bring_up(PRIMARY, 2, [keys.hosts[SiteRole.SECONDARY]])
    with pytest.raises(HostKeyMismatch, match=r"127\.0\.0\.12") as caught:
        await logged_in(server.options())
    assert keys.fingerprint(SiteRole.SECONDARY) == caught.value.seen
    assert 0 == server.logins_tried(PRIMARY)


async def test_a_server_with_several_keys_proves_the_type_that_is_pinned(
    server: AsyncsshBench, keys: Keys, ecdsa: asyncssh.SSHKey
) -> None:
    await server.take_down(PRIMARY, 1)
    await server.bring_up(PRIMARY, 1, [keys.hosts[PRIMARY], ecdsa])
    line = ecdsa.export_public_key().decode()
    async with open_sftp(pinned(server.options(), line), PRIMARY) as source:
        assert ecdsa.get_fingerprint() == source.endpoint.host_key


async def test_a_fingerprint_of_a_less_liked_type_is_found_before_any_login(
    server: AsyncsshBench, keys: Keys, ecdsa: asyncssh.SSHKey
) -> None:
    await server.take_down(PRIMARY, 1)
    await server.bring_up(PRIMARY, 1, [keys.hosts[PRIMARY], ecdsa])
    options = pinned(server.options(), ecdsa.get_fingerprint())
    async with open_sftp(options, PRIMARY) as source:
        assert ecdsa.get_fingerprint() == source.endpoint.host_key
        assert 1 == server.logins_tried(PRIMARY)


async def test_a_wrong_fingerprint_reports_every_key_the_server_has(
    server: AsyncsshBench, keys: Keys, ecdsa: asyncssh.SSHKey
) -> None:
    await server.take_down(PRIMARY, 1)
    await server.bring_up(PRIMARY, 1, [keys.hosts[PRIMARY], ecdsa])
    with pytest.raises(HostKeyMismatch) as caught:
        await logged_in(pinned(server.options(), keys.fingerprint(SiteRole.SECONDARY)))
    seen = f"{keys.fingerprint(PRIMARY)} and {ecdsa.get_fingerprint()}"
    assert seen == caught.value.seen


# -- addresses ------------------------------------------------------------------------------------


async def test_an_address_that_never_answers_gives_way_to_the_second(
    server: AsyncsshBench,
) -> None:
    await server.take_down(PRIMARY, 1)
    async with silent_address(HOSTS[PRIMARY][0], server.port):
        assert "127.0.0.12" == await logged_in(evolve(server.options(), login_timeout_s=1))


async def test_every_address_is_named_with_its_own_reason(server: AsyncsshBench) -> None:
    await server.take_down(PRIMARY, 1)
    await server.take_down(PRIMARY, 2)
    async with silent_address(HOSTS[PRIMARY][0], server.port):
        with pytest.raises(Unreachable) as caught:
            await logged_in(evolve(server.options(), login_timeout_s=1))
    first, second = str(caught.value).split("; ")
    assert f"127.0.0.11 port {server.port}: no answer in time" in first
    assert f"127.0.0.12 port {server.port}: " in second
    assert "onnect" in second


async def test_a_site_without_options_is_refused_before_connecting(server: AsyncsshBench) -> None:
    options = pinned(server.options(), server.keys.line(PRIMARY))
    with pytest.raises(ConfigError, match="no site secondary; known: primary"):
        async with open_sftp(options, SiteRole.SECONDARY):
            pass


async def test_an_unusable_key_is_refused_before_connecting(server: AsyncsshBench) -> None:
    with pytest.raises(ConfigError, match="there is no private key"):
        await logged_in(evolve(server.options(), key_file=Path("absent")))
    assert set() == server.records[PRIMARY].connections


# -- what is never done ---------------------------------------------------------------------------


async def test_no_shell_and_no_command_is_ever_asked_for(server: AsyncsshBench) -> None:
    server.put(PRIMARY, "TP001.csv", b"1")
    async with open_sftp(server.options(), PRIMARY) as source:
        reports = [report async for report in source.list_reports()]
        assert [delivery async for delivery in source.fetch(reports)]
    assert [] == server.records[PRIMARY].refused_requests


async def test_the_server_would_have_noticed_a_command(server: AsyncsshBench) -> None:
    async with asyncssh.connect(
        "127.0.0.11",
        server.port,
        config=None,
        known_hosts=None,
        username=server.user,
        client_keys=[str(server.keys.file("user"))],
    ) as connection:
        await connection.run("ls")
    assert ["ls"] == server.records[PRIMARY].refused_requests


async def test_nothing_of_the_users_own_ssh_set_up_is_read(
    server: AsyncsshBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent, a configuration and known hosts that would each change the outcome."""
    asked: list[object] = []

    def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(writer)
        writer.close()

    ssh = tmp_path / ".ssh"
    ssh.mkdir()
    (ssh / "config").write_text("Host *\n  Port 1\n  User other\n  ProxyCommand false\n")
    key = server.keys.line(SiteRole.PRIMARY)
    (ssh / "known_hosts").write_text(f"[127.0.0.11]:{server.port} {key}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    async with await asyncio.start_unix_server(answer, tmp_path / "agent"):
        assert "127.0.0.11" == await logged_in(server.options())
        with pytest.raises(HostKeyMismatch):
            await logged_in(server.options_with_other_host_key())
    assert [] == asked
