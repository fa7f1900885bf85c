"""The places where the world is touched, each one small typed protocol, and how they are offered.

An adapter implements a port; a plug-in *offers* it with :class:`Offer`; the operator picks an
offer by name in the configuration. A port speaks in model values and raises only the errors of
:mod:`hkex_ops.errors`: every exception of an adapter's engine is translated inside the adapter.

=================== ================================================================
``ReportSource``    lists a report folder and fetches from it
``Probe``           says whether a connection can be reached and answers as it should
=================== ================================================================
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Generic, NamedTuple, Protocol, TypeAlias, TypeVar, cast

from attrs import field, frozen, has
from attrs.validators import instance_of

from hkex_ops.errors import RemoteError, UsageError
from hkex_ops.model import Connection, Endpoint, ListedReport, SiteRole

__all__ = [
    "CommandOffer",
    "Delivery",
    "Offer",
    "Probe",
    "ProbeResult",
    "ReportChunk",
    "ReportEnd",
    "ReportFailed",
    "ReportSource",
    "RolloutDocument",
]


class ReportChunk(NamedTuple):
    """Bytes of one report at ``offset``. Cheap on purpose: a large report is thousands."""

    report: ListedReport
    offset: int
    data: bytes


class ReportEnd(NamedTuple):
    """The server says the report ends here.

    ``size_bytes`` and ``modified`` are what the server says *after* the last byte was read, so
    that a report which changed while it was read is found out.
    """

    report: ListedReport
    size_bytes: int
    modified: datetime | None


class ReportFailed(NamedTuple):
    """This one report could not be fetched; the others go on."""

    report: ListedReport
    error: RemoteError


Delivery: TypeAlias = ReportChunk | ReportEnd | ReportFailed


class ReportSource(Protocol):
    """A folder of reports on one site's server, logged in to.

    Reading only: an implementation never writes, renames or deletes on the server.
    """

    @property
    def endpoint(self) -> Endpoint:
        """The address that was connected and the host key it proved."""
        ...

    def list_reports(self) -> AsyncIterator[ListedReport]:
        """Yield the folder's entries as they arrive, in no order, each name once.

        Raises `RemoteError` when the folder cannot be read to its end.
        """
        ...

    def fetch(self, reports: Iterable[ListedReport]) -> AsyncIterator[Delivery]:
        """Fetch many reports, interleaved as the adapter likes.

        For one report: chunks in ascending offset without a gap from 0, then one `ReportEnd`; or,
        at any point, one `ReportFailed` and nothing more of it. Raises `RemoteError` when the
        connection itself is lost; reports without an end are then not fetched.
        """
        ...


@frozen
class ProbeResult:
    """What a probe found at one connection.

    ``reached``: somebody took the connection. ``answered``: who took it is who should have, and
    said what it should, as far as this probe can tell; never without ``reached``. ``detail`` is
    one sentence for a person, in which a failure says what was seen and what was expected.
    ``certificate`` is the fingerprint (``SHA256:…``) of the certificate the far side showed.
    """

    connection: Connection
    reached: bool
    answered: bool
    detail: str
    certificate: str | None = None

    def __attrs_post_init__(self) -> None:
        if self.answered and not self.reached:
            raise ValueError(f"{self.connection.host} cannot have answered and not been reached")


class Probe(Protocol):
    """Looks at connections of one site: nothing is logged in to and nothing is changed."""

    async def probe(self, connection: Connection) -> ProbeResult:
        """Look at ``connection`` once, within the adapter's own time-out.

        Whatever the far side does, not being there included, is a result and never an exception.
        Raises `UsageError` for a connection of the other site, which is not touched, and for one
        without a port.
        """
        ...


P_co = TypeVar("P_co", covariant=True)
O = TypeVar("O")  # noqa: E741 - an options class


class Offer(Generic[P_co]):
    """An adapter on offer: a name, its options, and how to open it.

    ``options`` is an attrs class; the core structures the operator's table with it and reports
    every fault. A field of type ``Path`` is then relative to the configuration file.
    ``open(options, site)`` gives an async context manager of the port: entering logs in, leaving
    logs out. An adapter imports its engine only in there, so that a listing of plug-ins stays
    cheap. ``addresses(options, site)``, where an adapter can tell, says which addresses it would
    try, in order and without connecting: what a circular states is compared with that.
    Covariant in the port, so a type checker rejects a wrong adapter at the author's own
    ``return [Offer(...)]``. Raises `UsageError` for a name that is no text and for options that
    are no attrs class.
    """

    __slots__ = ("_addresses", "_open", "name", "options")

    def __init__(
        self,
        name: str,
        options: type[O],
        open: Callable[[O, SiteRole], AbstractAsyncContextManager[P_co]],
        addresses: Callable[[O, SiteRole], Sequence[Endpoint]] | None = None,
    ) -> None:
        _require_text(f"the name of an {type(self).__name__}", name)
        if not _is_attrs_class(options):
            raise UsageError(f"offer {name} takes {options!r} as its options: give an attrs class")
        self.name: str = name
        self.options: type[object] = options
        self._open = cast("Callable[[object, SiteRole], AbstractAsyncContextManager[P_co]]", open)
        self._addresses = cast("Callable[[object, SiteRole], Sequence[Endpoint]] | None", addresses)

    def open(self, options: object, site: SiteRole) -> AbstractAsyncContextManager[P_co]:
        """The adapter for ``site``; ``options`` is an instance of :attr:`options`."""
        self._require(options)
        return self._open(options, site)

    def addresses(self, options: object, site: SiteRole) -> tuple[Endpoint, ...] | None:
        """The addresses that :meth:`open` would try, in order; ``None`` where none can be told."""
        self._require(options)
        return None if self._addresses is None else tuple(self._addresses(options, site))

    def _require(self, options: object) -> None:
        if not isinstance(options, self.options):
            raise UsageError(f"offer {self.name} takes {self.options.__name__} as its options")

    def __repr__(self) -> str:
        return f"Offer({self.name!r}, {self.options.__name__})"


@frozen
class CommandOffer:
    """A command a plug-in adds to the command line.

    ``target`` is ``package.module:function``, imported only when the command runs; ``help`` is
    the one line that ``hkex-ops --help`` shows. Raises `UsageError` for one that is no text, and
    for a target of another form.
    """

    name: str
    target: str
    help: str

    def __attrs_post_init__(self) -> None:
        _require_text("the name of a CommandOffer", self.name)
        _require_text(f"the target of command {self.name}", self.target)
        _require_text(f"the help of command {self.name}", self.help)
        module, _, function = self.target.partition(":")
        if not module or not function:
            raise UsageError(
                f"the target of command {self.name} is {self.target!r}: write it as "
                "package.module:function"
            )


@frozen
class RolloutDocument:
    """One more circular as data: the text of a rollout file, which the core reads and checks.

    ``id`` is the rollout's id, which the text states too; ``text`` is TOML as
    ``hkex-ops rollouts check`` judges it.
    """

    id: str = field(validator=instance_of(str))
    text: str = field(validator=instance_of(str))

    @property
    def name(self) -> str:
        """What it is told apart by from those of other plug-ins."""
        return self.id


def _require_text(what: str, value: object) -> None:
    """Offers come from code that no type checker may have seen."""
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{what} is {value!r}, and must be a text that says something")


def _is_attrs_class(value: object) -> bool:
    return isinstance(value, type) and has(value)
