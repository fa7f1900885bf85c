"""The exchange as its clients meet it, and as its back door tells it."""

from __future__ import annotations

import asyncio
import errno
import socket
import stat
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from pathlib import Path
from typing import TypeAlias, cast

import asyncssh
import pytest
import pytest_asyncio
from attrs import frozen

from hkex_ops.errors import ConfigError, StoreError, UsageError
from hkex_ops.model import SiteRole
from hkex_ops_simulator import server
from hkex_ops_simulator.addresses import LOOPBACK_OF, SITE_HOSTS
from hkex_ops_simulator.doors import Door, listening_socket
from hkex_ops_simulator.server import KEY_NAME, SimulatedExchange
from hkex_ops_simulator.sftp import ReadOnlySftp
from hkex_ops_simulator.tree import reports_of

PRIMARY, SECONDARY = SiteRole.PRIMARY, SiteRole.SECONDARY
FRIDAY = date(2023, 4, 14)
REPORT = "HKCC_TP001_20230414.csv"
CLOSES_WITHIN_S = 1

# What asyncssh's SFTP server gets from the session, not from the disk.
OF_THE_SESSION = {
    "channel", "connection", "convert_attrs", "env", "exit", "format_group", "format_longname",
    "format_user", "logger", "map_path", "reverse_map_path",
}  # fmt: skip


@frozen
class Client:
    """asyncssh's own client, pinned to the keys the exchange says it has."""

    exchange: SimulatedExchange

    @asynccontextmanager
    async def connection(
        self,
        site: SiteRole = PRIMARY,
        *,
        address: int = 0,
        user: str | None = None,
        key: asyncssh.SSHKey | Path | None = None,
    ) -> AsyncGenerator[asyncssh.SSHClientConnection, None]:
        """A connection to a site's first or second address."""
        simulated = self.exchange.sites[site]
        pins = [asyncssh.import_public_key(line) for line in simulated.host_keys]
        async with asyncssh.connect(
            simulated.addresses[address].host,
            simulated.addresses[address].port,
            config=None,
            agent_path=None,
            known_hosts=(pins, [], []),
            username=user or self.exchange.user,
            client_keys=[key or self.exchange.key_file],
        ) as connection:
            yield connection

    @asynccontextmanager
    async def sftp(
        self, site: SiteRole = PRIMARY, *, address: int = 0
    ) -> AsyncGenerator[asyncssh.SFTPClient, None]:
        """An SFTP session at a site."""
        async with (
            self.connection(site, address=address) as connection,
            connection.start_sftp_client() as sftp,
        ):
            yield sftp


@pytest_asyncio.fixture
async def client(exchange: SimulatedExchange) -> Client:
    return Client(exchange)


Change: TypeAlias = Callable[[asyncssh.SFTPClient], Awaitable[object]]

CHANGES: list[tuple[str, Change]] = [
    ("open", lambda sftp: sftp.open("reports/README.txt", "ab")),
    ("open", lambda sftp: sftp.open("reports/NEW.csv", "xb")),
    ("remove", lambda sftp: sftp.remove("reports/README.txt")),
    ("rename", lambda sftp: sftp.rename("reports/README.txt", "reports/A.txt")),
    ("posix_rename", lambda sftp: sftp.posix_rename("reports/README.txt", "reports/A.txt")),
    ("mkdir", lambda sftp: sftp.mkdir("reports/inbox")),
    ("rmdir", lambda sftp: sftp.rmdir("reports")),
    ("setstat", lambda sftp: sftp.chmod("reports/README.txt", 0o777)),
    ("symlink", lambda sftp: sftp.symlink("README.txt", "reports/A.txt")),
    ("link", lambda sftp: sftp.link("reports/README.txt", "reports/A.txt")),
]


async def listed(client: Client, site: SiteRole, *, address: int = 0) -> list[str]:
    async with client.sftp(site, address=address) as sftp:
        return sorted(name for name in await sftp.listdir("reports") if name not in {".", ".."})


class TestSites:
    async def test_both_sites_list_the_same_names(
        self, exchange: SimulatedExchange, client: Client
    ) -> None:
        exchange.publish(FRIDAY)
        expected = sorted(["README.txt", *(each.name for each in reports_of(2023, FRIDAY))])
        assert expected == await listed(client, PRIMARY)
        assert expected == await listed(client, SECONDARY)
        assert tuple(expected) == exchange.names(PRIMARY) == exchange.names(SECONDARY)

    async def test_each_site_proves_itself_with_a_key_of_its_own(
        self, exchange: SimulatedExchange
    ) -> None:
        one, other = exchange.sites[PRIMARY], exchange.sites[SECONDARY]
        assert one.fingerprint != other.fingerprint
        assert {one.fingerprint} == {address.host_key for address in one.addresses}
        assert [one.fingerprint] == [
            asyncssh.import_public_key(key).get_fingerprint() for key in one.host_keys
        ]

    async def test_the_addresses_stand_in_for_the_circulars(
        self, exchange: SimulatedExchange
    ) -> None:
        stated = ["10.151.14.121", "10.151.14.122", "10.152.14.121", "10.152.14.122"]
        addresses = [each for site in exchange.sites.values() for each in site.addresses]
        assert [LOOPBACK_OF[host] for host in stated] == [each.host for each in addresses]
        assert {exchange.port} == {each.port for each in addresses}

    async def test_every_address_serves(self, exchange: SimulatedExchange, client: Client) -> None:
        for site in (PRIMARY, SECONDARY):
            for address in (0, 1):
                assert ["README.txt"] == await listed(client, site, address=address)
        assert [
            (site.role, address.host, exchange.user)
            for site in exchange.sites.values()
            for address in site.addresses
        ] == exchange.logins


class TestReading:
    async def test_a_report_arrives_as_it_is_with_size_and_time(
        self, exchange: SimulatedExchange, client: Client
    ) -> None:
        exchange.publish(FRIDAY)
        (report,) = [each for each in reports_of(2023, FRIDAY) if each.name == REPORT]
        async with client.sftp() as sftp:
            attributes = await sftp.stat(f"reports/{REPORT}")
            async with sftp.open(f"/reports/{REPORT}", "rb") as file:
                content = cast("bytes", await file.read())
        assert report.content() == content
        assert (report.size_bytes, int(report.modified.timestamp())) == (
            attributes.size,
            attributes.mtime,
        )
        assert exchange.content(PRIMARY, REPORT) == report.content()

    async def test_a_client_that_looks_for_holes_gets_the_whole_report(
        self, exchange: SimulatedExchange, client: Client, tmp_path: Path
    ) -> None:
        exchange.publish(FRIDAY)
        async with client.sftp() as sftp:
            await sftp.get(f"reports/{REPORT}", tmp_path / REPORT)
        assert exchange.content(PRIMARY, REPORT) == (tmp_path / REPORT).read_bytes()

    async def test_the_home_holds_the_folder_and_nothing_else(self, client: Client) -> None:
        async with client.sftp() as sftp:
            assert "/" == await sftp.getcwd()
            assert [".", "..", "reports"] == await sftp.listdir(".")
            assert "/reports" == await sftp.realpath("//reports/../reports/.")
            assert await sftp.isdir("reports")

    async def test_nothing_of_this_machine_can_be_read(self, client: Client) -> None:
        async with client.sftp() as sftp:
            for path in ("/etc/hostname", "reports/../../etc/hostname", "/README.txt", "none"):
                with pytest.raises(asyncssh.SFTPNoSuchFile):
                    await sftp.open(path, "rb")
            with pytest.raises(asyncssh.SFTPNoSuchFile):
                await sftp.listdir("/etc")

    async def test_what_is_put_and_removed_at_one_site_is_so_at_that_site_only(
        self, exchange: SimulatedExchange, client: Client
    ) -> None:
        exchange.put(PRIMARY, "EXTRA.csv", b"SYNTHETIC\n")
        exchange.remove(SECONDARY, "README.txt")
        assert ["EXTRA.csv", "README.txt"] == await listed(client, PRIMARY)
        assert [] == await listed(client, SECONDARY)

    async def test_a_report_that_changes_while_it_is_read_stays_as_it_was_opened(
        self, exchange: SimulatedExchange, client: Client
    ) -> None:
        exchange.put(PRIMARY, "A.csv", b"as it was")
        async with client.sftp() as sftp, sftp.open("reports/A.csv", "rb") as file:
            exchange.put(PRIMARY, "A.csv", b"changed since")
            content = cast("bytes", await file.read())
            assert b"as it was" == content
            assert 13 == (await sftp.stat("reports/A.csv")).size


class TestRefusals:
    async def test_another_key_is_refused(
        self, exchange: SimulatedExchange, client: Client
    ) -> None:
        stranger = asyncssh.generate_private_key("ssh-ed25519")  # pyright: ignore[reportUnknownMemberType]
        with pytest.raises(asyncssh.PermissionDenied):
            async with client.connection(key=stranger):
                pytest.fail("a stranger's key was let in")
        assert [] == exchange.logins

    async def test_another_user_is_refused(
        self, exchange: SimulatedExchange, client: Client
    ) -> None:
        with pytest.raises(asyncssh.PermissionDenied):
            async with client.connection(user="root"):
                pytest.fail("another user was let in")
        assert [] == exchange.logins

    async def test_a_shell_a_command_and_another_subsystem_are_refused_and_booked(
        self, exchange: SimulatedExchange, client: Client
    ) -> None:
        async with client.connection() as connection:
            for asked in ({}, {"command": "id"}, {"subsystem": "netconf"}):
                with pytest.raises(asyncssh.ChannelOpenError):
                    await connection.create_process(**asked)
        assert [("shell", ""), ("exec", "id"), ("subsystem", "netconf")] == [
            (asked.kind, asked.detail) for asked in exchange.requests
        ]

    async def test_forwarding_is_refused_and_booked(
        self, exchange: SimulatedExchange, client: Client
    ) -> None:
        async with client.connection() as connection:
            with pytest.raises(asyncssh.ChannelOpenError):
                await connection.open_connection("127.0.0.1", 9)  # pyright: ignore[reportUnknownMemberType]
            with pytest.raises(asyncssh.ChannelListenError):
                await connection.forward_remote_port("127.0.0.1", 0, "127.0.0.1", 9)
        assert [("forward", "to 127.0.0.1 port 9"), ("forward", "from 127.0.0.1 port 0")] == [
            (asked.kind, asked.detail) for asked in exchange.requests
        ]

    @pytest.mark.parametrize(("request_name", "change"), CHANGES)
    async def test_a_change_is_refused_and_booked(
        self,
        exchange: SimulatedExchange,
        client: Client,
        request_name: str,
        change: Change,
    ) -> None:
        async with client.sftp() as sftp:
            with pytest.raises(asyncssh.SFTPPermissionDenied):
                await change(sftp)
        host = exchange.sites[PRIMARY].addresses[0].host
        assert [(PRIMARY, host, exchange.user, "write", request_name)] == exchange.requests
        assert ("README.txt",) == exchange.names(PRIMARY)

    async def test_a_change_through_a_report_opened_for_reading_is_refused_and_booked(
        self, exchange: SimulatedExchange, client: Client
    ) -> None:
        async with client.sftp() as sftp, sftp.open("reports/README.txt", "rb") as file:
            for change in (file.write(b"mine"), file.setstat(asyncssh.SFTPAttrs()), file.fsync()):
                with pytest.raises(asyncssh.SFTPPermissionDenied):
                    await change
        assert ["write", "fsetstat", "fsync"] == [asked.detail for asked in exchange.requests]

    def test_no_operation_of_asyncssh_that_would_touch_the_disk_is_left(self) -> None:
        offered = {name for name in vars(asyncssh.SFTPServer) if not name.startswith("_")}
        assert [] == sorted(offered - OF_THE_SESSION - vars(ReadOnlySftp).keys())


class TestSwitches:
    async def test_the_second_address_serves_when_the_first_is_down(
        self, exchange: SimulatedExchange, client: Client
    ) -> None:
        await exchange.take_down(PRIMARY, "127.151.14.121")
        with pytest.raises(ConnectionRefusedError):
            await listed(client, PRIMARY)
        assert ["README.txt"] == await listed(client, PRIMARY, address=1)

    async def test_a_site_that_is_down_refuses_at_both_addresses_and_the_other_serves(
        self, exchange: SimulatedExchange, client: Client
    ) -> None:
        await exchange.take_down(SECONDARY)
        for address in (0, 1):
            with pytest.raises(ConnectionRefusedError):
                await listed(client, SECONDARY, address=address)
        assert ["README.txt"] == await listed(client, PRIMARY)

    async def test_going_down_cuts_live_connections_there_and_no_others(
        self, exchange: SimulatedExchange, client: Client
    ) -> None:
        async with client.connection(PRIMARY) as cut, client.sftp(SECONDARY) as live:
            assert 2 == exchange.sessions_open()
            await exchange.take_down(PRIMARY)
            await cut.wait_closed()
            assert 1 == exchange.sessions_open()
            assert [".", "..", "README.txt"] == await live.listdir("reports")

    async def test_a_site_that_comes_up_again_is_the_same_site(
        self, exchange: SimulatedExchange, client: Client
    ) -> None:
        assert ["README.txt"] == await listed(client, PRIMARY)
        await exchange.take_down(PRIMARY)
        await exchange.take_down(PRIMARY)
        exchange.publish(FRIDAY)
        await exchange.bring_up(PRIMARY)
        await exchange.bring_up(PRIMARY)
        assert list(exchange.names(PRIMARY)) == await listed(client, PRIMARY)

    async def test_an_unknown_address_names_the_known_ones(
        self, exchange: SimulatedExchange
    ) -> None:
        with pytest.raises(
            UsageError, match=r"no address 10\.151\.14\.121; it has 127\.151\.14\.121, 127"
        ):
            await exchange.take_down(PRIMARY, "10.151.14.121")


class TestComingAndGoing:
    async def test_the_log_out_of_a_client_can_be_waited_for(
        self, exchange: SimulatedExchange, client: Client
    ) -> None:
        async with client.sftp():
            assert 1 == exchange.sessions_open()
        await asyncio.wait_for(exchange.until_logged_out(), CLOSES_WITHIN_S)
        assert 0 == exchange.sessions_open()

    async def test_leaving_ends_all_connections_and_tasks_in_a_second(self, tmp_path: Path) -> None:
        before, time_s = asyncio.all_tasks(), asyncio.get_running_loop().time
        async with AsyncExitStack() as clients:
            async with SimulatedExchange(folder=tmp_path) as exchange:
                exchange.publish(FRIDAY)
                client = Client(exchange)
                idle = await clients.enter_async_context(client.connection(PRIMARY))
                sftp = await clients.enter_async_context(client.sftp(SECONDARY))
                file = await sftp.open(f"reports/{REPORT}", "rb")
                await file.read(10)
                leaving_s = time_s()
            assert time_s() - leaving_s < CLOSES_WITHIN_S
            assert 0 == exchange.sessions_open()
            await idle.wait_closed()
        assert before == asyncio.all_tasks()
        for site in exchange.sites.values():
            for address in site.addresses:
                with pytest.raises(ConnectionRefusedError):
                    socket.create_connection((address.host, address.port))

    async def test_two_exchanges_know_nothing_of_each_other(self, tmp_path: Path) -> None:
        (tmp_path / "one").mkdir()
        (tmp_path / "other").mkdir()
        async with (
            SimulatedExchange(folder=tmp_path / "one") as one,
            SimulatedExchange(folder=tmp_path / "other") as other,
        ):
            one.publish(FRIDAY)
            assert ("README.txt",) == other.names(PRIMARY)
            assert one.port != other.port
            with pytest.raises(asyncssh.PermissionDenied):
                async with Client(one).connection(key=other.key_file):
                    pytest.fail("another exchange's key was let in")

    async def test_the_private_key_is_its_owners_alone(self, exchange: SimulatedExchange) -> None:
        assert 0o600 == stat.S_IMODE(exchange.key_file.stat().st_mode)

    async def test_a_key_that_is_there_already_is_not_overwritten(self, tmp_path: Path) -> None:
        (tmp_path / "client_key").write_text("somebody's")
        with pytest.raises(StoreError, match="overwrites nothing"):
            async with SimulatedExchange(folder=tmp_path):
                pytest.fail("the key was overwritten")
        assert "somebody's" == (tmp_path / "client_key").read_text()

    async def test_a_port_that_is_asked_for_is_the_port(self, tmp_path: Path) -> None:
        with listening_socket("127.151.14.121", 0) as free:
            port = free.getsockname()[1]
        async with SimulatedExchange(folder=tmp_path, port=port) as exchange:
            assert port == exchange.port

    async def test_a_port_that_is_taken_at_one_address_is_said_and_nothing_stays_open(
        self, tmp_path: Path
    ) -> None:
        with listening_socket("127.152.14.122", 0) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(ConfigError, match=rf"port {port} of 127\.152\.14\.122 is in use"):
                async with SimulatedExchange(folder=tmp_path, port=port):
                    pytest.fail("a taken port was used")
        listening_socket("127.151.14.121", port).close()
        assert not (tmp_path / KEY_NAME).exists()

    async def test_an_entry_that_fails_half_way_leaves_nothing_open(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with listening_socket("127.151.14.121", 0) as free:
            port = free.getsockname()[1]

        async def failing(door: Door, listening: socket.socket) -> None:
            raise RuntimeError(f"{door.host} {listening.fileno()} fails on purpose")

        monkeypatch.setattr(Door, "open", failing)
        # What was raised is held on to, so that no socket is closed by being forgotten.
        with pytest.raises(RuntimeError) as raised:
            async with SimulatedExchange(folder=tmp_path, port=port):
                pytest.fail("the exchange came up")
        for hosts in SITE_HOSTS.values():
            for host in hosts:
                listening_socket(host, port).close()
        assert "on purpose" in str(raised.value)
        assert not (tmp_path / KEY_NAME).exists()

    async def test_a_port_that_one_address_has_not_free_is_given_up_for_another(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[tuple[str, int]] = []

        def taken_once(host: str, port: int) -> socket.socket:
            asked.append((host, port))
            if len(asked) == 2:
                raise OSError(errno.EADDRINUSE, "taken")
            return listening_socket(host, port)

        monkeypatch.setattr(server, "listening_socket", taken_once)
        async with SimulatedExchange(folder=tmp_path) as exchange:
            assert ("127.152.14.122", exchange.port) == asked[-1]
        assert ["127.151.14.121", "127.151.14.122"] * 2 == [host for host, _ in asked[:4]]

    async def test_a_machine_without_a_common_free_port_is_told_so(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def taken(host: str, port: int) -> socket.socket:
            raise OSError(errno.EADDRINUSE, "taken")

        monkeypatch.setattr(server, "listening_socket", taken)
        with pytest.raises(ConfigError, match="no port is free at"):
            async with SimulatedExchange(folder=tmp_path):
                pytest.fail("a port was found")

    def test_a_machine_without_the_loopback_address_is_told_what_it_needs(self) -> None:
        with pytest.raises(ConfigError, match=r"no loopback address 192\.0\.2\.1: the simulator"):
            listening_socket("192.0.2.1", 0)

    @pytest.mark.parametrize(
        ("setting", "said"),
        [({"port": 65536}, "65536 is no port"), ({"retention": 0}, "cannot keep 0 business dates")],
    )
    def test_a_setting_that_means_nothing_is_refused(
        self, tmp_path: Path, setting: dict[str, int], said: str
    ) -> None:
        with pytest.raises(UsageError, match=said):
            SimulatedExchange(folder=tmp_path, **setting)

    async def test_an_exchange_is_entered_once(self, exchange: SimulatedExchange) -> None:
        with pytest.raises(UsageError, match="was entered before"):
            await exchange.__aenter__()

    def test_an_exchange_that_was_not_entered_has_no_sites(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="has no sites yet"):
            _ = SimulatedExchange(folder=tmp_path).sites

    async def test_nothing_of_an_exchange_that_was_left_comes_up_again(
        self, tmp_path: Path
    ) -> None:
        async with SimulatedExchange(folder=tmp_path) as exchange:
            pass
        with pytest.raises(UsageError, match="is not up"):
            await exchange.bring_up(PRIMARY)
