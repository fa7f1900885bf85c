"""A plug-in that is wrong or absent costs only the command that needs it, and is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from hkex_ops import log
from tests.cli.desk import FRIDAY, Desk
from tests.cli.folder_source import install
from tests.cli.program import Ended, Program, require_refused
from tests.wheel import CHECKOUT

HOOK = "from hkex_ops.hookspecs import hookimpl\n"
OFFERS_FOLDER = "from tests.cli.folder_source import hkex_ops_report_sources\n"
OFFERS_COMMAND = (
    HOOK
    + "from hkex_ops.ports import CommandOffer\n@hookimpl\ndef hkex_ops_commands():\n"
    + "    return [CommandOffer('greet', 'greeting:greet', 'Greet')]\n"
)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "more"


def seeing(program: Program, site: Path) -> Program:
    return attrs.evolve(program, path=(*program.path, site))


def fault_of(program: Program, distribution: str) -> str:
    """What ``plugins`` says is wrong; it exits 1."""
    ended = program.run("plugins", "--json")
    assert 1 == ended.code
    faults = {row["distribution"]: row["fault"] for row in ended.document["plugins"]}
    assert isinstance(faults[distribution], str)
    return str(faults[distribution])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nowhere\n", "cannot be imported: ModuleNotFoundError: No module named 'nowhere'"),
        ("raise SystemExit(3)\n", "cannot be imported: SystemExit: 3"),
        ("1 / 0\n", "cannot be imported: ZeroDivisionError"),
        ("def (\n", "cannot be imported: SyntaxError"),
        (
            HOOK + "@hookimpl\ndef hkex_ops_report_source():\n    return []\n",
            "there is no such hook; the nearest is hkex_ops_report_sources",
        ),
        (
            HOOK + "@hookimpl\nasync def hkex_ops_commands():\n    return []\n",
            "is async, and a hook only offers",
        ),
        (HOOK + "@hookimpl\ndef hkex_ops_commands():\n    1 / 0\n", "failed with ZeroDivision"),
        (HOOK + "@hookimpl\ndef hkex_ops_commands():\n    return [7]\n", "int, which is no offer"),
    ],
)
def test_a_broken_plugin_is_listed_and_everything_else_works(
    desk: Desk, site: Path, text: str, said: str
) -> None:
    install(site, "broken-one", text=text)
    desk.publish_day()
    desk = attrs.evolve(desk, program=seeing(desk.program, site))
    assert said in fault_of(desk.program, "broken-one")
    ended = desk.program.run(
        "reports", "fetch", "--config", desk.config, "--business-date", FRIDAY, "--json"
    )
    assert (0, 3) == (ended.code, len(ended.document["fetched"]))
    assert 0 == desk.program.run("--help").code


def test_whoever_works_through_adapters_logs_what_is_not_in_use(desk: Desk, site: Path) -> None:
    """One event for each fault, on stderr, and only for whoever wants every event."""
    install(site, "broken-adapter", text="1 / 0\n")
    words = ("reports", "fetch", "--config", desk.config, "--business-date", FRIDAY, "--json")
    desk.publish_day()
    program = seeing(desk.program, site)
    silent, told = program.here(*words), program.here(*words, "--verbose")
    assert "plugin_fault" not in silent.stderr
    [event] = [json.loads(line) for line in told.stderr.splitlines() if "plugin_fault" in line]
    assert ("warning", "broken-adapter", None) == (
        event["level"],
        event["distribution"],
        event["hook"],
    )
    assert "ZeroDivisionError" in event["message"]


def test_every_event_of_the_catalogue_is_told_somewhere() -> None:
    folders = (CHECKOUT / "src", *CHECKOUT.glob("plugins/*/src"))
    sources = [path.read_text("utf-8") for folder in folders for path in folder.rglob("*.py")]
    for name, value in vars(log).items():
        if isinstance(value, str) and name.isupper():
            assert value in log.EVENTS
            assert any(f"log.{name}," in text.replace(" ", "") for text in sources), name


def test_the_command_that_needs_a_broken_plugin_exits_6_and_names_it(
    desk: Desk, site: Path, tmp_path: Path
) -> None:
    install(site, "broken-one", text="import nowhere\n")
    alone = attrs.evolve(desk, program=attrs.evolve(desk.program, path=(site,)))
    for verb in ("fetch", "list", "drill"):
        require_refused(
            alone.reports(verb), 6, "PluginError", "report source folder", "broken-one", "nowhere"
        )
    assert not desk.archive.exists()


def test_two_distributions_with_one_name_are_both_refused_and_both_named(
    desk: Desk, site: Path
) -> None:
    install(site, "other-source", entry_point="folder_source", text=OFFERS_FOLDER)
    both = seeing(desk.program, site)
    for name in ("folder-source", "other-source"):
        fault = fault_of(both, name)
        assert "claimed by folder-source 1.0 and other-source 1.0: uninstall one" in fault
    ended = attrs.evolve(desk, program=both).reports("fetch")
    require_refused(ended, 6, "PluginError", "folder-source", "uninstall one")
    shown = both.run("plugins")
    assert (1, 2) == (shown.code, shown.words.count("FAULT entry point folder_source"))


def test_two_offers_of_one_name_are_both_refused_and_both_named(desk: Desk, site: Path) -> None:
    install(site, "other-source", text=OFFERS_FOLDER)
    both = seeing(desk.program, site)
    said = "report source folder is offered by folder-source and other-source: uninstall or block"
    assert said in fault_of(both, "other-source")
    desk = attrs.evolve(desk, program=both)
    require_refused(desk.reports("fetch"), 6, "PluginError", "uninstall or block one")
    desk.configure(more='[plugins]\nblock = ["other_source"]')
    desk.publish_day()
    assert 0 == desk.fetch().code


def test_a_blocked_plugin_is_listed_as_blocked_and_is_no_fault(desk: Desk, site: Path) -> None:
    install(site, "broken-one", text="import nowhere\n")
    desk.configure(more='[plugins]\nblock = ["broken_one"]')
    ended = seeing(desk.program, site).here("plugins", "--config", desk.config, "--json")
    assert 0 == ended.code
    faults = {row["distribution"]: row["fault"] for row in ended.document["plugins"]}
    assert {"folder-source": None, "broken-one": "blocked by configuration"} == faults


class TestCommandsOfPlugins:
    def test_a_command_of_a_plugin_runs_and_stands_in_the_help(
        self, program: Program, site: Path
    ) -> None:
        install(site, "greeting", module="greeting_plugin", text=OFFERS_COMMAND)
        (site / "greeting.py").write_text(
            "from hkex_ops.cli.answer import Answer\n"
            "def greet(*, json: bool = False) -> Answer:\n"
            "    return Answer({'said': '你好'}, lambda console: console.print('你好'))\n",
            encoding="utf-8",
        )
        greeted = seeing(program, site)
        assert "greet" in greeted.run("--help").stdout
        assert "你好\n" == greeted.run("greet").stdout
        assert {"said": "你好"} == greeted.run("greet", "--json").document

    @pytest.mark.parametrize(
        "text", [None, "import nowhere\n", "raise SystemExit(0)\n", "other = 1\n"]
    )
    def test_one_that_cannot_be_imported_exits_6_and_names_the_plugin(
        self, program: Program, site: Path, text: str | None
    ) -> None:
        install(site, "greeting", module="greeting_plugin", text=OFFERS_COMMAND)
        if text is not None:
            (site / "greeting.py").write_text(text, encoding="utf-8")
        greeted = seeing(program, site)
        for ended in (greeted.run("greet"), greeted.run("greet", "--json")):
            require_refused(ended, 6, "PluginError", "command greet", "plug-in greeting")
        assert 0 == greeted.run("--help").code


class TestRehearseWithoutItsPlugin:
    @pytest.mark.parametrize("run", [Program.run, Program.here], ids=["process", "here"])
    @pytest.mark.parametrize(
        "more", [[], ["--json"], ["--fault", "secondary-down", "--json"], ["--out", "somewhere"]]
    )
    def test_it_exits_6_and_says_which_plugin_to_install(
        self, program: Program, run: Callable[..., Ended], more: list[str]
    ) -> None:
        ended = run(program, "rehearse", "rrs-2023", *more)
        require_refused(ended, 6, "ConfigError", "install hkex-ops-simulator")
        assert ("--json" in more) == bool(ended.stdout)

    def test_where_its_plugin_is_broken_it_says_why(self, program: Program, site: Path) -> None:
        install(site, "hkex-ops-simulator", module="simulator_plugin", text="import nowhere\n")
        hiding = attrs.evolve(program, path=(site,), plugins=frozenset({"hkex-ops-simulator"}))
        ended = hiding.run("rehearse", "rrs-2023", "--json")
        require_refused(ended, 6, "PluginError", "hkex-ops-simulator", "nowhere")
