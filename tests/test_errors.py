"""Errors are sorted by who must act, and each says what there is to know in one sentence."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import datetime

import pytest

from hkex_ops import HONG_KONG, errors
from hkex_ops.errors import (
    ConfigError,
    Denied,
    Fault,
    HkexOpsError,
    HostKeyMismatch,
    PluginError,
    StoreError,
    WireError,
)

INDENT = 4
BRANCHES = "│├└─"


def drawn() -> Iterator[tuple[str, str]]:
    """Every (class, class above it) of the tree that the module's docstring draws."""
    above: list[str] = []
    _, tree = inspect.cleandoc(errors.__doc__ or "").split("::\n\n")
    for line in tree.split("\n\n")[0].splitlines():
        bare = line.translate(dict.fromkeys(map(ord, BRANCHES), " "))
        name = bare.split()[0]
        depth = (len(bare) - len(bare.lstrip())) // INDENT - 1
        above = [*above[:depth], name]
        yield name, above[-2] if depth else "Exception"


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    defined = {
        name: kind.__base__.__name__
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, Exception) and kind.__base__ is not None
    }
    assert dict(drawn()) == defined


def test_every_error_is_public() -> None:
    assert {name for name, _ in drawn()} == set(errors.__all__) - {"Fault"}


@pytest.mark.parametrize("name", [name for name, _ in drawn()])
def test_every_error_has_the_one_root_and_says_who_it_is_for(name: str) -> None:
    kind = getattr(errors, name)
    assert issubclass(kind, HkexOpsError)
    assert inspect.getdoc(kind)


def test_a_fault_names_its_place_and_a_fault_of_the_whole_document_none() -> None:
    fault = Fault("sessions[1].window.from", "is missing")
    assert "sessions[1].window.from: is missing" == str(fault)
    assert "is not TOML" == str(Fault("", "is not TOML"))


def test_a_single_fault_is_one_line_with_its_document() -> None:
    error = ConfigError(Fault("archive.folder", "is missing"), document="desk.toml")
    assert "desk.toml: archive.folder: is missing" == str(error)
    assert (Fault("archive.folder", "is missing"),) == error.faults


def test_a_sentence_is_a_fault_of_the_whole_document() -> None:
    error = ConfigError("there is no configuration at desk.toml")
    assert (Fault("", "there is no configuration at desk.toml"),) == error.faults
    assert "there is no configuration at desk.toml" == str(error)


def test_every_fault_is_listed_in_the_order_given() -> None:
    faults = [Fault("a", "is missing"), Fault("b[0].c", "must be a text, not a list")]
    error = ConfigError(iter(faults), document="desk.toml")
    expected = "desk.toml: 2 faults\n  a: is missing\n  b[0].c: must be a text, not a list"
    assert expected == str(error)
    assert tuple(faults) == error.faults


def test_a_broken_contract_names_distribution_and_hook() -> None:
    with_hook = PluginError("is async", distribution="desk-mail", hook="hkex_ops_report_sources")
    assert "plug-in desk-mail, hook hkex_ops_report_sources: is async" == str(with_hook)
    assert ("desk-mail", "hkex_ops_report_sources") == (with_hook.distribution, with_hook.hook)
    without = PluginError("cannot be imported", distribution="desk-mail")
    assert "plug-in desk-mail: cannot be imported" == str(without)


def test_a_denial_gives_rule_source_and_end() -> None:
    until = datetime(2023, 4, 29, tzinfo=HONG_KONG)
    denied = Denied("renew-ssh-key", rule="should NOT renew", source="paper, (ii)", until=until)
    assert (
        "renew-ssh-key is denied until 2023-04-29T00:00:00+08:00: should NOT renew (paper, (ii))"
        == str(denied)
    )
    assert ("renew-ssh-key", "should NOT renew", "paper, (ii)", until) == (
        denied.action,
        denied.rule,
        denied.source,
        denied.until,
    )


def test_a_denial_without_an_end_says_so() -> None:
    denied = Denied("power-off", rule="must stay on", source="paper, 4.1", until=None)
    assert "power-off is denied with no end stated: must stay on (paper, 4.1)" == str(denied)


@pytest.mark.parametrize(
    ("expected", "error"),
    [
        ("too short (offset 12)", WireError("too short", offset=12)),
        (
            "too short (offset 12, message type 0, OMD-C 1.42)",
            WireError("too short", offset=12, message_type=0, spec="OMD-C 1.42"),
        ),
    ],
)
def test_wrong_bytes_are_placed(expected: str, error: WireError) -> None:
    assert expected == str(error)


def test_a_store_error_says_what_is_safe() -> None:
    assert "/archive: disk full" == str(StoreError("disk full", path="/archive"))
    error = StoreError("disk full", path="/archive", safe="nothing was lost")
    assert "/archive: disk full; nothing was lost" == str(error)
    assert ("/archive", "nothing was lost") == (error.path, error.safe)


@pytest.mark.parametrize(
    ("pinned", "expected"),
    [
        (["SHA256:aa", "SHA256:bb"], "pinned is SHA256:aa or SHA256:bb"),
        ([], "pinned is no key at all"),
    ],
)
def test_a_wrong_host_key_says_what_was_seen_and_what_was_expected(
    pinned: list[str], expected: str
) -> None:
    error = HostKeyMismatch("127.0.0.1", 10022, seen="SHA256:cc", expected=pinned)
    assert str(error).startswith(f"127.0.0.1 port 10022 showed host key SHA256:cc, {expected}: ")
    assert ("SHA256:cc", tuple(pinned)) == (error.seen, error.expected)
