"""The papers that are known: the rollouts that ship, the operator's own files, and plug-ins'.

Plug-ins hand over texts and know no converter; the loader reads texts and knows no plug-in. Here
they meet. A document that is faulty, or bears a shipped rollout's id, is a fault of its plug-in,
and everything else works on. Called by every command that answers from rollouts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

from hkex_ops.calendars import Calendar
from hkex_ops.config.shipped import (
    load_rollout,
    load_rollouts,
    rollout_named,
    structure_rollout,
)
from hkex_ops.errors import ConfigError, Fault, UsageError
from hkex_ops.model import Rollout
from hkex_ops.plugins import PluginFault, Plugins

__all__ = ["ROLLOUTS_HOOK", "Papers", "load_papers"]

ROLLOUTS_HOOK = "hkex_ops_rollouts"


@frozen
class Papers:
    """The rollouts by id, and why a plug-in's rollout is not among them."""

    rollouts: Mapping[str, Rollout]
    faults: tuple[PluginFault, ...] = ()

    def chosen(self, id: str | None) -> tuple[Rollout, ...]:
        """The rollout called ``id``, or all of them.

        Raises `PluginError` when the one asked for came from a plug-in and is broken, else
        `UsageError` with the nearest id.
        """
        if id is None:
            return tuple(self.rollouts.values())
        try:
            return (rollout_named(id, self.rollouts),)
        except UsageError:
            for fault in self.faults:
                if fault.message.startswith(f"rollout {id}: "):
                    raise fault.error() from None
            raise


def load_papers(calendar: Calendar, plugins: Plugins, files: Sequence[Path] = ()) -> Papers:
    """Read every rollout, moments resolved by ``calendar``.

    ``files`` are the operator's own: `ConfigError` for a fault in one, or an id that is taken.
    Faults of plug-ins' rollouts are recorded in ``plugins``.
    """
    rollouts = dict(load_rollouts(calendar))
    for path in files:
        own = load_rollout(path, calendar)
        if own.id in rollouts:
            fault = Fault("id", f"{own.id!r} is known already: give yours an id of its own")
            raise ConfigError(fault, document=str(path))
        rollouts[own.id] = own
    known = frozenset(rollouts)
    faults: list[PluginFault] = []
    for id, document in plugins.rollouts().items():
        if id in known:
            reason = "is known already: give yours an id of its own"
            faults.append(plugins.refuse_rollout(id, reason))
            continue
        try:
            rollout = structure_rollout(document.text, calendar, document="")
        except ConfigError as error:
            faults.append(plugins.refuse_rollout(id, "; ".join(map(str, error.faults))))
            continue
        if rollout.id != id:
            reason = f"its text says id = {rollout.id!r}: offer it under that"
            faults.append(plugins.refuse_rollout(id, reason))
            continue
        rollouts[id] = rollout
    return Papers(rollouts, tuple(faults))
