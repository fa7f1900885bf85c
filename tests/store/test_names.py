"""A name from a server is hostile until judged."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from hkex_ops.flows.store.names import LONGEST_NAME_BYTES, refusal, versioned


@pytest.mark.parametrize(
    "name",
    [
        "TP001_20230414.csv",
        "rpf______-_____-__-_____-230414.lis",
        "P-PBNK-XXX-20230414-000000_REP00019 - Overnight Cover Distribution.PDF",
        "RPF_230414.zip",
        "交易報告.txt",
        "report.v1",
        "report.V2",
        "a",
        "~",
        "-rf",
        "x" * LONGEST_NAME_BYTES,
    ],
)
def test_a_name_of_the_field_is_accepted(name: str) -> None:
    assert refusal(name) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "is empty"),
        (".", "begins with a dot"),
        ("..", "begins with a dot"),
        (".hidden", "begins with a dot"),
        ("../../etc/passwd", "separator /"),
        ("/etc/passwd", "separator /"),
        ("a/b", "separator /"),
        ("a\\b", "separator \\"),
        ("a\0b", r"control character ('\x00')"),
        ("a\nb", r"control character ('\n')"),
        ("a\x1b[2Jb", r"control character ('\x1b')"),
        ("a\x85b", r"control character ('\x85')"),
        ("invoice\u202efdp.exe", r"invisible formatting character ('\u202e')"),
        ("a\u2028b", r"line separator ('\u2028')"),
        ("a\udcffb", r"bytes that are not UTF-8 ('\udcff')"),
        ("x" * (LONGEST_NAME_BYTES + 1), "longer than 249 bytes"),
        ("報" * 84, "longer than 249 bytes"),
        ("TP001.csv.v2", "ends in .v2"),
        ("TP001.csv.v10", "ends in .v10"),
    ],
)
def test_a_hostile_name_is_refused_with_its_reason(name: str, said: str) -> None:
    reason = refusal(name)
    assert reason is not None
    assert said in reason


@given(st.text(max_size=30), st.integers(1, 9999))
def test_an_accepted_name_stays_in_its_folder_in_every_version(name: str, version: int) -> None:
    if refusal(name) is None:
        path = Path("/archive") / versioned(name, version)
        assert "/archive" == str(path.parent)
        assert len(path.name.encode()) <= 255


@given(st.text(max_size=10), st.text(max_size=10), st.integers(1, 12), st.integers(1, 12))
def test_no_two_names_share_a_file_in_any_version(
    one: str, other: str, version: int, another: int
) -> None:
    if one != other and refusal(one) is None and refusal(other) is None:
        assert versioned(one, version) != versioned(other, another)
