"""Plug-ins: loaded, checked, listed. The only user of pluggy's manager.

Every way in which a plug-in can be wrong is a :class:`PluginFault` that names the distribution,
and the other plug-ins work on: an import that fails, a misspelt hook, an implementation that is
async, two distributions with one entry-point name, two entry points on one module, two offers of
one name, a hook that returns something else than offers, a name to block that nobody bears.
Nothing is ever chosen by order of registration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Protocol, TypeAlias, TypeVar, cast

import pluggy

from hkex_ops import hookspecs
from hkex_ops.errors import ConfigError, HkexOpsError, PluginError
from hkex_ops.installed import FoundPlugin, core_version, installed
from hkex_ops.plugins.faults import (
    LoadedPlugin,
    PluginFault,
    nearest_plugin,
    wrong_core,
    wrong_hooks,
)
from hkex_ops.plugins.kinds import (
    COMMANDS,
    INDEX_FEEDS,
    INDEX_PUBLISHERS,
    KINDS,
    MARKET_FEEDS,
    NOTIFIERS,
    OAPI_GATEWAYS,
    PROBES,
    REPORT_SOURCES,
    ROLLOUTS,
    OfferKind,
)
from hkex_ops.ports import (
    CommandOffer,
    IndexFeed,
    IndexPublisher,
    MarketFeed,
    Notifier,
    OapiGateway,
    Offer,
    Probe,
    ReportSource,
    RolloutDocument,
)

__all__ = ["Plugins"]

T = TypeVar("T")


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_Held: TypeAlias = dict[str, tuple[FoundPlugin, T]]


class Plugins:
    """The installed plug-ins of one program run. Built by :meth:`load`; never global."""

    def __init__(self, found: Sequence[FoundPlugin], *, block: Iterable[str] = ()) -> None:
        self._found = sorted(found, key=lambda plugin: (plugin.name, plugin.distribution))
        self._blocked = frozenset(block)
        self._core = core_version()
        self._faults: list[PluginFault] = []
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._by_name = {plugin.name: plugin for plugin in self._found}
        for plugin in self._sound():
            self._register(plugin)
        self._unloaded = tuple(self._faults)
        self._misspelt = sorted(self._blocked - self._by_name.keys())
        for name in self._misspelt:
            hint = nearest_plugin(name, list(self._by_name))
            message = f"is blocked by the configuration and is not installed; {hint}"
            self._faults.append(PluginFault(name, name, message))
        self._held = {kind.hook: self._collect(kind) for kind in KINDS}

    @classmethod
    def load(cls, *, block: Iterable[str] = ()) -> Plugins:
        """Read the installed entry points and load them, all but those named in ``block``."""
        return cls(installed(), block=block)

    # -- what was loaded ---------------------------------------------------------------------

    @property
    def faults(self) -> tuple[PluginFault, ...]:
        """Everything that was wrong, in order of plug-in name."""
        return tuple(sorted(self._faults, key=lambda fault: fault.name))

    def rows(self) -> tuple[LoadedPlugin, ...]:
        """One row for every entry point found, blocked and broken ones too, and for every name to
        block that nobody bears."""
        rows = [self._row(plugin) for plugin in self._found]
        absent = [
            LoadedPlugin(one, one, "", (), self._faults_of(one, one)) for one in self._misspelt
        ]
        return tuple(sorted((*rows, *absent), key=lambda row: row.name))

    def offers(self, kind: OfferKind[T]) -> Mapping[str, T]:
        """What of ``kind`` is on offer, by the name an operator writes."""
        # What a hook returned was checked to be of its type; of which port is its own promise.
        held = cast("_Held[T]", self._held[kind.hook])
        return {name: offer for name, (_, offer) in held.items()}

    def offer(self, kind: OfferKind[T], name: str) -> T:
        """What is called ``name`` among ``kind``.

        Raises `PluginError` when a broken plug-in may be the reason it is missing, else
        `ConfigError` naming what is on offer.
        """
        offers = self.offers(kind)
        if name not in offers:
            raise self._missing(kind, name, sorted(offers))
        return offers[name]

    def report_sources(self) -> Mapping[str, Offer[ReportSource]]:
        """The report sources on offer, by name."""
        return self.offers(REPORT_SOURCES)

    def report_source(self, name: str) -> Offer[ReportSource]:
        """The report source called ``name``; raises as :meth:`offer` does."""
        return self.offer(REPORT_SOURCES, name)

    def probes(self) -> Mapping[str, Offer[Probe]]:
        """The probes on offer, by name."""
        return self.offers(PROBES)

    def probe(self, name: str) -> Offer[Probe]:
        """The probe called ``name``; raises as :meth:`offer` does."""
        return self.offer(PROBES, name)

    def market_feeds(self) -> Mapping[str, Offer[MarketFeed]]:
        """The market feeds on offer, by name."""
        return self.offers(MARKET_FEEDS)

    def market_feed(self, name: str) -> Offer[MarketFeed]:
        """The market feed called ``name``; raises as :meth:`offer` does."""
        return self.offer(MARKET_FEEDS, name)

    def index_publishers(self) -> Mapping[str, Offer[IndexPublisher]]:
        """The index publishers on offer, by name."""
        return self.offers(INDEX_PUBLISHERS)

    def index_publisher(self, name: str) -> Offer[IndexPublisher]:
        """The index publisher called ``name``; raises as :meth:`offer` does."""
        return self.offer(INDEX_PUBLISHERS, name)

    def index_feeds(self) -> Mapping[str, Offer[IndexFeed]]:
        """The index feeds on offer, by name."""
        return self.offers(INDEX_FEEDS)

    def index_feed(self, name: str) -> Offer[IndexFeed]:
        """The index feed called ``name``; raises as :meth:`offer` does."""
        return self.offer(INDEX_FEEDS, name)

    def notifiers(self) -> Mapping[str, Offer[Notifier]]:
        """The notifiers on offer, by name."""
        return self.offers(NOTIFIERS)

    def notifier(self, name: str) -> Offer[Notifier]:
        """The notifier called ``name``; raises as :meth:`offer` does."""
        return self.offer(NOTIFIERS, name)

    def oapi_gateways(self) -> Mapping[str, Offer[OapiGateway]]:
        """The gateways of clearing houses on offer, by name."""
        return self.offers(OAPI_GATEWAYS)

    def oapi_gateway(self, name: str) -> Offer[OapiGateway]:
        """The gateway called ``name``; raises as :meth:`offer` does."""
        return self.offer(OAPI_GATEWAYS, name)

    def commands(self) -> Mapping[str, CommandOffer]:
        """The commands on offer, by name."""
        return self.offers(COMMANDS)

    def require_command(self, name: str) -> None:
        """Import the command called ``name``; `PluginError` when its own plug-in cannot."""
        plugin, offer = self._held[COMMANDS.hook][name]
        assert isinstance(offer, CommandOffer), "collected as one"
        module, _, function = offer.target.partition(":")
        try:
            getattr(import_module(module), function)
        # Whatever a plug-in's module raises at import is that plug-in's fault.
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"command {name} cannot be imported: {type(error).__name__}: {error}",
                distribution=plugin.distribution,
                hook=COMMANDS.hook,
            ) from error

    def rollouts(self) -> Mapping[str, RolloutDocument]:
        """The rollout documents on offer, by id. They are not read here: whoever reads them says
        with :meth:`refuse_rollout` what is wrong with one."""
        return self.offers(ROLLOUTS)

    def refuse_rollout(self, id: str, message: str) -> PluginFault:
        """Put the rollout called ``id`` out of use, for the reason in ``message``."""
        plugin, _ = self._held[ROLLOUTS.hook].pop(id)
        self._fault(plugin, f"rollout {id}: {message}", ROLLOUTS.hook)
        return self._faults[-1]

    def refuse_command(self, name: str, message: str) -> None:
        """Put the command called ``name`` out of use, for the reason in ``message``."""
        plugin, _ = self._held[COMMANDS.hook].pop(name)
        self._fault(plugin, message, COMMANDS.hook)

    # -- loading -----------------------------------------------------------------------------

    def _sound(self) -> list[FoundPlugin]:
        """The plug-ins whose name is theirs alone and which nobody blocked."""
        names: dict[str, list[FoundPlugin]] = {}
        for plugin in self._found:
            names.setdefault(plugin.name, []).append(plugin)
        for name, claimants in names.items():
            if len(claimants) > 1 and name not in self._blocked:
                holders = " and ".join(f"{one.distribution} {one.version}" for one in claimants)
                for one in claimants:
                    self._fault(one, f"entry point {name} is claimed by {holders}: uninstall one")
        return [
            claimants[0]
            for name, claimants in names.items()
            if len(claimants) == 1 and name not in self._blocked
        ]

    def _register(self, plugin: FoundPlugin) -> None:
        unfit = wrong_core(plugin, self._core)
        if unfit is not None:
            self._fault(plugin, unfit)
            return
        try:
            module = plugin.load()
        # A plug-in may raise anything at import, SystemExit included; all of it is its own fault.
        except (Exception, SystemExit) as error:
            self._fault(plugin, f"cannot be imported: {type(error).__name__}: {error}")
            return
        if self._manager.is_registered(module):
            other = self._by_name[str(self._manager.get_name(module))]
            self._fault(
                plugin,
                f"loads what entry point {other.name} of {other.distribution} loads already: "
                "keep one of the two",
            )
            return
        wrong = wrong_hooks(module, self._known_hooks())
        for hook, message in wrong:
            self._fault(plugin, message, hook)
        if wrong:
            return
        try:
            self._manager.register(module, name=plugin.name)
            self._manager.check_pending()
        except (pluggy.PluginValidationError, ValueError) as error:
            self._manager.unregister(name=plugin.name)
            self._fault(plugin, " ".join(str(error).split()))

    def _known_hooks(self) -> tuple[str, ...]:
        return tuple(name for name in dir(hookspecs) if name.startswith("hkex_ops_"))

    def _collect(self, kind: OfferKind[object]) -> _Held[_Named]:
        """Call one hook plug-in by plug-in, so that a bad answer costs only the one who gave it."""
        held: _Held[_Named] = {}
        refused: set[str] = set()
        implementations = getattr(self._manager.hook, kind.hook).get_hookimpls()
        for implementation in sorted(implementations, key=lambda one: str(one.plugin_name)):
            plugin = self._by_name[implementation.plugin_name]
            for offer in self._answer(plugin, kind, implementation.function):
                if offer.name in held:
                    other = held.pop(offer.name)[0]
                    refused.add(offer.name)
                    message = (
                        f"{kind.what} {offer.name} is offered by {other.distribution} and "
                        f"{plugin.distribution}: uninstall or block one"
                    )
                    self._fault(other, message, kind.hook)
                    self._fault(plugin, message, kind.hook)
                elif offer.name in refused:
                    message = f"{kind.what} {offer.name} is offered by others too"
                    self._fault(plugin, message, kind.hook)
                else:
                    held[offer.name] = (plugin, offer)
        return held

    def _answer(
        self,
        plugin: FoundPlugin,
        kind: OfferKind[object],
        implementation: Callable[[], Iterable[_Named]],
    ) -> list[_Named]:
        try:
            offers = list(implementation())
        # An offer that cannot be made says itself what is wrong with it.
        except HkexOpsError as error:
            self._fault(plugin, str(error), kind.hook)
            return []
        # A hook is the plug-in's code: whatever it raises is its own fault.
        except (Exception, SystemExit) as error:
            self._fault(plugin, f"failed with {type(error).__name__}: {error}", kind.hook)
            return []
        wrong = [offer for offer in offers if not isinstance(offer, kind.type)]
        if wrong:
            self._fault(plugin, f"returned {type(wrong[0]).__name__}, which is no offer", kind.hook)
        return [offer for offer in offers if isinstance(offer, kind.type)]

    def _fault(self, plugin: FoundPlugin, message: str, hook: str = "") -> None:
        self._faults.append(PluginFault(plugin.name, plugin.distribution, message, hook))

    def _row(self, plugin: FoundPlugin) -> LoadedPlugin:
        offers = [
            f"{kind.what} {name}"
            for kind in KINDS
            for name, (bringer, _) in self._held[kind.hook].items()
            if bringer == plugin
        ]
        blocked = "blocked by configuration" if plugin.name in self._blocked else None
        return LoadedPlugin(
            name=plugin.name,
            distribution=plugin.distribution,
            version=plugin.version,
            offers=tuple(offers),
            fault=self._faults_of(plugin.name, plugin.distribution) or blocked,
        )

    def _faults_of(self, name: str, distribution: str) -> str | None:
        """Everything that is wrong with one plug-in, as one text."""
        told = [
            f"{fault.hook}: {fault.message}" if fault.hook else fault.message
            for fault in self._faults
            if (fault.name, fault.distribution) == (name, distribution)
        ]
        return "; ".join(told) or None

    def _missing(self, kind: OfferKind[T], name: str, known: Sequence[str]) -> Exception:
        """Why ``name`` is not on offer: every plug-in that was not loaded, or whose hook of this
        kind failed, may have brought it; with any other the operator's name is wrong."""
        blamed = [*self._unloaded]
        blamed += [one for one in self._faults if one.hook == kind.hook and one not in blamed]
        if len(blamed) == 1:
            [fault] = blamed
            return PluginError(
                f"{kind.what} {name} is not on offer, perhaps because of this: {fault.message}",
                distribution=fault.distribution,
                hook=fault.hook,
            )
        if blamed:
            told = "; ".join(f"{fault.distribution}: {fault.message}" for fault in blamed)
            return PluginError(
                f"{kind.what} {name} is not on offer, perhaps because of one of these: {told}",
                distribution=", ".join(dict.fromkeys(fault.distribution for fault in blamed)),
            )
        offered = ", ".join(known) if known else f"none: install a plug-in such as {kind.such_as}"
        return ConfigError(f"{kind.what} {name} is not on offer; on offer: {offered}")
