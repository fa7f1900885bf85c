"""The files of a bag are spelt as RFC 8493 says, and read back; what does not match is found."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from hkex_ops.errors import WireError
from hkex_ops.evidence import Finding, FindingKind, bag, digest

ONE, TWO = digest(b"1"), digest(b"2")

names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1)
paths = st.lists(names.filter(lambda name: name not in (".", "..")), min_size=1, max_size=3).map(
    lambda parts: "data/" + "/".join(parts)
)
manifests = st.dictionaries(paths, st.sampled_from([ONE, TWO]), max_size=5)


@given(manifests)
def test_a_manifest_reads_back_whatever_the_paths_contain(digests: dict[str, str]) -> None:
    assert digests == bag.parse_manifest(bag.format_manifest(digests))


def test_line_ends_and_percent_signs_and_only_those_are_encoded() -> None:
    expected = f"{ONE}  data/100%25 a\tb%0D%0A.csv\n".encode()
    assert expected == bag.format_manifest({"data/100% a\tb\r\n.csv": ONE})


def test_a_manifest_of_another_tool_is_read() -> None:
    text = f"{ONE.upper()} \tdata/b\r\n\r\n{TWO}  data/a%0d".encode()
    assert {"data/b": ONE, "data/a\r": TWO} == bag.parse_manifest(text)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("data/a", "not a line of digest and path"),
        (f"{ONE[:-1]}  data/a", "not a line of digest and path"),
        (f"{ONE}  data/a%20b", "'%20' encodes nothing"),
        (f"{ONE}  data/a%", "'%' encodes nothing"),
        (f"{ONE}  /etc/passwd", "leads out of the bag"),
        (f"{ONE}  ~user/x", "leads out of the bag"),
        (f"{ONE}  data/../../x", "leads out of the bag"),
        (f"{ONE}  data//x", "leads out of the bag"),
    ],
)
def test_a_line_that_is_no_entry_is_named_with_its_offset(line: str, said: str) -> None:
    before = f"{TWO}  data/é\n".encode()
    with pytest.raises(WireError, match=said) as caught:
        bag.parse_manifest(before + line.encode())
    assert len(before) == caught.value.offset


def test_a_path_listed_twice_is_refused() -> None:
    with pytest.raises(WireError, match="lists data/a twice"):
        bag.parse_manifest(f"{ONE}  data/a\n{TWO}  data/a\n".encode())


def test_bytes_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(WireError, match="UTF-8"):
        bag.parse_manifest(ONE.encode() + b"  data/\xff\n")


def test_no_manifest_is_written_that_leads_out_of_the_bag() -> None:
    with pytest.raises(WireError, match="leads out"):
        bag.format_manifest({"data/../x": ONE})


labels = st.text("ABCabc-", min_size=1).filter(lambda label: label == label.strip())
values = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])).map(str.strip)


@given(st.lists(st.tuples(labels, values), max_size=5))
def test_a_description_reads_back(entries: list[tuple[str, str]]) -> None:
    assert tuple(entries) == bag.parse_info(bag.format_info(entries))


def test_a_continued_line_is_joined() -> None:
    text = b"Source-Organization: Clearing\n  Operations\r\n\tDesk\nExternal-Identifier: x\n"
    expected = (
        ("Source-Organization", "Clearing Operations Desk"),
        ("External-Identifier", "x"),
    )
    assert expected == bag.parse_info(text)


@pytest.mark.parametrize("text", [b"no colon here\n", b": value\n", b" Label: value\n"])
def test_a_line_without_label_is_refused(text: bytes) -> None:
    with pytest.raises(WireError, match="label and value"):
        bag.parse_info(text)


@pytest.mark.parametrize("value", ["two\nlines", "two\rlines", " padded"])
def test_a_value_that_would_read_back_as_another_is_not_written(value: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        bag.format_info([("External-Identifier", value)])


@pytest.mark.parametrize("label", ["", "a:b", " a", "a\n"])
def test_a_label_that_would_read_back_as_another_is_not_written(label: str) -> None:
    with pytest.raises(ValueError, match="cannot be a label"):
        bag.format_info([(label, "value")])


def test_the_oxum_counts_bytes_and_files() -> None:
    assert "30.2" == bag.format_oxum([10, 20])


def test_digests_that_agree_give_no_finding() -> None:
    assert () == bag.judge({"data/a": ONE}, {"data/a": ONE}, by="manifest-sha256.txt")


def test_changed_missing_and_added_files_are_told_apart() -> None:
    expected = {"data/changed": ONE, "data/missing": ONE, "data/same": ONE}
    found = {"data/added": ONE, "data/changed": TWO, "data/same": ONE}
    by = "manifest-sha256.txt"
    assert (
        Finding(FindingKind.ADDED, "data/added", f"is there and not listed in {by}"),
        Finding(
            FindingKind.CHANGED,
            "data/changed",
            f"is not what it was: its SHA-256 differs from the one in {by}",
        ),
        Finding(FindingKind.MISSING, "data/missing", f"is listed in {by} and not there"),
    ) == bag.judge(expected, found, by=by)
