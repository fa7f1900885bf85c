"""An offer opens an adapter with the adapter's own options and no others."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from attrs import frozen

from hkex_ops.errors import UsageError
from hkex_ops.model import Endpoint, SiteRole
from hkex_ops.ports import Offer


@frozen
class Options:
    hosts: tuple[str, ...]


@frozen
class OtherOptions:
    hosts: tuple[str, ...]


@asynccontextmanager
async def opened(options: Options, site: SiteRole) -> AsyncGenerator[str]:
    yield f"{site} at {options.hosts[0]}"


def addresses(options: Options, site: SiteRole) -> list[Endpoint]:
    return [Endpoint(host, 22) for host in options.hosts]


HOSTS = Options(("127.0.0.1", "127.0.0.2"))


async def test_opening_gives_the_adapter_of_the_site() -> None:
    offer = Offer("folder", Options, opened)
    async with offer.open(HOSTS, SiteRole.SECONDARY) as adapter:
        assert "secondary at 127.0.0.1" == adapter


def test_the_addresses_it_would_try_are_told_in_order_without_connecting() -> None:
    offer = Offer("folder", Options, opened, addresses)
    expected = (Endpoint("127.0.0.1", 22), Endpoint("127.0.0.2", 22))
    assert expected == offer.addresses(HOSTS, SiteRole.PRIMARY)


def test_an_adapter_that_cannot_tell_its_addresses_says_nothing() -> None:
    assert Offer("folder", Options, opened).addresses(HOSTS, SiteRole.PRIMARY) is None


@pytest.mark.parametrize("options", [OtherOptions(HOSTS.hosts), {"hosts": ["127.0.0.1"]}, None])
def test_options_of_another_kind_are_refused(options: object) -> None:
    offer = Offer("folder", Options, opened, addresses)
    for ask in (offer.open, offer.addresses):
        with pytest.raises(UsageError, match="offer folder takes Options as its options"):
            ask(options, SiteRole.PRIMARY)


def test_an_offer_reads_as_its_name_and_options() -> None:
    assert "Offer('folder', Options)" == repr(Offer("folder", Options, opened))
