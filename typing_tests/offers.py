"""A plug-in author's file: both type checkers accept the right adapter and reject each wrong one.

A rejection is proved by its suppression: mypy (strict) and pyright report a suppression that
suppresses nothing, so a checker that stops seeing the mistake fails here. Never run.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import assert_type

from attrs import frozen

from hkex_ops.hookspecs import hookimpl
from hkex_ops.model import Connection, Endpoint, ListedReport, SiteRole
from hkex_ops.ports import CommandOffer, Delivery, Offer, Probe, ProbeResult, ReportSource


@frozen
class FolderOptions:
    """What an operator may say about the adapter."""

    path: str


@frozen
class OtherOptions:
    """The options of some other adapter."""

    host: str


class FolderSource:
    """Has every member of the port, with its types."""

    @property
    def endpoint(self) -> Endpoint:
        raise NotImplementedError

    def list_reports(self) -> AsyncIterator[ListedReport]:
        raise NotImplementedError

    def fetch(self, reports: Iterable[ListedReport]) -> AsyncIterator[Delivery]:
        raise NotImplementedError


class KnockingProbe:
    """Has the one member of its port."""

    async def probe(self, connection: Connection) -> ProbeResult:
        raise NotImplementedError


class ForgetfulSource:
    """Cannot fetch."""

    @property
    def endpoint(self) -> Endpoint:
        raise NotImplementedError

    def list_reports(self) -> AsyncIterator[ListedReport]:
        raise NotImplementedError


class EagerSource(FolderSource):
    """Lists names, and all at once."""

    def list_reports(self) -> list[str]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        raise NotImplementedError


@asynccontextmanager
async def open_folder(options: FolderOptions, site: SiteRole) -> AsyncGenerator[FolderSource]:
    yield FolderSource()


@asynccontextmanager
async def open_knocking(options: FolderOptions, site: SiteRole) -> AsyncGenerator[KnockingProbe]:
    yield KnockingProbe()


@asynccontextmanager
async def open_forgetful(options: FolderOptions, site: SiteRole) -> AsyncGenerator[ForgetfulSource]:
    yield ForgetfulSource()


@asynccontextmanager
async def open_eager(options: FolderOptions, site: SiteRole) -> AsyncGenerator[EagerSource]:
    yield EagerSource()


async def open_bare(options: FolderOptions, site: SiteRole) -> FolderSource:
    """Forgot the context manager: nobody would log out."""
    return FolderSource()


@hookimpl
def hkex_ops_report_sources() -> Iterable[Offer[ReportSource]]:
    return [Offer("folder", FolderOptions, open_folder)]


@hookimpl
def hkex_ops_probes() -> Iterable[Offer[Probe]]:
    return [Offer("knocking", FolderOptions, open_knocking)]


@hookimpl
def hkex_ops_commands() -> Iterable[CommandOffer]:
    return [CommandOffer("folder", "hkex_ops_folder.cli:main", "Look into a folder.")]


def a_member_is_missing() -> Iterable[Offer[ReportSource]]:
    return [Offer("folder", FolderOptions, open_forgetful)]  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]


def a_member_has_another_type() -> Iterable[Offer[ReportSource]]:
    return [Offer("folder", FolderOptions, open_eager)]  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]


def opening_is_not_a_context_manager() -> Iterable[Offer[ReportSource]]:
    return [Offer("folder", FolderOptions, open_bare)]  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportUnknownVariableType]


def the_options_are_of_another_adapter() -> Iterable[Offer[ReportSource]]:
    return [Offer("folder", OtherOptions, open_folder)]  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def a_command_is_no_report_source() -> Iterable[Offer[ReportSource]]:
    return [CommandOffer("folder", "hkex_ops_folder.cli:main", "Look.")]  # type: ignore[list-item]  # pyright: ignore[reportReturnType]


def a_report_source_is_no_probe() -> Iterable[Offer[Probe]]:
    return [Offer("folder", FolderOptions, open_folder)]  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]


async def an_opened_offer_is_its_port(offer: Offer[ReportSource]) -> None:
    async with offer.open(FolderOptions("reports"), SiteRole.PRIMARY) as source:
        assert_type(source, ReportSource)
        assert_type([report async for report in source.list_reports()], list[ListedReport])


def an_offer_of_an_adapter_is_an_offer_of_its_port(
    offer: Offer[FolderSource],
) -> Offer[ReportSource]:
    return offer
