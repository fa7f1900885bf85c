"""Golden bytes, one file per spec version: laid by hand, so that the codec is not its own witness.

Each file says how it was made. Every message type is there, groups empty and full, and one message
that is longer than its fields.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hkex_ops.config.layouts import SPECS, load_codec, load_layout

GOLDEN = Path(__file__).parent / "golden"


def vectors() -> Iterator[Any]:
    for spec in SPECS:
        document = json.loads((GOLDEN / f"{spec}.json").read_text(encoding="utf-8"))
        for index, vector in enumerate(document["messages"]):
            yield pytest.param(spec, vector, id=f"{spec}-{index}-{vector['name']}")


def plain(value: object) -> object:
    """As the files have it: bytes as hex, a group of one field as rows of one."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [
            [plain(one) for one in (row if isinstance(row, tuple) else (row,))] for row in value
        ]
    return value


@pytest.mark.parametrize(("spec", "vector"), list(vectors()))
def test_a_golden_message_reads_as_it_was_laid(spec: str, vector: dict[str, Any]) -> None:
    message = load_codec(spec).decode_message(bytes.fromhex(vector["bytes"]))
    *values, tail = tuple(message)
    assert [value for _, value in vector["fields"]] == [plain(value) for value in values]
    assert vector["tail"] == plain(tail)


@pytest.mark.parametrize(("spec", "vector"), list(vectors()))
def test_a_golden_message_is_written_as_it_was_laid(spec: str, vector: dict[str, Any]) -> None:
    codec = load_codec(spec)
    raw = bytes.fromhex(vector["bytes"])
    assert raw == codec.encode_message(codec.decode_message(raw))


@pytest.mark.parametrize("spec", SPECS)
def test_there_is_a_golden_message_of_every_type(spec: str) -> None:
    document = json.loads((GOLDEN / f"{spec}.json").read_text(encoding="utf-8"))
    assert "SYNTHETIC" in document["provenance"]
    assert {one.type for one in load_layout(spec).messages} == {
        vector["type"] for vector in document["messages"]
    }
