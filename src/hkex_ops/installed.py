"""The plug-ins that are installed, by their entry points; none of them is loaded here.

A distribution that was damaged, so that its metadata is lost, is found all the same and bears the
name of its folder. Knows no hook and judges nothing; :mod:`hkex_ops.plugins` does.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import Distribution, EntryPoint, distributions

from attrs import field, frozen

__all__ = ["ENTRY_POINT_GROUP", "FoundPlugin", "installed"]

ENTRY_POINT_GROUP = "hkex_ops"


@frozen
class FoundPlugin:
    """An installed entry point: import package, distribution, version, and how to load it."""

    name: str
    distribution: str
    version: str
    load: Callable[[], object] = field(eq=False, repr=False)


def installed() -> list[FoundPlugin]:
    """Every entry point of the group, once per distribution even if a path is listed twice."""
    found: dict[tuple[str, str], FoundPlugin] = {}
    for distribution in distributions():
        for entry_point in distribution.entry_points:
            if entry_point.group != ENTRY_POINT_GROUP:
                continue
            name, version = _named(distribution)
            found.setdefault((entry_point.name, name), _found(entry_point, name, version))
    return list(found.values())


def _named(distribution: Distribution) -> tuple[str, str]:
    """Name and version; where the METADATA is lost, as its folder is called by them."""
    metadata = distribution.metadata
    # A file that is not there reads as one without a line, or, by the newest Python, as none.
    if metadata and "Name" in metadata and "Version" in metadata:
        return metadata["Name"], metadata["Version"]
    folder = getattr(distribution, "_path", None)
    name, _, version = getattr(folder, "stem", "").partition("-")
    return name or "(a distribution without a name)", version or "(no version)"


def _found(entry_point: EntryPoint, distribution: str, version: str) -> FoundPlugin:
    return FoundPlugin(entry_point.name, distribution, version, entry_point.load)
