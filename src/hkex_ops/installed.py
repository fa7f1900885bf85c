"""The plug-ins that are installed, by their entry points; none of them is loaded here.

A distribution that was damaged, so that its metadata is lost, is found all the same and bears the
name of its folder. Knows no hook and judges nothing; :mod:`hkex_ops.plugins` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import (
    Distribution,
    EntryPoint,
    PackageNotFoundError,
    distributions,
    version as version_of,
)

from attrs import field, frozen

__all__ = ["CORE", "ENTRY_POINT_GROUP", "FoundPlugin", "core_version", "installed"]

ENTRY_POINT_GROUP = "hkex_ops"
CORE = "hkex-ops"

# Of all that a distribution requires only this is read, and the library for it is not imported
# where nothing begins so.
_CORE_REQUIREMENT = re.compile(r"hkex[-_.]+ops(?![A-Za-z0-9._-])", re.IGNORECASE | re.ASCII)


@frozen
class FoundPlugin:
    """An installed entry point: import package, distribution, version, and how to load it.

    ``core`` are the versions of the core that it is made for, such as ``<0.2,>=0.1``; blank where
    its distribution does not say.
    """

    name: str
    distribution: str
    version: str
    load: Callable[[], object] = field(eq=False, repr=False)
    core: str = ""


def installed() -> list[FoundPlugin]:
    """Every entry point of the group, once per distribution even if a path is listed twice."""
    found: dict[tuple[str, str], FoundPlugin] = {}
    for distribution in distributions():
        for entry_point in distribution.entry_points:
            if entry_point.group != ENTRY_POINT_GROUP:
                continue
            plugin = _found(entry_point, distribution)
            found.setdefault((plugin.name, plugin.distribution), plugin)
    return list(found.values())


def core_version() -> str:
    """The version of the core that is installed; blank where nothing says it."""
    try:
        return version_of(CORE)
    except PackageNotFoundError:
        return ""


def _named(distribution: Distribution) -> tuple[str, str]:
    """Name and version; where the METADATA is lost, as its folder is called by them."""
    metadata = distribution.metadata
    # A file that is not there reads as one without a line, or, by the newest Python, as none.
    if metadata and "Name" in metadata and "Version" in metadata:
        return metadata["Name"], metadata["Version"]
    folder = getattr(distribution, "_path", None)
    name, _, version = getattr(folder, "stem", "").partition("-")
    return name or "(a distribution without a name)", version or "(no version)"


def _found(entry_point: EntryPoint, distribution: Distribution) -> FoundPlugin:
    name, version = _named(distribution)
    return FoundPlugin(entry_point.name, name, version, entry_point.load, _wanted(distribution))


def _wanted(distribution: Distribution) -> str:
    """The versions of the core that hold whatever extra was chosen."""
    metadata = distribution.metadata
    required = metadata.get_all("Requires-Dist") if metadata else None
    lines = [line for line in required or () if _CORE_REQUIREMENT.match(line)]
    if not lines:
        return ""
    from packaging.requirements import InvalidRequirement, Requirement

    wanted: list[str] = []
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            wanted.append(str(requirement.specifier))
    return ",".join(filter(None, wanted))
