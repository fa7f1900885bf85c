"""A licensee's header into layouts: sizes as a compiler has them, faults with their lines."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given, settings, strategies as st
from oapi_benches import needs_compiler

from hkex_ops.cli.main import run
from hkex_ops.errors import ConfigError
from hkex_ops_oapi.headers import Codes, Converted, convert_header
from hkex_ops_oapi.layout_files import format_layouts, load_layouts, parse_layouts
from hkex_ops_oapi.layouts import Body, FieldKind, Items, LayoutField, faults_of
from hkex_ops_simulator.oapi.build import header_text

TINY = """
#ifndef TINY_H
#define TINY_H
#ifdef __cplusplus
extern "C" {
#endif
#pragma pack(1)
#define NAME_WIDTH 5
typedef struct series { uint8 country_c; uint16 commodity_n; int32 strike_price_i; } series_t;

/* CQ3, CQ4: two questions of one form. CQ5 is none of them. */
typedef struct enquiry { char module_c; char server_c; uint16 number_n; series_t series; } ask_t;

/* CA3 */
struct answer
{
    char module_c; char server_c; uint16 number_n;
    uint16 items_n;  // how many there are
    char filler_s [2];
    struct
    { char name_s [NAME_WIDTH * 2]; int64 held_q; char lines_s [2][4]; uint8 raw [3]; } item [10];
};
#ifdef __cplusplus
}
#endif
#endif
"""


def convert(text: str, **codes: dict[str, str]) -> Converted:
    told = Codes(codes.get("codes", {}), codes.get("named_structs", {}))
    return convert_header(text, document="tiny.h", codes=told)


def faults(text: str, **codes: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        convert(text, **codes)
    return [str(fault) for fault in caught.value.faults]


def test_a_header_becomes_records_with_offsets_and_kinds() -> None:
    records = convert(TINY).layouts.records
    assert ["enquiry", "answer"] == list(records)
    enquiry, answer = records["enquiry"], records["answer"]
    assert (("CQ3", "CQ4"), 11, Body.NONE) == (enquiry.codes, enquiry.size_bytes, enquiry.body)
    assert [
        LayoutField("module_c", 0, 1, FieldKind.CHARACTER),
        LayoutField("server_c", 1, 1, FieldKind.CHARACTER),
        LayoutField("number_n", 2, 2, FieldKind.UINT),
        LayoutField("series.country_c", 4, 1, FieldKind.UINT),
        LayoutField("series.commodity_n", 5, 2, FieldKind.UINT),
        LayoutField("series.strike_price_i", 7, 4, FieldKind.INT),
    ] == list(enquiry.fields)
    assert LayoutField("filler_s", 6, 2, FieldKind.FILLER) == answer.fields[-1]
    items = (
        LayoutField("name_s", 0, 10, FieldKind.TEXT),
        LayoutField("held_q", 10, 8, FieldKind.INT),
        LayoutField("lines_s", 18, 4, FieldKind.TEXT, lines=2),
        LayoutField("raw", 26, 3, FieldKind.BYTES),
    )
    assert (8, Body.ITEMS, Items("items_n", 29, items, 10)) == (
        answer.size_bytes,
        answer.body,
        answer.items,
    )


def test_what_the_header_does_not_say_a_file_of_codes_does() -> None:
    text = TINY.replace("/* CA3 */", "/* an answer */").replace("CQ3, CQ4:", "questions:")
    assert ["no record says which message it is: state that in a file of --codes"] == faults(text)
    told = convert(text, codes={"CQ3": "enquiry", "CA3": "answer"}, named_structs={"7": "series"})
    assert {"enquiry": ("CQ3",), "answer": ("CA3",), "series": ()} == {
        name: record.codes for name, record in told.layouts.records.items()
    }
    assert 7 == told.layouts.records["series"].named_struct


@pytest.mark.parametrize("length", ["", "1"])
def test_a_list_whose_length_is_left_open_is_as_long_as_its_counter_says(length: str) -> None:
    converted = convert(TINY.replace("item [10]", f"item [{length}]"))
    items = converted.layouts.records["answer"].items
    assert items is not None
    assert ("items_n", 0) == (items.count, items.most)
    (note,) = converted.notes
    assert note.startswith("answer has a list without a length")


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("/* CA3 */", ("CA3",)),
        ("/* CA3 */\n/* ======== */\n\n", ("CA3",)),
        ("// ---- CA3, CA4 ----\n", ("CA3", "CA4")),
        ("/*\n * CA3: continued like CQ9\n */", ("CA3",)),
        ("/* answer to positions (CA3) */", ("CA3",)),
        ("/* positions; a longer text that only mentions CA3 somewhere in its middle */", ()),
        ("/* answers, as in CA3 and CA4 */", ()),
        ("/* CA3 */ int other;", ()),
    ],
)
def test_the_comment_before_a_record_says_which_message_it_is(
    comment: str, expected: tuple[str, ...]
) -> None:
    records = convert(TINY.replace("/* CA3 */", comment)).layouts.records
    found = records["answer"].codes if "answer" in records else ()
    assert expected == found


def test_a_file_of_codes_that_names_nothing_is_a_fault() -> None:
    assert [
        "codes.CQ9: there is no record 'nothing' in tiny.h",
        "named_structs.x: no number, or no record 'series'",
    ] == faults(TINY, codes={"CQ9": "nothing"}, named_structs={"x": "series"})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("int64 held_q;", "long held_q;"), ["record answer: held_q is long, whose size"]),
        (("int64 held_q;", "double held_q;"), ["record answer: held_q is double, whose size"]),
        (("int64 held_q;", "char *held_q;"), ["record answer: held_q is a PtrDecl"]),
        (("uint16 items_n;", "uint16 count_n;"), ["record answer: no field called items_n"]),
        (("int64 held_q;", "unsigned held_q : 3;"), ["record answer: held_q is no whole field"]),
        (("int64 held_q;", "struct nowhere held_q;"), ["record answer: struct nowhere is nowhere"]),
        (("NAME_WIDTH * 2", "UNKNOWN"), ["record answer: the length of a list is no plain number"]),
        (("int64 held_q;", "int64 held_q"), ["line 21: is no C that can be read: before: char"]),
        (("#pragma pack(1)", "#if SIZE > 3\n#endif"), ["line 7: #if SIZE > 3 cannot be judged"]),
        (("// how many there are", "/* how many"), ["line 18: a comment has no end"]),
        (("#pragma pack(1)", "#if 1"), ["line 2: #if has no #endif"]),
        (
            ("#pragma pack(1)", "#endif\n#endif"),
            [f"line {line}: #endif without an #if" for line in (8, 27)],
        ),
        (("#pragma pack(1)", "#frobnicate"), ["line 7: #frobnicate is not known here"]),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_each_way_in_which_a_header_can_be_wrong_is_said(
    change: tuple[str, str], expected: list[str]
) -> None:
    found = faults(TINY.replace(*change))
    assert len(expected) == len(found), found
    assert all(told.startswith(said) for told, said in zip(found, expected, strict=True)), found


def test_what_no_person_can_see_is_noted() -> None:
    notes = convert(TINY.replace("#pragma pack(1)", "").replace("uint16 items_n", "uint32 items_n"))
    assert (
        "the header states no #pragma pack(1): its records were taken as packed",
        "answer.items_n has 4 bytes, and its name lets expect 2",
    ) == notes.notes


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda data: data.decode("latin-1")))
@settings(max_examples=60, deadline=None)
def test_any_text_is_a_header_or_a_fault(text: str) -> None:
    with suppress(ConfigError):
        convert(text)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_header_with_anything_in_it_is_a_header_or_a_fault(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(TINY)))
    cut = data.draw(st.integers(0, 30))
    junk = data.draw(st.text("#/*{}[];\"' \n\\struct0123", max_size=12))
    with suppress(ConfigError):
        convert(TINY[:place] + junk + TINY[place + cut :])


@needs_compiler
def test_every_offset_is_as_the_compiler_has_it(tmp_path: Path) -> None:
    """The compiler of this machine is the oracle for the stand-in's whole header."""
    layouts = convert_header(header_text(), document="h").layouts
    lines = ['#include "h.h"', "#include <stddef.h>", "#include <stdio.h>", "int main(void) {"]
    expected: list[str] = []
    for name, record in layouts.records.items():
        for one in record.fields:
            if ".0" not in one.name:
                lines.append(f'printf("%zu\\n", offsetof({name}_t, {one.name}));')
                expected.append(str(one.offset))
        if record.items is None:
            lines.append(f'printf("%zu\\n", sizeof({name}_t));')
            expected.append(str(record.size_bytes))
            continue
        for one in record.items.fields:
            start = f"offsetof({name}_t, item[0].{one.name}) - offsetof({name}_t, item)"
            lines.append(f'printf("%zu\\n", {start});')
            expected.append(str(one.offset))
        lines.append(f'printf("%zu\\n", sizeof((({name}_t *)0)->item[0]));')
        expected.append(str(record.items.size_bytes))
    (tmp_path / "h.h").write_text(header_text(), encoding="utf-8")
    (tmp_path / "m.c").write_text("\n".join([*lines, "return 0; }"]), encoding="utf-8")
    compiler = next(found for name in ("cc", "gcc", "clang") if (found := shutil.which(name)))
    subprocess.run([compiler, "-o", "m", "m.c"], cwd=tmp_path, check=True)
    told = subprocess.run([tmp_path / "m"], capture_output=True, text=True, check=True)
    assert len(expected) > 200
    assert expected == told.stdout.split()


@pytest.mark.parametrize("as_json", [False, True])
def test_a_file_of_layouts_is_read_back_to_the_same(as_json: bool) -> None:
    layouts = convert_header(header_text(), document="h", source="h").layouts
    text = format_layouts(layouts, as_json=as_json)
    assert layouts == parse_layouts(text, document="l", is_json=as_json)


BROKEN = """
version = 2
encoding = "ebcdic"
[records.one]
codes = ["CQ10", "cq11", "CQ10"]
size_bytes = 3
fields = [
  { name = "a", offset = 0, size_bytes = 3, kind = "int" },
  { name = "a", offset = 1, size_bytes = 9, kind = "character" },
]
[records.two]
codes = ["CQ10"]
size_bytes = 8
body = "items"
fields = [{ name = "n", offset = 4, size_bytes = 2, kind = "int" }]
[records.two.items]
count = "n"
size_bytes = 0
fields = []
[records.three]
size_bytes = 70000
body = "sub_items"
count = "nothing"
fields = [{ name = "p", offset = 0, size_bytes = 4, kind = "int", decimals_field = "q" }]
"""


def test_every_fault_of_a_file_is_told_at_once_with_its_place() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_layouts(BROKEN, document="broken.toml")
    assert [
        "encoding",
        "records.one.codes[1]",
        "records.one.codes[2]",
        "records.one.fields[0].size_bytes",
        "records.one.fields[1].name",
        "records.one.fields[1].offset",
        "records.one.fields[1].offset",
        "records.one.fields[1].size_bytes",
        "records.one.size_bytes",
        "records.three.count",
        "records.three.fields[0].decimals_field",
        "records.three.size_bytes",
        "records.two.codes[0]",
        "records.two.items.count",
        "records.two.items.size_bytes",
        "version",
    ] == [fault.path for fault in caught.value.faults]


def test_a_record_that_is_right_has_no_faults() -> None:
    layouts = convert(TINY).layouts
    assert [] == faults_of(layouts)
    record = evolve(layouts.records["enquiry"], body=Body.ITEMS)
    assert [(".items", "is missing: body says that items follow")] == [
        (path.removeprefix("records.enquiry"), message)
        for path, message in faults_of(evolve(layouts, records={"enquiry": record}))
    ]


# -- the command ----------------------------------------------------------------------------------


def test_the_command_writes_a_file_and_judges_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header, file = tmp_path / "messages.h", tmp_path / "layouts.toml"
    header.write_text(TINY, encoding="utf-8")
    assert 0 == run(["oapi", "layouts", str(header), "-o", str(file), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (2, ["CA3", "CQ3", "CQ4"], []) == (told["records"], told["codes"], told["notes"])
    assert told["source"].startswith("messages.h, sha256 ")
    assert 0 == run(["oapi", "check", str(file)])
    assert "2 records, 3 messages" in " ".join(capsys.readouterr().out.split())
    assert load_layouts(file).records == convert(TINY).layouts.records


def test_the_command_writes_nothing_of_a_header_that_does_not_parse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header, file = tmp_path / "messages.h", tmp_path / "layouts.toml"
    header.write_text("this is a letter, and no header", encoding="utf-8")
    assert 6 == run(["oapi", "layouts", str(header), "-o", str(file), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert "is no C that can be read" in told["error"]["message"]
    assert not file.exists()
    assert 6 == run(["oapi", "layouts", str(tmp_path / "none.h"), "-o", str(file)])
    assert "there is no header" in capsys.readouterr().err


def test_a_file_of_another_format_is_not_promised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would be TOML under a name that says otherwise."""
    header, file = tmp_path / "messages.h", tmp_path / "layouts.yaml"
    header.write_text(TINY, encoding="utf-8")
    assert 2 == run(["oapi", "layouts", str(header), "-o", str(file)])
    assert "must end in .toml or .json" in capsys.readouterr().err
    assert not file.exists()


def test_one_fault_is_one_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "layouts.toml"
    file.write_text("", encoding="utf-8")
    assert 1 == run(["oapi", "check", str(file)])
    assert ["version: is missing", "1 fault"] == capsys.readouterr().out.splitlines()


def test_the_command_never_writes_over_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header, file = tmp_path / "messages.h", tmp_path / "layouts.toml"
    header.write_text(TINY, encoding="utf-8")
    file.write_text("mine", encoding="utf-8")
    assert 6 == run(["oapi", "layouts", str(header), "-o", str(file)])
    assert "mine" == file.read_text(encoding="utf-8")


def test_the_command_tells_every_fault_of_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "layouts.toml"
    file.write_text(BROKEN, encoding="utf-8")
    assert 1 == run(["oapi", "check", str(file), "--json"])
    assert 16 == len(json.loads(capsys.readouterr().out)["faults"])
    file.write_text("version = ", encoding="utf-8")
    assert 1 == run(["oapi", "check", str(file)])
    assert "is not TOML" in capsys.readouterr().out
