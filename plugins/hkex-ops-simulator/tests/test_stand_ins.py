"""The loopback listeners: which there are for a rollout, what they say, how they go and come."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio
from attrs import evolve

from hkex_ops.config.settings import load_settings
from hkex_ops.config.shipped import load_calendar, load_rollouts
from hkex_ops.errors import ConfigError, StoreError, UsageError
from hkex_ops.model import Endpoint, Rollout, SiteRole
from hkex_ops_simulator.configuration import write_configuration
from hkex_ops_simulator.doors import listening_socket
from hkex_ops_simulator.listeners import LOGIN_PAGE_TEXT, Listener
from hkex_ops_simulator.market.retransmission import Desk
from hkex_ops_simulator.market.servers import RetransmissionServer
from hkex_ops_simulator.server import SimulatedExchange
from hkex_ops_simulator.stand_ins import StandIns

PRIMARY, SECONDARY = SiteRole.PRIMARY, SiteRole.SECONDARY


def rollout(id: str) -> Rollout:
    return load_rollouts(load_calendar())[id]


@pytest_asyncio.fixture
async def dcass(tmp_path: Path) -> AsyncIterator[StandIns]:
    async with StandIns(rollout("hkats-dcass-2019"), tmp_path) as stand_ins:
        yield stand_ins


@pytest_asyncio.fixture
async def backbone(tmp_path: Path) -> AsyncIterator[StandIns]:
    async with StandIns(rollout("backbone-ps2-2023"), tmp_path) as stand_ins:
        yield stand_ins


def names_in(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


def server_without_a_desk(host: str) -> RetransmissionServer:
    return RetransmissionServer(host, cast("Desk", None))


async def page_of(where: Endpoint, ca_file: Path, name: str) -> bytes:
    context = ssl.create_default_context(cafile=str(ca_file))
    reader, writer = await asyncio.open_connection(
        where.host, where.port, ssl=context, server_hostname=name
    )
    writer.write(b"GET /login HTTP/1.1\r\nHost: x\r\n\r\n")
    page = await reader.read()
    writer.close()
    await writer.wait_closed()
    return page


class TestWhichThereAre:
    async def test_stated_addresses_keep_their_numbers(self, dcass: StandIns) -> None:
        assert [
            ("DCASS-Online", "127.151.14.155"),
            ("DCASS-Online", "127.151.14.156"),
            ("DCASS-Online", "127.151.14.101"),
            ("DCASS-Online", "127.151.14.102"),
            ("DCASS-OAPI", "127.151.5.81"),
            ("DCASS-OAPI", "127.151.5.82"),
        ] == [(one.service, one.listener.host) for one in dcass.all]

    async def test_services_without_addresses_have_one_at_each_site(
        self, backbone: StandIns
    ) -> None:
        for service in ("OTP-C", "OTP-CSC", "OMD-C", "OMD-CC"):
            assert [1, 1] == [len(backbone.of(service, site)) for site in (PRIMARY, SECONDARY)]
        assert len(backbone.all) == len({one.listener.host for one in backbone.all})

    async def test_the_report_service_is_not_among_them(self, tmp_path: Path) -> None:
        async with StandIns(rollout("rrs-2023"), tmp_path) as stand_ins:
            assert () == stand_ins.all
        assert [] == names_in(tmp_path)

    async def test_a_stated_name_gets_a_loopback_address_too(self, tmp_path: Path) -> None:
        stated = rollout("hkats-dcass-2019")
        named = tuple(evolve(one, host="gateway.example") for one in stated.connections)
        async with StandIns(evolve(stated, connections=named), tmp_path) as stand_ins:
            hosts = [one.listener.host for one in stand_ins.all]
        assert len(stated.connections) == len({*hosts})
        assert all(host.startswith("127.") for host in hosts)

    async def test_a_stated_connection_leads_to_its_stand_in(self, dcass: StandIns) -> None:
        stated = rollout("hkats-dcass-2019").connections
        for one, connection in zip(dcass.all, stated, strict=True):
            here = dcass.stands_for(connection)
            assert one.listener.endpoint == Endpoint(here.host, here.port or 0)
            assert (connection.host_name, connection.url) == (here.host_name, here.url)

    async def test_what_is_stated_elsewhere_has_no_stand_in(self, dcass: StandIns) -> None:
        elsewhere = rollout("rrs-2023").connections[0]
        with pytest.raises(UsageError, match=r"nothing stands in for RRS at 10\.152\.14\.121"):
            dcass.stands_for(elsewhere)


class TestWhatTheySay:
    async def test_a_gateway_with_a_url_gives_a_login_page_under_its_name(
        self, dcass: StandIns
    ) -> None:
        for one in dcass.of("DCASS-Online", PRIMARY):
            assert one.stated is not None
            assert one.stated.host_name is not None
            page = await page_of(one.listener.endpoint, dcass.ca_file, one.stated.host_name)
            assert page.startswith(b"HTTP/1.1 200 OK\r\n")
            assert LOGIN_PAGE_TEXT.encode() in page

    async def test_nobody_else_trusts_its_certificate(self, dcass: StandIns) -> None:
        gateway = dcass.of("DCASS-Online", PRIMARY)[0].listener.endpoint
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection(
                gateway.host, gateway.port, ssl=ssl.create_default_context()
            )

    async def test_the_others_take_everything_and_say_nothing(self, backbone: StandIns) -> None:
        listener = backbone.of("OTP-C", SECONDARY)[0].listener
        reader, writer = await asyncio.open_connection(listener.host, listener.port)
        writer.write(b"hello" * 10_000)
        writer.write_eof()
        assert b"" == await reader.read()
        writer.close()
        await writer.wait_closed()
        assert 1 == listener.visits == backbone.visits()

    async def test_each_is_called_what_it_is(self, dcass: StandIns) -> None:
        said = {one.service: one.speech for one in dcass.all}
        assert "a loopback listener stands in; protocol not spoken" == said["DCASS-OAPI"]
        assert "SYNTHETIC login page" in said["DCASS-Online"]
        told = dcass.of("DCASS-OAPI", PRIMARY)[0].told()
        assert ("10.151.5.81", None) == (told["stated_host"], told["stated_port"])


class TestHowTheyGoAndCome:
    async def test_a_site_goes_and_comes_back_at_its_old_ports(self, backbone: StandIns) -> None:
        before = [one.listener.endpoint for one in backbone.all]
        await backbone.take_down(PRIMARY)
        assert [False, True] * 4 == [one.listener.is_open for one in backbone.all]
        listener = backbone.of("OMD-C", PRIMARY)[0].listener
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(listener.host, listener.port)
        await backbone.bring_up(PRIMARY)
        assert before == [one.listener.endpoint for one in backbone.all]
        assert all(one.listener.is_open for one in backbone.all)

    async def test_a_visitor_is_cut_off_when_its_listener_goes(self, backbone: StandIns) -> None:
        listener = backbone.of("OTP-C", PRIMARY)[0].listener
        reader, writer = await asyncio.open_connection(listener.host, listener.port)
        writer.write(b"hello")
        while not listener.visits:  # noqa: ASYNC110 - no event tells that a peer accepted
            await asyncio.sleep(0)
        await listener.close()
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        writer.close()

    async def test_leaving_closes_all_of_them(self, tmp_path: Path) -> None:
        async with StandIns(rollout("hkats-dcass-2019"), tmp_path) as stand_ins:
            pass
        assert not any(one.listener.is_open for one in stand_ins.all)
        with pytest.raises(UsageError, match="entered before"):
            await stand_ins.__aenter__()

    @pytest.mark.parametrize("made", [Listener, server_without_a_desk])
    async def test_one_that_is_cancelled_while_it_opens_can_be_closed(
        self, made: Callable[[str], Listener | RetransmissionServer]
    ) -> None:
        listener = made("127.150.9.8")
        opening = asyncio.create_task(listener.open())
        await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await listener.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(listener.host, listener.port)

    async def test_a_port_that_somebody_took_meanwhile_is_named(self) -> None:
        listener = Listener("127.151.200.9")
        await listener.open()
        await listener.close()
        with (
            listening_socket(listener.host, listener.port),
            pytest.raises(ConfigError, match=f"port {listener.port} of 127.151.200.9 is in use"),
        ):
            await listener.open()

    async def test_a_folder_that_is_not_there_is_the_operators_matter(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match="cannot be written"):
            async with StandIns(rollout("hkats-dcass-2019"), tmp_path / "gone"):
                pass


class TestConfiguration:
    async def test_every_service_gets_a_probe(
        self, exchange: SimulatedExchange, dcass: StandIns, tmp_path: Path
    ) -> None:
        settings = load_settings(write_configuration(exchange, tmp_path, stand_ins=dcass))
        assert {"dcass-online": "https", "dcass-oapi": "tcp"} == {
            name: probe.adapter for name, probe in settings.probes.items()
        }
        assert str(dcass.ca_file) == settings.probes["dcass-online"].options["ca_file"]
