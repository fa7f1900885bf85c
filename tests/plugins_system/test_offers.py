"""An offer opens an adapter with the adapter's own options and no others."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from attrs import frozen

from hkex_ops.errors import UsageError
from hkex_ops.model import Endpoint, SiteRole
from hkex_ops.ports import CommandOffer, Offer


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


@pytest.mark.parametrize("name", ["", "  ", None, ["folder"]])
def test_an_offer_has_a_name_that_says_something(name: object) -> None:
    with pytest.raises(UsageError, match=r"the name of an Offer is .* must be a text"):
        Offer(name, Options, opened)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [HOSTS, object, None, "Options"])
def test_the_options_of_an_offer_are_an_attrs_class(options: object) -> None:
    with pytest.raises(UsageError, match=r"offer folder takes .* as its options: give an attrs"):
        Offer("folder", options, opened)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "target", "help", "message"),
    [
        ("", "package.module:run", "Tidy up.", "the name of a CommandOffer is ''"),
        (["tidy"], "package.module:run", "Tidy up.", "the name of a CommandOffer is"),
        ("tidy", None, "Tidy up.", "the target of command tidy is None"),
        ("tidy", "package.module:run", " ", "the help of command tidy is ' '"),
        ("tidy", "package.module", "Tidy up.", "write it as package.module:function"),
        ("tidy", ":run", "Tidy up.", "write it as package.module:function"),
    ],
)
def test_a_command_has_a_name_a_target_and_a_help(
    name: str, target: str, help: str, message: str
) -> None:
    with pytest.raises(UsageError) as raised:
        CommandOffer(name, target, help)
    assert message in str(raised.value)
