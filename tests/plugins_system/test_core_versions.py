"""A plug-in that is made for another version of the core is told, and not loaded."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import pytest

from hkex_ops.errors import PluginError
from tests.plugins_system.site import Site, source
from tests.wheel import CHECKOUT


@pytest.mark.parametrize(
    "requires",
    [
        [],
        ["hkex-ops"],
        ["hkex-ops>=0.1,<0.2"],
        ["hkex_ops (>=0.1,<0.2)"],
        ["Hkex.Ops[forms]==0.1.*"],
        ["attrs>=24.2", "hkex-ops-sftp>=9", "hkexops>=9"],
        ["hkex-ops>=9 ; extra == 'next'"],
        ["hkex-ops>=9 ; python_version < '3'"],
        ["hkex-ops of some version"],
    ],
    ids=";".join,
)
def test_a_plug_in_that_may_be_made_for_this_core_is_loaded(
    site: Site, requires: list[str]
) -> None:
    """Whatever it says of other distributions, extras and interpreters, or cannot be read."""
    site.set_core("0.1.3")
    site.add("good-plugin", source("folder"), requires=requires)
    assert ((), ["folder"]) == (site.load().faults, list(site.load().report_sources()))


@pytest.mark.parametrize(
    ("core", "requires"),
    [
        ("0.1.3", ["hkex-ops>=0.2"]),
        ("0.2.0", ["hkex-ops<0.2,>=0.1"]),
        ("0.2.0.dev1", ["hkex-ops[testing]>=0.2 ; extra == 'test'", "HKEX_OPS>=0.2"]),
        ("1.0", ["hkex-ops>=0.1", "hkex-ops<1.0"]),
    ],
)
def test_a_plug_in_made_for_another_core_is_not_even_imported(
    site: Site, core: str, requires: list[str]
) -> None:
    """Its row says what it wants and what is there, and the others work on."""
    site.set_core(core)
    site.add("good-plugin", source("folder"), requires=[f"hkex-ops=={core}"])
    site.add("old-plugin", "raise SystemExit('was imported')", requires=requires)
    rows = site.rows()
    assert (None, ()) == (rows["good-plugin"].fault, rows["old-plugin"].offers)
    fault = site.fault("old-plugin")
    assert fault.startswith("is made for hkex-ops ")
    assert f", and {core} is installed: install a version of old-plugin" in fault
    assert "old_plugin" not in sys.modules


def test_whoever_needs_what_it_would_bring_is_told_why_it_is_not_there(site: Site) -> None:
    """And not that the name is wrong."""
    site.set_core("0.2.0")
    site.add("old-plugin", source("folder"), requires=["hkex-ops<0.2,>=0.1"])
    with pytest.raises(PluginError, match=r"made for hkex-ops <0\.2,>=0\.1, and 0\.2\.0"):
        site.load().report_source("folder")


def test_where_nothing_says_which_core_this_is_nothing_is_refused(site: Site) -> None:
    """As when it runs from an archive of its source."""
    site.add("good-plugin", source("folder"), requires=["hkex-ops>=9"])
    assert () == site.load().faults


@pytest.mark.parametrize(
    "file",
    [
        *sorted((CHECKOUT / "plugins").glob("*/pyproject.toml")),
        *(CHECKOUT / "src" / "hkex_ops" / "testing" / "template").rglob("pyproject.toml.jinja"),
    ],
    ids=lambda file: file.parent.name,
)
def test_what_is_made_here_says_that_it_is_made_for_this_core(file: Path) -> None:
    """By its minor version, which is the promise to authors of plug-ins."""
    core = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    major, minor = (int(part) for part in core.split(".")[:2])
    wanted = f"hkex-ops>={major}.{minor},<{major}.{minor + 1}"
    said = re.findall(r'"(hkex-ops(?:\[[a-z,]*\])?[<>=][^"]*)"', file.read_text("utf-8"))
    assert said
    assert {wanted} == {re.sub(r"\[.*\]", "", one) for one in said}
