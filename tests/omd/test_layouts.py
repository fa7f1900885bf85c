"""The layout tables: complete, contiguous, one per spec version, and refused when they are not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from importlib.resources import files
from typing import Any

import pytest

from hkex_ops.config.layouts import (
    DEFAULT_SPEC,
    SPECS,
    load_codec,
    load_layout,
    spec_on,
    structure_layout,
)
from hkex_ops.errors import ConfigError, UsageError
from hkex_ops.omd import KINDS, Codec, WireType, faults_of

OMD_C_SIZES = {
    10: 40, 11: 544, 13: 10, 14: 16, 20: 32, 21: 12, 22: 356, 23: 36, 30: 32, 31: 28, 32: 20,
    33: 28, 34: 20, 40: 12, 41: 20, 43: 20, 44: 12, 50: 32, 51: 12, 52: 36, 53: 12, 54: 12, 56: 20,
    60: 52, 61: 20, 62: 16, 70: 20, 71: 112, 80: 24, 81: 32, 100: 8, 101: 16, 102: 8, 105: 8,
    201: 16, 202: 16, 203: 8,
}  # fmt: skip

SIZES = {
    "omd-c-1.45": OMD_C_SIZES,
    "omd-c-2023-02": OMD_C_SIZES,
    "omd-c-2020-09": OMD_C_SIZES | {11: 464},
    "omd-cc-1.4": {
        100: 8, 101: 16, 102: 8, 105: 8, 201: 16, 202: 16, 203: 8,
        610: 40, 611: 220, 621: 20, 655: 40, 660: 52,
    },
}  # fmt: skip

every_spec = pytest.mark.parametrize("spec", SPECS)


@every_spec
def test_every_message_of_the_specification_has_a_layout_of_its_size(spec: str) -> None:
    layout = load_layout(spec)
    assert SIZES[spec] == {one.type: one.size_bytes for one in layout.messages}
    assert spec == layout.spec


@every_spec
def test_fields_follow_each_other_without_gap_or_overlap(spec: str) -> None:
    """Read once more from the file, by addition alone."""
    text = files("hkex_ops.omd").joinpath("data", f"{spec}.json").read_text(encoding="utf-8")
    for message in json.loads(text)["messages"]:
        lengths = [one["length_bytes"] for one in message["fields"]]
        offsets = [one["offset"] for one in message["fields"]]
        assert [4 + sum(lengths[:index]) for index in range(len(lengths))] == offsets
        assert 4 + sum(lengths) == message["size_bytes"]
        for group in message.get("groups", []):
            strides = [one["length_bytes"] for one in group["fields"]]
            assert sum(strides) == group["stride_bytes"]
    assert [] == list(faults_of(load_layout(spec)))


@every_spec
def test_each_layout_has_a_tuple_of_its_fields(spec: str) -> None:
    codec = load_codec(spec)
    for layout in codec.layout.messages:
        kind = codec.kinds[layout.type]
        assert (*layout.field_names, "tail") == kind._fields
        assert layout.type == kind.TYPE  # type: ignore[union-attr]


def test_every_kind_is_a_message_of_some_version() -> None:
    named = {one.kind for spec in SPECS for one in load_layout(spec).messages}
    assert set(KINDS) == named


@every_spec
def test_the_name_of_a_field_says_its_scale_and_its_form(spec: str) -> None:
    endings = {
        WireType.ASCII: "_ascii",
        WireType.UTF16LE: "_utf16",
        WireType.TEXT: "_raw",
    }
    for message in load_layout(spec).messages:
        for one in message.fields:
            if one.type in endings:
                assert one.field.endswith(endings[one.type])
            if one.decimals is not None:
                assert f"_{one.decimals}dp" in one.field
            if one.decimals_from:
                assert one.field.endswith("_unscaled")
            assert (one.null is not None) == one.field.endswith("_int64")
            assert one.unit.startswith("ns") == one.field.endswith("_ns")


def test_trade_times_were_whole_seconds_until_march_2023() -> None:
    precisions = {
        spec: [
            one.precision
            for one in load_layout(spec).message(50).fields
            if one.field == "trade_time_ns"
        ]
        for spec in SPECS
        if spec.startswith("omd-c-")
    }
    assert {
        "omd-c-1.45": ["1 us"],
        "omd-c-2023-02": ["1 s"],
        "omd-c-2020-09": ["1 s"],
    } == precisions


def test_session_statuses_were_others_until_october_2020() -> None:
    """Halted was 1 and is 10; random matching in the pre-opening did not exist."""

    def terms(spec: str, name: str) -> set[str]:
        [one] = [one for one in load_layout(spec).message(20).fields if one.name == name]
        return set(one.terms)

    assert {"0", "1", "2", "3", "5", "100"} == terms("omd-c-2020-09", "TradingSesStatus")
    assert {"0", "10", "20", "30", "40", "50", "100"} == terms("omd-c-1.45", "TradingSesStatus")
    gone = terms("omd-c-1.45", "TradingSessionSubID") - terms(
        "omd-c-2020-09", "TradingSessionSubID"
    )
    assert {"108"} == gone


@pytest.mark.parametrize(
    ("day", "spec"),
    [
        (date(2018, 4, 30), "omd-c-2020-09"),
        (date(2020, 10, 18), "omd-c-2020-09"),
        (date(2020, 10, 19), "omd-c-2023-02"),
        (date(2023, 3, 19), "omd-c-2023-02"),
        (date(2023, 3, 20), "omd-c-1.45"),
        (date(2026, 11, 17), "omd-c-1.45"),
    ],
)
def test_a_day_has_the_layout_of_its_time(day: date, spec: str) -> None:
    assert spec == spec_on(day)


def test_a_day_before_the_oldest_layout_has_none() -> None:
    with pytest.raises(UsageError, match="no layout of 2018-04-29 is known"):
        spec_on(date(2018, 4, 29))


def test_an_unknown_specification_is_named_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"'omd-c-1.45x'; did you mean 'omd-c-1\.45'"):
        load_layout("omd-c-1.45x")
    assert "omd-c-1.45" == load_codec().spec == DEFAULT_SPEC


def test_an_unknown_type_has_no_layout() -> None:
    with pytest.raises(UsageError, match=r"omd-cc-1\.4 has no message of type 50"):
        load_layout("omd-cc-1.4").message(50)


def trade_table() -> dict[str, Any]:
    """A table of one message with a group, to be broken."""
    number = {"length_bytes": 4, "type": "uint32"}
    return {
        "spec": "own",
        "title": "",
        "first_day": None,
        "last_day": None,
        "remark": "",
        "messages": [
            {
                "type": 13,
                "name": "LiquidityProvider",
                "kind": "LiquidityProvider",
                "size_bytes": 10,
                "fields": [
                    {"offset": 4, "name": "SecurityCode", "field": "security_code", **number},
                    {"offset": 8, "length_bytes": 2, "type": "uint16", "name": "NoProviders"},
                ],
                "groups": [
                    {
                        "name": "Providers",
                        "field": "broker_numbers",
                        "count": "NoProviders",
                        "start": 10,
                        "stride_bytes": 2,
                        "fields": [
                            {
                                "offset": 0,
                                "length_bytes": 2,
                                "type": "uint16",
                                "name": "Broker",
                                "field": "broker_number",
                            }
                        ],
                    }
                ],
            }
        ],
    }


def test_a_table_without_faults_is_taken() -> None:
    layout = structure_layout(json.dumps(trade_table()), document="own.json")
    assert ("security_code", "broker_numbers") == layout.message(13).field_names


Break = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (lambda m: m["fields"][1].update(offset=9), "messages[0].fields[1].offset: must be 8"),
        (lambda m: m["fields"][0].update(length_bytes=3), "fields[0].length_bytes: must be 4"),
        (lambda m: m.update(size_bytes=12), "messages[0].fields: end at 10, and the size is 12"),
        (lambda m: m["groups"][0].update(stride_bytes=4), "groups[0].fields: end at 2"),
        (lambda m: m["groups"][0].update(start=9), "groups[0].start: must lie between two fields"),
        (lambda m: m["groups"][0].update(count="No"), "groups[0].count: must name a field"),
        (lambda m: m["fields"][1].update(field="security_code"), "two fields of the tuple"),
        (lambda m: m["fields"][1].update(type="uint15"), "fields[1].type"),
        (lambda m: m.update(sise_bytes=1), "sise_bytes"),
    ],
)
def test_a_table_with_a_fault_is_refused_with_its_place(broken: Break, fault: str) -> None:
    table = trade_table()
    broken(table["messages"][0])
    with pytest.raises(ConfigError) as caught:
        structure_layout(json.dumps(table), document="own.json")
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("text", "fault"), [("{", "is not JSON"), ("[]", "must be a table"), ("{}", "is missing")]
)
def test_what_is_no_table_is_refused(text: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        structure_layout(text, document="own.json")


def test_a_table_and_a_tuple_that_differ_make_no_codec() -> None:
    table = trade_table()
    table["messages"][0]["fields"][0]["field"] = "code"
    layout = structure_layout(json.dumps(table), document="own.json")
    with pytest.raises(UsageError, match="the fields of LiquidityProvider are"):
        Codec(layout)
