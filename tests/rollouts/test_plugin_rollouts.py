"""More circulars by plug-in: used like the shipped ones, and a bad one costs only itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import ModuleType

import pytest

from hkex_ops.errors import PluginError, UsageError
from hkex_ops.flows.papers import Papers, load_papers
from hkex_ops.hookspecs import hookimpl
from hkex_ops.plugins import FoundPlugin, Plugins
from hkex_ops.ports import RolloutDocument
from tests.rollouts.papers import CALENDAR, TEXT

SECOND = TEXT.replace('id = "rrs-2023"', 'id = "rrs-2024"', 1)
GOOD = RolloutDocument("rrs-2024", SECOND)
BAD = RolloutDocument(
    "broken", SECOND.replace("(Saturday)", "(Sunday)", 3).replace("rrs-2024", "broken", 1)
)


def plugin(name: str, offer: Callable[[], Iterable[object]]) -> FoundPlugin:
    """An installed distribution whose module offers rollouts."""
    module = ModuleType(name)

    @hookimpl
    def hkex_ops_rollouts() -> Iterable[object]:
        return offer()

    module.hkex_ops_rollouts = hkex_ops_rollouts  # type: ignore[attr-defined]
    return FoundPlugin(name, name.replace("_", "-"), "1.0", lambda: module)


def load(*plugins: FoundPlugin) -> tuple[Papers, Plugins]:
    loaded = Plugins(plugins)
    return load_papers(CALENDAR, loaded), loaded


def faults(loaded: Plugins) -> list[tuple[str, str, str]]:
    return [(one.distribution, one.hook, one.message) for one in loaded.faults]


def test_a_plugins_rollout_stands_beside_the_shipped_ones() -> None:
    papers, loaded = load(plugin("more_papers", lambda: [GOOD]))
    assert {"rrs-2023", "rrs-2024"} <= papers.rollouts.keys()
    assert "rrs-2024" == papers.chosen("rrs-2024")[0].id
    assert ("rollout rrs-2024",) == loaded.rows()[0].offers
    assert [] == faults(loaded)


def test_a_faulty_one_names_its_distribution_and_every_fault_and_the_others_work_on() -> None:
    papers, loaded = load(plugin("more_papers", lambda: [BAD, GOOD]))
    assert "rrs-2024" in papers.rollouts
    assert "broken" not in papers.rollouts
    [(distribution, hook, message)] = faults(loaded)
    assert ("more-papers", "hkex_ops_rollouts") == (distribution, hook)
    assert message.startswith("rollout broken: sessions[0].window.from: 2023-04-15 is a Saturday")
    assert "; sessions[0].window.to: " in message
    assert ("rollout rrs-2024",) == loaded.rows()[0].offers


def test_asking_for_a_faulty_one_is_its_authors_fault_and_for_an_unknown_one_the_callers() -> None:
    papers, _ = load(plugin("more_papers", lambda: [BAD]))
    with pytest.raises(PluginError, match="plug-in more-papers, hook hkex_ops_rollouts"):
        papers.chosen("broken")
    with pytest.raises(UsageError, match="did you mean 'rrs-2023'"):
        papers.chosen("rrs-2033")


def test_the_id_of_a_shipped_rollout_is_taken() -> None:
    papers, loaded = load(plugin("more_papers", lambda: [RolloutDocument("rrs-2023", TEXT)]))
    assert 2023 == papers.rollouts["rrs-2023"].sessions[0].window.start.at.year  # type: ignore[union-attr]
    [(_, _, message)] = faults(loaded)
    assert "rollout rrs-2023: is known already" in message


def test_one_id_of_two_plugins_is_refused_to_both() -> None:
    papers, loaded = load(plugin("first", lambda: [GOOD]), plugin("second", lambda: [GOOD]))
    assert "rrs-2024" not in papers.rollouts
    message = "rollout rrs-2024 is offered by first and second: uninstall or block one"
    assert [("first", message), ("second", message)] == [
        (distribution, text) for distribution, _, text in faults(loaded)
    ]


def test_a_document_is_offered_under_the_id_that_its_text_says() -> None:
    papers, loaded = load(plugin("more_papers", lambda: [RolloutDocument("other", SECOND)]))
    assert not {"other", "rrs-2024"} & papers.rollouts.keys()
    [(_, _, message)] = faults(loaded)
    assert "its text says id = 'rrs-2024'" in message


@pytest.mark.parametrize(
    ("offered", "said"),
    [
        (lambda: ["rrs-2024"], "returned str, which is no offer"),
        (lambda: [RolloutDocument("rrs-2024", b"bytes")], "failed with TypeError"),  # type: ignore[arg-type]
        (lambda: [RolloutDocument("rrs-2024", "= no TOML")], "rollout rrs-2024: is not TOML"),
    ],
    ids=["no document", "no text", "no TOML"],
)
def test_what_is_no_rollout_is_a_fault_of_the_plugin(
    offered: Callable[[], Iterable[object]], said: str
) -> None:
    papers, loaded = load(plugin("more_papers", offered))
    assert "rrs-2024" not in papers.rollouts
    [(distribution, _, message)] = faults(loaded)
    assert "more-papers" == distribution
    assert said in message
