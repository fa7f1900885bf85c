"""Whether a content is whole, by what it says itself: trailers, hash totals, control files."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, strategies as st

from hkex_ops.reports import (
    CheckForm,
    Columns,
    ContentCheck,
    ContentReader,
    Counted,
    HashTotal,
    content_fault,
)

# Type, amount with point and sign; the trailer has its count in 2 to 6 and its total in 7 to 24.
FIXED = ContentCheck(
    CheckForm.FIXED_LENGTH,
    header="0",
    detail="1",
    trailer="9",
    count=Columns(2, 6),
    totals=(HashTotal(Columns(2, 21), Columns(7, 24)),),
)
LINES = ContentCheck(CheckForm.LINES, states=r"END,(?P<count>\d+)", header_lines=1)
CONTROL = ContentCheck(
    CheckForm.CONTROL, states=r"N=(?P<count>\d+) B=(?P<size_bytes>\d+)", header_lines=1
)


def read(check: ContentCheck, data: bytes, pieces: int = 7) -> ContentReader:
    reader = ContentReader(check)
    for start in range(0, len(data), pieces):
        reader.feed(data[start : start + pieces])
    reader.end()
    return reader


def fault(check: ContentCheck, data: bytes, pieces: int = 7) -> str | None:
    return content_fault(check, {None: read(check, data, pieces)})


def fixed(amounts: list[int], *, count: int | None = None, total: int | None = None) -> bytes:
    def lines() -> Iterator[str]:
        yield "0HEADER"
        for amount in amounts:
            yield f"1{amount / 100:+020.2f}"
        summed = sum(abs(one) for one in amounts) % 10**18 if total is None else total
        yield f"9{len(amounts) if count is None else count:05}{summed:018}"

    return "".join(f"{line}\r\n" for line in lines()).encode()


@given(st.lists(st.integers(-(10**8), 10**8), max_size=20), st.integers(1, 50))
def test_a_whole_file_has_no_fault_however_it_comes(amounts: list[int], pieces: int) -> None:
    """Point and sign are ignored; bytes may come in any pieces."""
    assert fault(FIXED, fixed(amounts), pieces) is None


@given(st.lists(st.integers(1, 10**8), min_size=1, max_size=20), st.data())
def test_a_file_cut_anywhere_is_found(amounts: list[int], data: st.DataObject) -> None:
    """Whatever is cut off the end, the trailer goes with it or is no longer whole."""
    whole = fixed(amounts)
    place = data.draw(st.integers(0, len(whole) - 3))
    assert fault(FIXED, whole[:place]) is not None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (fixed([100, 250], count=3), "its trailer counts 00003 records, 2 are there"),
        (fixed([100, 250], total=351), "the hash total of columns 2 to 21 is 350, its trailer"),
        (fixed([])[7:], "has no control header at its beginning"),
        (fixed([1]) + b"1x\r\n", "has no control trailer at its end: it is cut short"),
        (fixed([1]) + fixed([1]), "has 2 control trailers, one is right"),
        (b"", "has no control trailer at its end: it is cut short"),
    ],
)
def test_a_mismatch_is_said_in_one_sentence(content: bytes, said: str) -> None:
    """Any mismatch: the whole file is discarded, and a person can read why."""
    assert said in (fault(FIXED, content) or "")


def test_a_hash_total_that_overflows_loses_its_leading_digit() -> None:
    """Eighteen digits and no more, as CCMS data files have it."""
    check = ContentCheck(
        CheckForm.FIXED_LENGTH,
        detail="1",
        trailer="9",
        totals=(HashTotal(Columns(2, 19), Columns(2, 19)),),
    )
    lines = [f"1{9 * 10**17:018}", f"1{3 * 10**17:018}", f"9{2 * 10**17:018}"]
    assert fault(check, "\n".join(lines).encode()) is None


def test_records_of_a_fixed_length_need_no_line_ends() -> None:
    """And a file that ends within one is cut short."""
    check = ContentCheck(
        CheckForm.FIXED_LENGTH, record_bytes=4, detail="1", trailer="9", count=Columns(2, 4)
    )
    assert fault(check, b"1abc1def9002") is None
    assert "ends within a record: 2 of 4 bytes" == fault(check, b"1abc1def900290")
    counting = ContentCheck(
        CheckForm.FIXED_LENGTH,
        record_bytes=4,
        detail="1",
        trailer="9",
        count=Columns(2, 4),
        counts=Counted.ALL,
    )
    assert fault(counting, b"1abc1def9003") is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n1,2\n3,4\nEND,2\n", None),
        (b"a,b\nEND,0", None),
        (b"a,b\n1,2\nEND,2\n", "its trailer counts 2 lines, 1 are there"),
        (b"a,b\n1,2\n", "has no trailer at its end: it is cut short"),
        (b"", "has no trailer at its end: it is cut short"),
    ],
)
def test_lines_are_held_against_their_trailer(content: bytes, said: str | None) -> None:
    """The first line is a heading and is not counted."""
    assert said == fault(LINES, content)


@pytest.mark.parametrize(
    ("control", "said"),
    [
        (b"N=2 B=12", None),
        (b"N=002 B=0012\n", None),
        (b"N=3 B=12", "its control file states count 3, the data file has 2"),
        (b"N=2 B=13", "its control file states size_bytes 13, the data file has 12"),
        (b"nothing", "its control file does not state what the catalogue says that it states"),
    ],
)
def test_a_control_file_speaks_of_its_data_file(control: bytes, said: str | None) -> None:
    """Count and size, leading noughts or not."""
    contents = {
        "control": read(CONTROL, control),
        "data": read(CONTROL, b"a,b\n1,2\n3,4\n"),
    }
    assert said == content_fault(CONTROL, contents)


def test_a_line_without_an_end_does_not_fill_the_memory() -> None:
    """A binary file under a text's name is told as what it is."""
    reader = ContentReader(LINES)
    for _ in range(40):
        reader.feed(b"x" * 65_536)
    reader.end()
    assert "has a line of more than" in (content_fault(LINES, {None: reader}) or "")


@pytest.mark.parametrize(
    ("check", "key"),
    [
        (ContentCheck(CheckForm.FIXED_LENGTH, detail="1", trailer="9"), "count"),
        (ContentCheck(CheckForm.FIXED_LENGTH, count=Columns(1, 2)), "trailer"),
        (ContentCheck(CheckForm.LINES, states="("), "states"),
        (ContentCheck(CheckForm.LINES, states="(?P<size_bytes>x)"), "states"),
        (ContentCheck(CheckForm.LINES, states="(?P<kount>x)"), "states"),
        (ContentCheck(CheckForm.CONTROL, states="(?P<count>x)", control="head"), "control"),
    ],
)
def test_a_check_that_can_find_nothing_is_a_fault(check: ContentCheck, key: str) -> None:
    """The place is named."""
    assert key in [place for place, _ in check.faults(("control", "data"))]
