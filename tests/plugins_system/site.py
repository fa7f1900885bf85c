"""Distributions as an installer leaves them: a ``dist-info`` folder and a module beside it."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import invalidate_caches
from pathlib import Path
from textwrap import dedent

from hkex_ops.plugins import LoadedPlugin, Plugins

__all__ = ["IMPORTS", "SOURCE_HOOK", "Site", "source"]

IMPORTS = """
from attrs import frozen
from hkex_ops.hookspecs import hookimpl
from hkex_ops.ports import CommandOffer, Offer

@frozen
class Options:
    pass

def never_opened(options, site):
    raise NotImplementedError
"""

SOURCE_HOOK = "hkex_ops_report_sources"


def source(*names: str) -> str:
    """A module that offers report sources called ``names``."""
    offers = ", ".join(f"Offer({name!r}, Options, never_opened)" for name in names)
    return f"{IMPORTS}\n@hookimpl\ndef {SOURCE_HOOK}():\n    return [{offers}]\n"


class Site:
    """A folder of installed distributions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules: list[str] = []
        folder.mkdir()

    def add(
        self,
        distribution: str,
        text: str | None,
        *,
        entry_point: str = "",
        module: str = "",
        attribute: str = "",
        version: str = "1.0",
        requires: Iterable[str] = (),
    ) -> None:
        """Install a distribution whose entry point loads ``module``, which holds ``text``.

        Both are named like the distribution unless said otherwise; without a text the module is
        not there, or is another distribution's.
        """
        package = distribution.replace("-", "_")
        module = module or package
        information = self.folder / f"{package}-{version}.dist-info"
        information.mkdir()
        metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        metadata += "".join(f"Requires-Dist: {line}\n" for line in requires)
        (information / "METADATA").write_text(metadata, encoding="utf-8")
        entry = f"[hkex_ops]\n{entry_point or package} = {module}{attribute}\n"
        (information / "entry_points.txt").write_text(entry, encoding="utf-8")
        if text is not None:
            (self.folder / f"{module}.py").write_text(dedent(text), encoding="utf-8")
        self.modules.append(module)

    def set_core(self, version: str) -> None:
        """Let the core be installed in that version."""
        information = self.folder / f"hkex_ops-{version}.dist-info"
        information.mkdir()
        metadata = f"Metadata-Version: 2.1\nName: hkex-ops\nVersion: {version}\n"
        (information / "METADATA").write_text(metadata, encoding="utf-8")

    def lose_metadata(self, distribution: str, *, version: str = "1.0") -> None:
        """Damage an installed distribution as an interrupted installer does."""
        package = distribution.replace("-", "_")
        (self.folder / f"{package}-{version}.dist-info" / "METADATA").unlink()

    def load(self, *, block: Iterable[str] = ()) -> Plugins:
        """The plug-ins of this site."""
        invalidate_caches()
        return Plugins.load(block=block)

    def rows(self) -> dict[str, LoadedPlugin]:
        """The same, as rows by distribution."""
        return {row.distribution: row for row in self.load().rows()}

    def fault(self, distribution: str) -> str:
        """The fault of one distribution."""
        fault = self.rows()[distribution].fault
        assert fault is not None
        return fault
