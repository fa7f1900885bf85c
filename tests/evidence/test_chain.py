"""Any record that was changed, removed, moved or slipped in is found, the last ones too."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs
import pytest
from hypothesis import given, strategies as st

from hkex_ops import HONG_KONG
from hkex_ops.evidence import (
    GENESIS,
    FindingKind,
    Head,
    Record,
    append,
    canonical,
    check,
    digest,
)
from hkex_ops.evidence.chain import format_record, parse_record

START = datetime(2023, 4, 15, 14, 30, tzinfo=HONG_KONG)

numbers = st.integers(0, 99)


def chain(values: list[int], head: Head = GENESIS) -> list[Record]:
    records: list[Record] = []
    for value in values:
        at = START + timedelta(seconds=len(records))
        records.append(append(head, at, "step-finished", {"value": value}))
        head = records[-1].head
    return records


chains = st.lists(numbers, min_size=1, max_size=8).map(chain)


def kinds(records: list[Record], head: Head) -> list[FindingKind]:
    return [finding.kind for finding in check(records, head)]


@given(chains)
def test_an_untouched_chain_has_no_finding(records: list[Record]) -> None:
    assert () == check(records, records[-1].head)


words = st.text(st.characters(exclude_categories=["Cs"]))
BODIES = st.dictionaries(words, words | numbers | st.none() | st.lists(words))


@given(words, BODIES)
def test_a_digest_is_that_of_everything_else_spelt_canonically(
    kind: str, body: dict[str, str | int | list[str] | None]
) -> None:
    """Whoever reads the ledger without this library can work it out; a spelling that the caller
    has already changes nothing."""
    record = append(GENESIS, START, kind, body)
    assert record.digest == digest(
        canonical(
            {
                "sequence": 1,
                "previous": GENESIS.digest,
                "at": START.isoformat(),
                "kind": kind,
                "body": body,
            }
        )
    )
    assert record == append(GENESIS, START, kind, body, spelt=canonical(body))


def test_the_empty_chain_ends_in_genesis() -> None:
    assert () == check([], GENESIS)


@given(chains, st.data())
def test_a_change_of_any_part_of_any_record_is_found(
    records: list[Record], data: st.DataObject
) -> None:
    head = records[-1].head
    place = data.draw(st.integers(0, len(records) - 1))
    record = records[place]
    changed = data.draw(
        st.sampled_from(
            [
                attrs.evolve(record, sequence=record.sequence + 1),
                attrs.evolve(record, sequence=-record.sequence),
                attrs.evolve(record, previous="f" * 64),
                attrs.evolve(record, at=START.replace(year=2024).isoformat()),
                attrs.evolve(record, kind="step-failed"),
                attrs.evolve(record, body={"value": -1}),
                attrs.evolve(record, digest="f" * 64),
            ]
        )
    )
    assert check([*records[:place], changed, *records[place + 1 :]], head)


@given(chains, st.data())
def test_a_removed_record_is_missing(records: list[Record], data: st.DataObject) -> None:
    head = records[-1].head
    place = data.draw(st.integers(0, len(records) - 1))
    assert [FindingKind.MISSING] == kinds([*records[:place], *records[place + 1 :]], head)


@given(chains, st.data())
def test_a_chain_cut_off_anywhere_is_found(records: list[Record], data: st.DataObject) -> None:
    kept = data.draw(st.integers(0, len(records) - 1))
    assert [FindingKind.MISSING] == kinds(records[:kept], records[-1].head)


@given(chains.filter(lambda records: len(records) > 1), st.data())
def test_another_order_is_found(records: list[Record], data: st.DataObject) -> None:
    moved = data.draw(st.permutations(records).filter(lambda order: order != records))
    assert FindingKind.REORDERED in kinds(moved, records[-1].head)


@given(chains, chains, st.data())
def test_a_foreign_record_is_found_wherever_it_is_slipped_in(
    records: list[Record], others: list[Record], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(records)))
    slipped = data.draw(st.sampled_from([*records, *others]))
    assert check([*records[:place], slipped, *records[place:]], records[-1].head)


@given(chains, st.data())
def test_a_forger_who_rewrites_all_that_follows_is_found_by_the_head(
    records: list[Record], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(records) - 1))
    before = records[place - 1].head if place else GENESIS
    forged = chain([100] * (len(records) - place), before)
    assert [FindingKind.CHANGED] == kinds([*records[:place], *forged], records[-1].head)


def test_records_beyond_the_head_are_found() -> None:
    records = chain([1, 2, 3])
    assert [FindingKind.ADDED] == kinds(records, records[1].head)


def test_a_finding_says_which_record_and_what_of_it() -> None:
    first, second, third = chain([1, 2, 3])
    changed = attrs.evolve(second, body={"value": 7})
    [finding] = check([first, changed, third], third.head)
    expected = "record 2: is not what it was when it was recorded: its digest differs"
    assert expected == str(finding)


def test_a_gap_is_one_finding_however_wide() -> None:
    records = chain([1, 2, 3, 4, 5])
    [finding] = check([records[0], records[4]], records[4].head)
    assert ("records 2 to 4", "are missing after record 1 (3)") == (finding.where, finding.message)


@given(chains)
def test_a_record_reads_back_from_its_line(records: list[Record]) -> None:
    assert records == [parse_record(format_record(record)) for record in records]


def test_a_line_with_more_or_less_in_it_is_no_record() -> None:
    line = format_record(chain([1])[0])
    for other in (
        line[:-1],
        line.replace(b'"kind"', b'"kinds"'),
        line.replace(b"}\n", b',"z":1}\n'),
        b"{}\n",
        b"\xff\n",
    ):
        with pytest.raises(ValueError, match=r"."):
            parse_record(other)


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no zone"):
        append(GENESIS, datetime(2023, 4, 15), "x", {})  # noqa: DTZ001 - the fault itself
