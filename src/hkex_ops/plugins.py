"""Plug-ins: loaded, checked, listed. The only user of pluggy's manager.

Every way in which a plug-in can be wrong is a :class:`PluginFault` that names the distribution,
and the other plug-ins work on: an import that fails, a misspelt hook, an implementation that is
async, two distributions with one entry-point name, two entry points on one module, two offers of
one name, a hook that returns something else than offers, a name to block that nobody bears.
Nothing is ever chosen by order of registration.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Protocol, TypeAlias, TypeVar, cast

import pluggy
from attrs import frozen

from hkex_ops import hookspecs
from hkex_ops.errors import ConfigError, HkexOpsError, PluginError
from hkex_ops.installed import ENTRY_POINT_GROUP, FoundPlugin, installed
from hkex_ops.ports import CommandOffer, Offer, Probe, ReportSource, RolloutDocument

__all__ = ["ENTRY_POINT_GROUP", "FoundPlugin", "LoadedPlugin", "PluginFault", "Plugins"]

_ROLLOUTS = "hkex_ops_rollouts"

T = TypeVar("T")


class _Named(Protocol):
    @property
    def name(self) -> str: ...


@frozen
class PluginFault:
    """Why a plug-in, or one of its hooks, is not in use: one sentence for its author."""

    name: str
    distribution: str
    message: str
    hook: str = ""

    def error(self) -> PluginError:
        """The same as an exception, for a command that needs this plug-in."""
        return PluginError(self.message, distribution=self.distribution, hook=self.hook)


@frozen
class LoadedPlugin:
    """One row of ``hkex-ops plugins``: a plug-in that was found, with what came of it."""

    name: str
    distribution: str
    version: str
    offers: tuple[str, ...]
    fault: str | None


_Held: TypeAlias = dict[str, tuple[FoundPlugin, T]]


class Plugins:
    """The installed plug-ins of one program run. Built by :meth:`load`; never global."""

    def __init__(self, found: Sequence[FoundPlugin], *, block: Iterable[str] = ()) -> None:
        self._found = sorted(found, key=lambda plugin: (plugin.name, plugin.distribution))
        self._blocked = frozenset(block)
        self._faults: list[PluginFault] = []
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._by_name = {plugin.name: plugin for plugin in self._found}
        for plugin in self._sound():
            self._register(plugin)
        self._unloaded = tuple(self._faults)
        self._misspelt = sorted(self._blocked - self._by_name.keys())
        for name in self._misspelt:
            hint = _nearest(name, list(self._by_name))
            message = f"is blocked by the configuration and is not installed; {hint}"
            self._faults.append(PluginFault(name, name, message))
        # What a hook returned was checked to be offers; of which port is the hook's own promise.
        self._report_sources = cast(
            "_Held[Offer[ReportSource]]",
            self._collect("hkex_ops_report_sources", _is_offer, "report source"),
        )
        self._probes = cast(
            "_Held[Offer[Probe]]", self._collect("hkex_ops_probes", _is_offer, "probe")
        )
        self._commands = cast(
            "_Held[CommandOffer]",
            self._collect("hkex_ops_commands", _is_command_offer, "command"),
        )
        self._rollouts = cast(
            "_Held[RolloutDocument]", self._collect(_ROLLOUTS, _is_rollout_document, "rollout")
        )

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

    def report_sources(self) -> Mapping[str, Offer[ReportSource]]:
        """The report sources on offer, by the name an operator writes."""
        return {key: offer for key, (_, offer) in self._report_sources.items()}

    def report_source(self, name: str) -> Offer[ReportSource]:
        """The report source called ``name``.

        Raises `PluginError` when a broken plug-in may be the reason it is missing, else
        `ConfigError` naming what is on offer.
        """
        try:
            return self._report_sources[name][1]
        except KeyError:
            known = sorted(self._report_sources)
            raise self._missing("hkex_ops_report_sources", "report source", name, known) from None

    def probes(self) -> Mapping[str, Offer[Probe]]:
        """The probes on offer, by the name an operator writes."""
        return {key: offer for key, (_, offer) in self._probes.items()}

    def probe(self, name: str) -> Offer[Probe]:
        """The probe called ``name``; raises as :meth:`report_source` does."""
        try:
            return self._probes[name][1]
        except KeyError:
            known = sorted(self._probes)
            raise self._missing(
                "hkex_ops_probes", "probe", name, known, such_as="hkex-ops-basic"
            ) from None

    def commands(self) -> Mapping[str, CommandOffer]:
        """The commands on offer, by name."""
        return {key: offer for key, (_, offer) in self._commands.items()}

    def require_command(self, name: str) -> None:
        """Import the command called ``name``; `PluginError` when its own plug-in cannot."""
        plugin, offer = self._commands[name]
        module, _, function = offer.target.partition(":")
        try:
            getattr(import_module(module), function)
        # Whatever a plug-in's module raises at import is that plug-in's fault.
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"command {name} cannot be imported: {type(error).__name__}: {error}",
                distribution=plugin.distribution,
                hook="hkex_ops_commands",
            ) from error

    def rollouts(self) -> Mapping[str, RolloutDocument]:
        """The rollout documents on offer, by id. They are not read here: whoever reads them says
        with :meth:`refuse_rollout` what is wrong with one."""
        return {key: document for key, (_, document) in self._rollouts.items()}

    def refuse_rollout(self, id: str, message: str) -> PluginFault:
        """Put the rollout called ``id`` out of use, for the reason in ``message``."""
        plugin, _ = self._rollouts.pop(id)
        self._fault(plugin, f"rollout {id}: {message}", _ROLLOUTS)
        return self._faults[-1]

    def refuse_command(self, name: str, message: str) -> None:
        """Put the command called ``name`` out of use, for the reason in ``message``."""
        plugin, _ = self._commands.pop(name)
        self._fault(plugin, message, "hkex_ops_commands")

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
        wrong = _wrong_hooks(module, self._known_hooks())
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

    def _collect(self, hook: str, fits: Callable[[object], bool], what: str) -> _Held[_Named]:
        """Call one hook plug-in by plug-in, so that a bad answer costs only the one who gave it."""
        held: _Held[_Named] = {}
        refused: set[str] = set()
        implementations = getattr(self._manager.hook, hook).get_hookimpls()
        for implementation in sorted(implementations, key=lambda one: str(one.plugin_name)):
            plugin = self._by_name[implementation.plugin_name]
            for offer in self._answer(plugin, hook, implementation.function, fits):
                if offer.name in held:
                    other = held.pop(offer.name)[0]
                    refused.add(offer.name)
                    message = (
                        f"{what} {offer.name} is offered by {other.distribution} and "
                        f"{plugin.distribution}: uninstall or block one"
                    )
                    self._fault(other, message, hook)
                    self._fault(plugin, message, hook)
                elif offer.name in refused:
                    self._fault(plugin, f"{what} {offer.name} is offered by others too", hook)
                else:
                    held[offer.name] = (plugin, offer)
        return held

    def _answer(
        self,
        plugin: FoundPlugin,
        hook: str,
        implementation: Callable[[], Iterable[_Named]],
        fits: Callable[[object], bool],
    ) -> list[_Named]:
        try:
            offers = list(implementation())
        # An offer that cannot be made says itself what is wrong with it.
        except HkexOpsError as error:
            self._fault(plugin, str(error), hook)
            return []
        # A hook is the plug-in's code: whatever it raises is its own fault.
        except (Exception, SystemExit) as error:
            self._fault(plugin, f"failed with {type(error).__name__}: {error}", hook)
            return []
        wrong = [offer for offer in offers if not fits(offer)]
        if wrong:
            self._fault(plugin, f"returned {type(wrong[0]).__name__}, which is no offer", hook)
        return [offer for offer in offers if fits(offer)]

    def _fault(self, plugin: FoundPlugin, message: str, hook: str = "") -> None:
        self._faults.append(PluginFault(plugin.name, plugin.distribution, message, hook))

    def _row(self, plugin: FoundPlugin) -> LoadedPlugin:
        offers = [
            *(f"report source {k}" for k, (p, _) in self._report_sources.items() if p == plugin),
            *(f"probe {k}" for k, (p, _) in self._probes.items() if p == plugin),
            *(f"command {k}" for k, (p, _) in self._commands.items() if p == plugin),
            *(f"rollout {k}" for k, (p, _) in self._rollouts.items() if p == plugin),
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

    def _missing(
        self,
        hook: str,
        what: str,
        name: str,
        known: Sequence[str],
        *,
        such_as: str = "hkex-ops-sftp",
    ) -> Exception:
        """Why ``name`` is not on offer: every plug-in that was not loaded, or whose ``hook``
        failed, may have brought it; with any other the operator's name is wrong."""
        blamed = [*self._unloaded]
        blamed += [one for one in self._faults if one.hook == hook and one not in blamed]
        if len(blamed) == 1:
            [fault] = blamed
            return PluginError(
                f"{what} {name} is not on offer, perhaps because of this: {fault.message}",
                distribution=fault.distribution,
                hook=fault.hook,
            )
        if blamed:
            told = "; ".join(f"{fault.distribution}: {fault.message}" for fault in blamed)
            return PluginError(
                f"{what} {name} is not on offer, perhaps because of one of these: {told}",
                distribution=", ".join(dict.fromkeys(fault.distribution for fault in blamed)),
            )
        offered = ", ".join(known) if known else f"none: install a plug-in such as {such_as}"
        return ConfigError(f"{what} {name} is not on offer; on offer: {offered}")


def _is_offer(answer: object) -> bool:
    return isinstance(answer, Offer)


def _is_rollout_document(answer: object) -> bool:
    return isinstance(answer, RolloutDocument)


def _is_command_offer(answer: object) -> bool:
    return isinstance(answer, CommandOffer)


def _nearest(word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"installed: {', '.join(known) or 'none'}"


def _wrong_hooks(module: object, known: Sequence[str]) -> list[tuple[str, str]]:
    """The members that look like hooks and would be passed over, or awaited, in silence."""
    wrong: list[tuple[str, str]] = []
    for name in dir(module):
        member = getattr(module, name, None)
        marked = hasattr(member, f"{hookspecs.PROJECT}_impl")
        if not marked and not (name.startswith(f"{hookspecs.PROJECT}_") and callable(member)):
            continue
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.0)[0]
            wrong.append((name, f"there is no such hook; the nearest is {near}"))
        elif inspect.iscoroutinefunction(member) or inspect.isasyncgenfunction(member):
            wrong.append((name, "is async, and a hook only offers: make it a plain def"))
        elif not marked and not hasattr(member, f"{hookspecs.PROJECT}_spec"):
            wrong.append((name, "lacks @hookimpl and would never be called"))
    return wrong
