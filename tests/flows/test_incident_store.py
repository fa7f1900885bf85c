"""Logs of incidents on disk: chained, proven when read, one writer, and whole whoever is killed."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve

from hkex_ops.clock import ManualClock
from hkex_ops.errors import StoreError, UsageError
from hkex_ops.flows.incidents import IncidentStore, store as store_module
from hkex_ops.flows.incidents.spelling import KINDS
from hkex_ops.flows.incidents.store import CLOSED
from hkex_ops.flows.store.disk import Folder
from hkex_ops.flows.store.lock import Lock
from hkex_ops.incidents import (
    BeginContingency,
    Close,
    Content,
    Correct,
    Given,
    IncidentState,
    Note,
    OpenIncident,
    Recover,
    Reopen,
    TimeTold,
    parse_told,
)
from hkex_ops.model import Severity
from tests.incidents.day_of_2010 import DAY, at, log_of_2010
from tests.wheel import CHECKOUT

OPENING = OpenIncident("The index stopped", Severity.MAJOR, DAY)


def told(what: Content, when: str = "10:00", text: str = "words") -> Given:
    return Given(what, "duty desk", parse_told(when, DAY), text)


@pytest.fixture
def store(tmp_path: Path) -> IncidentStore:
    return IncidentStore(tmp_path, ManualClock(at(12)))


def lines(store: IncidentStore, id: str) -> list[bytes]:
    return (store.folder / id / "journal.jsonl").read_bytes().splitlines(keepends=True)


def rewrite(store: IncidentStore, id: str, kept: list[bytes]) -> None:
    (store.folder / id / "journal.jsonl").write_bytes(b"".join(kept))


# -- what is kept ----------------------------------------------------------------------------------


def test_what_was_entered_is_read_again_to_the_digit(store: IncidentStore) -> None:
    """Every kind of entry that the incident of 2010 has, and every time as it was told."""
    log = log_of_2010()
    clock = ManualClock(log.entries[0].recorded)
    store = IncidentStore(store.folder.parent, clock)
    opening, *others = log.entries
    id, _ = store.open(opening.given, "hsil")
    for entry in others:
        clock.turn_to(entry.recorded)
        with store.writing(id) as writer:
            writer.enter(entry.given)
    assert log.entries == store.read(id).entries
    assert {type(one.given.what) for one in log.entries} <= set(KINDS.values())


def test_an_incident_without_a_name_gets_its_day_and_a_number(store: IncidentStore) -> None:
    named = [store.open(told(OPENING))[0] for _ in range(2)]
    assert ["2010-01-22-1", "2010-01-22-2"] == named == list(store.ids())


def test_a_name_is_given_once(store: IncidentStore) -> None:
    store.open(told(OPENING), "one")
    with pytest.raises(UsageError, match="incident one is open already"):
        store.open(told(OPENING), "one")


@pytest.mark.parametrize("id", ["", "One", "../one", ".heads", "a b", "x" * 64, "one."])
def test_a_name_that_names_no_folder_is_refused(store: IncidentStore, id: str) -> None:
    with pytest.raises(UsageError, match="cannot name an incident"):
        store.open(told(OPENING), id)
    assert () == store.ids()


def test_an_unknown_incident_gets_no_folder(store: IncidentStore) -> None:
    store.open(told(OPENING), "one")
    with pytest.raises(UsageError, match="did you mean 'one'"), store.writing("onee"):
        pass
    assert not (store.folder / "onee").exists()


def test_what_is_refused_leaves_no_line(store: IncidentStore) -> None:
    store.open(told(OPENING), "one")
    with pytest.raises(UsageError, match="ahead of time"), store.writing("one") as w:
        w.enter(told(Note(), "12:01"))
    assert 1 == len(lines(store, "one"))


def test_states_and_numbers_are_the_journals(store: IncidentStore) -> None:
    store.open(told(OPENING), "one")
    with store.writing("one") as writer:
        writer.enter(told(BeginContingency()))
        writer.enter(told(Recover()))
    records = [json.loads(line) for line in lines(store, "one")]
    assert ["incident-opened", "contingency-begun", "service-recovered"] == [
        one["kind"] for one in records
    ]
    assert IncidentState.RECOVERED is store.read("one").view.state


def test_closed_ones_are_marked_and_a_mark_never_hides_an_open_one(store: IncidentStore) -> None:
    """A mark goes before the line that may open the incident again, and comes after the other."""
    store.open(told(OPENING), "one")
    store.open(told(OPENING), "two")
    seen: list[tuple[str, ...]] = []
    for what in (Close(), Correct(2, "a slip", withdrawn=True), Close(), Reopen(), Close(), Note()):
        given = told(what)
        with store.writing("one") as writer:
            writer.enter(evolve(given, when=None) if isinstance(what, Correct) else given)
        seen.append(store.open_ids())
        assert store.read("one").view.is_open == ("one" in seen[-1])
    both, other = ("one", "two"), ("two",)
    assert [other, both, other, both, other, other] == seen


def test_a_mark_that_nobody_set_costs_only_a_look(store: IncidentStore) -> None:
    """Killed between the line and the mark, the incident is read, and its log says that it is
    closed."""
    store.open(told(OPENING), "one")
    with store.writing("one") as writer:
        writer.enter(told(Close()))
    (store.folder / "one" / CLOSED).unlink()
    assert ("one",) == store.open_ids()
    assert not store.read("one").view.is_open


# -- damage ----------------------------------------------------------------------------------------


@pytest.fixture
def three(store: IncidentStore) -> IncidentStore:
    store.open(told(OPENING), "one")
    for text in ("first", "second"):
        with store.writing("one") as writer:
            writer.enter(told(Note(), text=text))
    return store


def test_a_changed_word_is_found(three: IncidentStore) -> None:
    rewrite(three, "one", [line.replace(b"first", b"fixed") for line in lines(three, "one")])
    with pytest.raises(StoreError, match="is damaged after entry 1"):
        three.read("one")


def test_a_line_taken_away_is_found(three: IncidentStore) -> None:
    kept = lines(three, "one")
    rewrite(three, "one", [kept[0], kept[2]])
    with pytest.raises(StoreError, match="is damaged after entry 1"):
        three.read("one")


def test_lines_cut_off_the_end_are_found(three: IncidentStore) -> None:
    """A chain alone cannot miss its own end; the head that lies elsewhere does."""
    rewrite(three, "one", lines(three, "one")[:-1])
    with pytest.raises(StoreError, match="ends before entry 3"):
        three.read("one")
    with pytest.raises(StoreError, match="ends before entry 3"), three.writing("one"):
        pass


def test_another_chain_in_its_place_is_found(three: IncidentStore) -> None:
    other = IncidentStore(three.folder.parent / "other", ManualClock(at(12)))
    other.open(told(OPENING), "one")
    for text in ("first", "altered"):
        with other.writing("one") as writer:
            writer.enter(told(Note(), text=text))
    rewrite(three, "one", lines(other, "one"))
    with pytest.raises(StoreError, match="entry 3 is another one"):
        three.read("one")


def test_half_a_line_is_dropped_by_the_next_writer_and_told(three: IncidentStore) -> None:
    path = three.folder / "one" / "journal.jsonl"
    path.write_bytes(path.read_bytes() + b'{"seq')
    assert 3 == len(three.read("one").entries)
    with three.writing("one") as writer:
        writer.enter(told(Note(), text="third"))
    found = three.read("one").entries
    assert [1, 2, 3, 4, 5] == [one.number for one in found]
    assert ["store", "third"] == [found[3].given.by, found[4].given.text]


def test_an_entry_of_a_later_version_is_said_to_be_unknown(three: IncidentStore) -> None:
    from hkex_ops.flows.journal import Journal

    with Journal.open(three.folder, "one", clock=ManualClock(at(12))) as journal:
        journal.record("foretold", {})
    with pytest.raises(StoreError, match="of a kind that this version does not know"):
        three.read("one")


# -- one writer ------------------------------------------------------------------------------------


def test_who_writes_is_named_to_whoever_waits_too_long(
    three: IncidentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_TRIES", 2)
    with Folder.open(three.folder / "one") as folder:
        lock = Lock(folder, at(12))
        try:
            with (
                pytest.raises(StoreError, match=r"incident one is in use by pid \d+ on .* since"),
                three.writing("one"),
            ):
                pass
        finally:
            lock.release()
    assert 3 == len(three.read("one").entries)


def test_reading_waits_for_nobody(three: IncidentStore) -> None:
    with three.writing("one") as writer:
        writer.enter(told(Note(), text="third"))
        assert 4 == len(three.read("one").entries)


# -- killed ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kills", [4, pytest.param(40, marks=pytest.mark.long)])
def test_whoever_is_killed_leaves_every_note_that_it_said_was_kept(
    store: IncidentStore, kills: int
) -> None:
    store.open(told(OPENING), "one")
    chance = random.Random(7)
    promised: list[str] = []
    for _ in range(kills):
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.flows.incident_child", store.folder.parent, "one"],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        with child.stdout:
            for _ in range(chance.randint(1, 12)):
                promised.append(f"note {child.stdout.readline().strip()}")
            child.kill()
            promised += [f"note {line.strip()}" for line in child.stdout]
        child.wait()
    entries = store.read("one").entries
    texts = [one.given.text for one in entries if isinstance(one.given.what, Note)]
    # What was promised is there, in order; of each killed one at most a note more.
    assert len(promised) <= len(texts) <= len(promised) + kills
    rest = iter(texts)
    assert all(one in rest for one in promised)
    with store.writing("one") as writer:
        writer.enter(Given(Note(), "desk", TimeTold.exactly(at(12)), "after"))
    assert "after" == store.read("one").entries[-1].given.text


def test_a_kill_between_the_line_and_the_head_is_no_damage(three: IncidentStore) -> None:
    head = three.folder / ".heads" / "one.json"
    before = head.read_bytes()
    with three.writing("one") as writer:
        writer.enter(told(Note(), text="third"))
    head.write_bytes(before)
    assert 4 == len(three.read("one").entries)
    with three.writing("one") as writer:
        writer.enter(told(Note(), text="fourth"))
    assert 5 == len(three.read("one").entries)


def test_time_does_not_matter_to_the_chain(three: IncidentStore) -> None:
    """Whoever writes with a clock that goes late is not refused: entries are numbered."""
    late = IncidentStore(three.folder.parent, ManualClock(at(12) - timedelta(hours=1)))
    with late.writing("one") as writer:
        writer.enter(told(Note(), "10:30", "late clock"))
    assert 4 == len(three.read("one").entries)
