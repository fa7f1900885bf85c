"""Every way a plug-in can be wrong names its distribution, and the others work on."""

from __future__ import annotations

import sys

import pytest

from hkex_ops.errors import ConfigError, PluginError
from hkex_ops.plugins import LoadedPlugin, PluginFault
from hkex_ops.ports import CommandOffer
from tests.plugins_system.site import IMPORTS, SOURCE_HOOK, Site, source

GOOD = source("folder")


def hook(body: str, *, name: str = SOURCE_HOOK, mark: str = "@hookimpl") -> str:
    """A module with one hook."""
    return f"{IMPORTS}\n{mark}\ndef {name}():\n    {body}\n"


# -- found, offered, listed -----------------------------------------------------------------------


def test_nothing_installed_is_no_fault(site: Site) -> None:
    plugins = site.load()
    assert ((), (), {}, {}) == (
        plugins.rows(),
        plugins.faults,
        plugins.report_sources(),
        plugins.commands(),
    )


def test_a_plug_in_is_found_and_listed_with_what_it_offers(site: Site) -> None:
    text = source("folder", "drawer") + (
        "\n@hookimpl\ndef hkex_ops_commands():\n"
        "    yield CommandOffer('tidy', 'desk_plugin:tidy', 'Tidy up.')\n"
    )
    site.add("desk-plugin", text, version="2.3")
    plugins = site.load()
    assert (
        LoadedPlugin(
            "desk_plugin",
            "desk-plugin",
            "2.3",
            ("report source folder", "report source drawer", "command tidy"),
            None,
        ),
    ) == plugins.rows()
    assert ["folder", "drawer"] == list(plugins.report_sources())
    assert "folder" == plugins.report_source("folder").name
    assert {"tidy": CommandOffer("tidy", "desk_plugin:tidy", "Tidy up.")} == plugins.commands()


def test_rows_stand_in_order_of_name_whoever_was_installed_first(site: Site) -> None:
    for name in ("zeta", "alpha", "midway"):
        site.add(f"{name}-plugin", source(name))
    plugins = site.load()
    assert ["alpha_plugin", "midway_plugin", "zeta_plugin"] == [row.name for row in plugins.rows()]
    assert ["alpha", "midway", "zeta"] == list(plugins.report_sources())


def test_a_plug_in_may_offer_nothing_at_all(site: Site) -> None:
    site.add("shy-plugin", "")
    assert (LoadedPlugin("shy_plugin", "shy-plugin", "1.0", (), None),) == site.load().rows()


def test_a_distribution_seen_on_two_paths_is_one_plug_in(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add("good-plugin", GOOD)
    monkeypatch.setattr(sys, "path", [str(site.folder), *sys.path])
    plugins = site.load()
    assert ["good-plugin"] == [row.distribution for row in plugins.rows()]
    assert () == plugins.faults


# -- what is wrong with one -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("import no_such_engine", "ModuleNotFoundError: No module named 'no_such_engine'"),
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def broken(:", "SyntaxError: "),
        (None, "ModuleNotFoundError: No module named 'bad_plugin'"),
    ],
    ids=["engine missing", "raises", "leaves the program", "syntax", "not there"],
)
def test_a_plug_in_that_cannot_be_imported_is_named_and_the_others_work_on(
    site: Site, text: str | None, fault: str
) -> None:
    site.add("bad-plugin", text)
    site.add("good-plugin", GOOD)
    plugins = site.load()
    [found] = plugins.faults
    assert ("bad_plugin", "bad-plugin", "") == (found.name, found.distribution, found.hook)
    assert found.message.startswith(f"cannot be imported: {fault}")
    assert ["folder"] == list(plugins.report_sources())
    assert str(found.error()).startswith("plug-in bad-plugin: cannot be imported: ")


def test_a_distribution_that_lost_its_metadata_bears_the_name_of_its_folder(site: Site) -> None:
    site.add("torn-plugin", source("torn"), version="2.0")
    site.add("good-plugin", GOOD)
    site.lose_metadata("torn-plugin", version="2.0")
    plugins = site.load()
    assert [("good-plugin", "1.0"), ("torn_plugin", "2.0")] == [
        (row.distribution, row.version) for row in plugins.rows()
    ]
    assert ((), ["folder", "torn"]) == (plugins.faults, list(plugins.report_sources()))


def test_one_that_lost_its_metadata_and_wants_what_another_has_is_named(site: Site) -> None:
    site.add("one-plugin", source("one"), entry_point="shared")
    site.add("two-plugin", source("two"), entry_point="shared")
    site.add("good-plugin", GOOD)
    site.lose_metadata("two-plugin")
    plugins = site.load()
    message = "entry point shared is claimed by one-plugin 1.0 and two_plugin 1.0: uninstall one"
    assert {message} == {fault.message for fault in plugins.faults}
    assert ["folder"] == list(plugins.report_sources())


def test_an_entry_point_that_names_nothing_in_its_module_is_a_fault(site: Site) -> None:
    site.add("bad-plugin", "", attribute=":Nothing")
    assert "AttributeError" in site.fault("bad-plugin")


@pytest.mark.parametrize(
    ("text", "hook_name", "message"),
    [
        (
            hook("return []", name="hkex_ops_report_source"),
            "hkex_ops_report_source",
            "there is no such hook; the nearest is hkex_ops_report_sources",
        ),
        (
            hook("return []", name="hkex_ops_comands", mark=""),
            "hkex_ops_comands",
            "there is no such hook; the nearest is hkex_ops_commands",
        ),
        (
            hook("return []", mark=""),
            SOURCE_HOOK,
            "lacks @hookimpl and would never be called",
        ),
        (
            f"{IMPORTS}\n@hookimpl\nasync def {SOURCE_HOOK}():\n    return []\n",
            SOURCE_HOOK,
            "is async, and a hook only offers: make it a plain def",
        ),
        (
            f"{IMPORTS}\n@hookimpl\nasync def {SOURCE_HOOK}():\n    yield 1\n",
            SOURCE_HOOK,
            "is async, and a hook only offers: make it a plain def",
        ),
    ],
    ids=["misspelt", "misspelt and unmarked", "unmarked", "async", "async generator"],
)
def test_a_hook_that_would_be_passed_over_in_silence_is_a_fault(
    site: Site, text: str, hook_name: str, message: str
) -> None:
    site.add("bad-plugin", text)
    site.add("good-plugin", GOOD)
    plugins = site.load()
    assert (PluginFault("bad_plugin", "bad-plugin", message, hook_name),) == plugins.faults
    assert f"{hook_name}: {message}" == plugins.rows()[0].fault
    assert ["folder"] == list(plugins.report_sources())


def test_every_wrong_hook_of_a_plug_in_is_told_at_once(site: Site) -> None:
    text = IMPORTS + (
        "def hkex_ops_commands(): return []\n@hookimpl\ndef hkex_ops_report_sourcs(): return []\n"
    )
    site.add("bad-plugin", text)
    assert ["hkex_ops_commands", "hkex_ops_report_sourcs"] == [
        fault.hook for fault in site.load().faults
    ]


def test_a_hook_that_wants_arguments_is_a_fault(site: Site) -> None:
    text = f"{IMPORTS}\n@hookimpl\ndef {SOURCE_HOOK}(settings):\n    return []\n"
    site.add("bad-plugin", text)
    site.add("good-plugin", GOOD)
    plugins = site.load()
    assert ["bad-plugin"] == [fault.distribution for fault in plugins.faults]
    assert "settings" in plugins.faults[0].message
    assert ["folder"] == list(plugins.report_sources())


def test_importing_the_specification_is_not_implementing_it(site: Site) -> None:
    site.add("shy-plugin", "from hkex_ops.hookspecs import *")
    assert () == site.load().faults


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return None", "failed with TypeError: 'NoneType' object is not iterable"),
        ("return Offer('bad', Options, never_opened)", "failed with TypeError: "),
        ("raise OSError('no licence file')", "failed with OSError: no licence file"),
        ("raise SystemExit(3)", "failed with SystemExit: 3"),
        ("return ['folder']", "returned str, which is no offer"),
        ("return [Offer]", "returned type, which is no offer"),
        ("return [None]", "returned NoneType, which is no offer"),
        (
            "return [CommandOffer('bad', 'a:b', 'c')]",
            "returned CommandOffer, which is no offer",
        ),
        (
            "return [Offer(['bad'], Options, never_opened)]",
            "the name of an Offer is ['bad'], and must be a text that says something",
        ),
        (
            "return [Offer('bad', object, never_opened)]",
            "offer bad takes <class 'object'> as its options: give an attrs class",
        ),
        (
            "return [CommandOffer(None, 'a:b', 'c')]",
            "the name of a CommandOffer is None, and must be a text that says something",
        ),
    ],
)
def test_a_hook_that_answers_with_something_else_is_a_fault(
    site: Site, body: str, message: str
) -> None:
    site.add("bad-plugin", hook(body))
    site.add("good-plugin", GOOD)
    plugins = site.load()
    [fault] = plugins.faults
    assert ("bad-plugin", SOURCE_HOOK) == (fault.distribution, fault.hook)
    assert fault.message.startswith(message)
    assert ["folder"] == list(plugins.report_sources())


def test_a_hook_that_fails_midway_offers_nothing(site: Site) -> None:
    """Half an answer might lack the very thing that makes the first half work."""
    body = "yield Offer('first', Options, never_opened); raise OSError('second')"
    site.add("bad-plugin", hook(body))
    plugins = site.load()
    assert {} == plugins.report_sources()
    assert ["failed with OSError: second"] == [fault.message for fault in plugins.faults]


def test_a_wrong_answer_among_good_ones_costs_only_itself(site: Site) -> None:
    site.add("bad-plugin", hook("return ['x', Offer('folder', Options, never_opened)]"))
    plugins = site.load()
    assert ["folder"] == list(plugins.report_sources())
    [row] = plugins.rows()
    assert ("report source folder",) == row.offers
    assert f"{SOURCE_HOOK}: returned str, which is no offer" == row.fault


# -- two that want the same -----------------------------------------------------------------------


def test_two_distributions_with_one_entry_point_name_are_both_refused(site: Site) -> None:
    site.add("one-plugin", source("one"), entry_point="shared")
    site.add("two-plugin", source("two"), entry_point="shared", version="2.0")
    site.add("good-plugin", GOOD)
    plugins = site.load()
    message = "entry point shared is claimed by one-plugin 1.0 and two-plugin 2.0: uninstall one"
    assert (
        PluginFault("shared", "one-plugin", message),
        PluginFault("shared", "two-plugin", message),
    ) == plugins.faults
    assert ["folder"] == list(plugins.report_sources())


def test_two_offers_of_one_name_are_both_refused_and_neither_wins_by_order(site: Site) -> None:
    site.add("a-plugin", source("folder", "only-a"))
    site.add("b-plugin", source("folder"))
    plugins = site.load()
    message = "report source folder is offered by a-plugin and b-plugin: uninstall or block one"
    assert (
        PluginFault("a_plugin", "a-plugin", message, SOURCE_HOOK),
        PluginFault("b_plugin", "b-plugin", message, SOURCE_HOOK),
    ) == plugins.faults
    assert ["only-a"] == list(plugins.report_sources())


def test_a_third_offer_of_the_same_name_does_not_slip_through(site: Site) -> None:
    for name in ("a-plugin", "b-plugin", "c-plugin"):
        site.add(name, GOOD)
    plugins = site.load()
    assert {} == plugins.report_sources()
    assert {"a-plugin", "b-plugin", "c-plugin"} == {fault.distribution for fault in plugins.faults}


def test_a_report_source_and_a_command_may_share_a_name(site: Site) -> None:
    site.add("a-plugin", source("folder"))
    commands = hook("return [CommandOffer('folder', 'm:f', 'h')]", name="hkex_ops_commands")
    site.add("b-plugin", commands)
    plugins = site.load()
    assert () == plugins.faults
    assert (["folder"], ["folder"]) == (list(plugins.report_sources()), list(plugins.commands()))


def test_one_module_is_not_loaded_under_two_names(site: Site) -> None:
    site.add("a-plugin", source("folder"))
    site.add("b-plugin", None, module="a_plugin")
    plugins = site.load()
    message = "loads what entry point a_plugin of a-plugin loads already: keep one of the two"
    assert (PluginFault("b_plugin", "b-plugin", message),) == plugins.faults
    assert ["folder"] == list(plugins.report_sources())


# -- blocked --------------------------------------------------------------------------------------


def test_a_blocked_plug_in_is_not_even_imported_and_is_listed_as_blocked(site: Site) -> None:
    site.add("bad-plugin", "raise RuntimeError('was imported')")
    site.add("good-plugin", GOOD)
    plugins = site.load(block=["bad_plugin"])
    assert () == plugins.faults
    assert "blocked by configuration" == plugins.rows()[0].fault
    assert ["folder"] == list(plugins.report_sources())


@pytest.mark.parametrize(
    ("name", "hint"),
    [("good_plugni", "did you mean 'good_plugin'?"), ("zzz", "installed: good_plugin")],
)
def test_a_name_to_block_that_nobody_bears_is_told_and_has_a_row(
    site: Site, name: str, hint: str
) -> None:
    site.add("good-plugin", GOOD)
    plugins = site.load(block=[name])
    message = f"is blocked by the configuration and is not installed; {hint}"
    assert (PluginFault(name, name, message),) == plugins.faults
    assert {"good_plugin": None, name: message} == {row.name: row.fault for row in plugins.rows()}
    assert ["folder"] == list(plugins.report_sources())


def test_blocking_one_of_two_offers_of_a_name_settles_it(site: Site) -> None:
    site.add("a-plugin", GOOD)
    site.add("b-plugin", GOOD)
    plugins = site.load(block=["a_plugin"])
    assert () == plugins.faults
    assert [(), ("report source folder",)] == [row.offers for row in plugins.rows()]


# -- asked for by name ----------------------------------------------------------------------------


def test_a_source_that_nobody_offers_is_the_operators_to_mend(site: Site) -> None:
    site.add("good-plugin", source("folder", "drawer"))
    with pytest.raises(ConfigError) as raised:
        site.load().report_source("sftp")
    expected = "report source sftp is not on offer; on offer: drawer, folder"
    assert expected == str(raised.value)


def test_with_nothing_installed_the_operator_is_told_what_to_install(site: Site) -> None:
    with pytest.raises(ConfigError, match="install a plug-in such as hkex-ops-sftp"):
        site.load().report_source("sftp")


def test_a_source_that_a_broken_plug_in_may_have_offered_is_its_authors_to_mend(site: Site) -> None:
    site.add("bad-plugin", "import no_such_engine")
    site.add("good-plugin", GOOD)
    plugins = site.load()
    with pytest.raises(PluginError) as raised:
        plugins.report_source("sftp")
    assert "bad-plugin" == raised.value.distribution
    assert "report source sftp is not on offer, perhaps because of this: " in str(raised.value)
    assert "folder" == plugins.report_source("folder").name


def test_every_plug_in_that_may_have_offered_it_is_named(site: Site) -> None:
    site.add("a-plugin", "import no_such_engine")
    site.add("b-plugin", hook("raise OSError('no licence file')"))
    site.add("c-plugin", hook("return []", name="hkex_ops_prob"))
    with pytest.raises(PluginError) as raised:
        site.load().report_source("sftp")
    assert "a-plugin, c-plugin, b-plugin" == raised.value.distribution
    for told in ("no_such_engine", "no licence file", "there is no such hook"):
        assert told in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [hook("raise OSError('no licence file')", name="hkex_ops_probes"), GOOD],
    ids=["the fault of another hook", "none"],
)
def test_a_plug_in_that_could_not_have_offered_it_is_not_blamed(site: Site, text: str) -> None:
    site.add("a-plugin", text)
    with pytest.raises(ConfigError, match="report source sftp is not on offer; on offer: "):
        site.load(block=["misspelt"]).report_source("sftp")


# -- commands -------------------------------------------------------------------------------------

COMMAND = hook(
    "return [CommandOffer('tidy', 'tidy_command:run', 'Tidy up.')]", name="hkex_ops_commands"
)


def test_a_command_is_imported_only_when_it_is_required(site: Site) -> None:
    site.add("tidy-plugin", COMMAND)
    plugins = site.load()
    assert ((), ["tidy"]) == (plugins.faults, list(plugins.commands()))
    with pytest.raises(PluginError) as raised:
        plugins.require_command("tidy")
    assert ("tidy-plugin", "hkex_ops_commands") == (raised.value.distribution, raised.value.hook)
    assert "command tidy cannot be imported: ModuleNotFoundError" in str(raised.value)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "AttributeError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_command_that_cannot_be_imported_is_its_plug_ins_fault(
    site: Site, text: str, fault: str
) -> None:
    site.add("tidy-plugin", COMMAND)
    (site.folder / "tidy_command.py").write_text(text, encoding="utf-8")
    site.modules.append("tidy_command")
    with pytest.raises(PluginError, match=fault):
        site.load().require_command("tidy")


def test_a_command_that_can_be_imported_is_required_in_silence(site: Site) -> None:
    site.add("tidy-plugin", COMMAND)
    (site.folder / "tidy_command.py").write_text("def run(): ...", encoding="utf-8")
    site.modules.append("tidy_command")
    site.load().require_command("tidy")
