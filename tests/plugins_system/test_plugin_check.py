"""A plug-in is checked as it is installed; everything wrong with it is told at once."""

from __future__ import annotations

import pytest

from hkex_ops.testing.plugin_check import check_plugin
from tests.plugins_system.site import IMPORTS, Site, source

BOUNDS = "hkex-ops>=0.1,<0.2"


def install(site: Site, text: str, *, typed: bool = True, requires: str = BOUNDS) -> None:
    """The distribution desk-paper with a package."""
    site.add("desk-paper", None, requires=[requires])
    package = site.folder / "desk_paper"
    package.mkdir()
    (package / "__init__.py").write_text(text, encoding="utf-8")
    if typed:
        (package / "py.typed").touch()
    site.load()


def test_a_sound_plugin_is_what_the_listing_says(site: Site) -> None:
    install(site, source("paper"))
    row = check_plugin("desk_paper", engines=["sqlite3"])
    assert ("desk_paper", "desk-paper", "1.0", None) == (
        row.name,
        row.distribution,
        row.version,
        row.fault,
    )
    assert 1 == len(row.offers)


def test_a_plugin_that_is_not_installed_is_told_what_to_do(site: Site) -> None:
    install(site, source("paper"))
    with pytest.raises(AssertionError, match=r"paper_desk is not installed.*installed: desk_paper"):
        check_plugin("paper_desk")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(
            source("paper").replace("report_sources", "report_source"),
            "there is no such hook; the nearest is hkex_ops_report_sources",
            id="misspelt-hook",
        ),
        pytest.param("import nowhere\n", "nowhere", id="broken-import"),
        pytest.param(IMPORTS, "offers nothing", id="no-hook"),
        pytest.param(
            f"import sqlite3\n{source('paper')}", "loads sqlite3 when it is imported", id="engine"
        ),
    ],
)
def test_what_is_wrong_is_told(site: Site, text: str, told: str) -> None:
    install(site, text)
    with pytest.raises(AssertionError, match="is not sound") as raised:
        check_plugin("desk_paper", engines=["sqlite3"])
    assert told in str(raised.value)


def test_several_faults_are_told_together(site: Site) -> None:
    install(site, f"import sqlite3\n{source('paper')}", typed=False)
    with pytest.raises(AssertionError) as raised:
        check_plugin("desk_paper", engines=["sqlite3"])
    assert 3 == len(str(raised.value).splitlines()), str(raised.value)
    assert "py.typed" in str(raised.value)


@pytest.mark.parametrize("requires", ["attrs", "hkex-ops", "hkex-ops>=0.1"])
def test_one_that_any_later_core_would_load_is_told_to_say_for_which_it_is_made(
    site: Site, requires: str
) -> None:
    """The bounds are those of the core that it is checked with."""
    site.set_core("0.1.4")
    install(site, source("paper"), requires=requires)
    with pytest.raises(AssertionError, match=r"require hkex-ops>=0\.1,<0\.2 in its metadata"):
        check_plugin("desk_paper")
