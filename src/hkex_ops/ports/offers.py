"""How adapters, commands and papers are offered by a plug-in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Generic, TypeVar, cast

from attrs import field, frozen, has
from attrs.validators import instance_of

from hkex_ops.errors import UsageError
from hkex_ops.model import Endpoint, SiteRole

__all__ = ["CommandOffer", "Offer", "RolloutDocument"]

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
    ``sending_fault(options)``, of a source that could send files, says in a sentence what the
    operator must set before it can, or nothing when all is set: nobody logs in to be told that.
    Covariant in the port, so a type checker rejects a wrong adapter at the author's own
    ``return [Offer(...)]``. Raises `UsageError` for a name that is no text and for options that
    are no attrs class.
    """

    __slots__ = ("_addresses", "_open", "_sending_fault", "name", "options")

    def __init__(
        self,
        name: str,
        options: type[O],
        open: Callable[[O, SiteRole], AbstractAsyncContextManager[P_co]],
        addresses: Callable[[O, SiteRole], Sequence[Endpoint]] | None = None,
        sending_fault: Callable[[O], str | None] | None = None,
    ) -> None:
        _require_text(f"the name of an {type(self).__name__}", name)
        if not _is_attrs_class(options):
            raise UsageError(f"offer {name} takes {options!r} as its options: give an attrs class")
        self.name: str = name
        self.options: type[object] = options
        self._open = cast("Callable[[object, SiteRole], AbstractAsyncContextManager[P_co]]", open)
        self._addresses = cast("Callable[[object, SiteRole], Sequence[Endpoint]] | None", addresses)
        self._sending_fault = cast("Callable[[object], str | None] | None", sending_fault)

    def open(self, options: object, site: SiteRole) -> AbstractAsyncContextManager[P_co]:
        """The adapter for ``site``; ``options`` is an instance of :attr:`options`."""
        self._require(options)
        return self._open(options, site)

    def addresses(self, options: object, site: SiteRole) -> tuple[Endpoint, ...] | None:
        """The addresses that :meth:`open` would try, in order; ``None`` where none can be told."""
        self._require(options)
        return None if self._addresses is None else tuple(self._addresses(options, site))

    def sending_fault(self, options: object) -> str | None:
        """What the operator must set before files can be sent; ``None`` where nothing is known."""
        self._require(options)
        return None if self._sending_fault is None else self._sending_fault(options)

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
