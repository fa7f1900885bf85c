"""From a TOML text to values: nothing is converted silently, and every fault is told at once."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path

import pytest
from attrs import field, frozen

from hkex_ops.config.stated import add_dates
from hkex_ops.config.structuring import document_of, make_converter, nearest, read_text, structure
from hkex_ops.errors import ConfigError

SECRET = "correct-horse-battery-staple"


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


@frozen
class Wheel:
    size: int
    from_: str = ""


@frozen
class Cart:
    name: str
    wheels: tuple[Wheel, ...]
    colour: Colour = Colour.RED
    sold: bool = False
    spare: Wheel | None = None
    tags: tuple[str, ...] = ()
    riders: dict[str, Wheel] = field(factory=dict[str, Wheel])
    bought: date | None = None


WHEELS = "wheels = [{ size = 1 }]\n"
WHOLE = "must be a whole number"


def cart(text: str) -> Cart:
    converter = make_converter()
    add_dates(converter)
    return structure(
        document_of(text, document="cart.toml"), Cart, document="cart.toml", converter=converter
    )


def faults(text: str) -> list[tuple[str, str]]:
    with pytest.raises(ConfigError) as raised:
        cart(text)
    assert "cart.toml" == raised.value.document
    return [(fault.path, fault.message) for fault in raised.value.faults]


def test_a_document_becomes_a_value() -> None:
    text = """
name = "handcart"
wheels = [{ size = 1 }, { size = 2, from = "the shop" }]
colour = "green"
sold = true
spare = { size = 3 }
tags = ["a", "b"]
riders = { ann = { size = 4 } }
bought = 2023-04-17
"""
    assert Cart(
        "handcart",
        (Wheel(1), Wheel(2, "the shop")),
        Colour.GREEN,
        True,
        Wheel(3),
        ("a", "b"),
        {"ann": Wheel(4)},
        date(2023, 4, 17),
    ) == cart(text)


def test_what_may_be_left_out_is_left_out() -> None:
    assert Cart("handcart", ()) == cart('name = "handcart"\nwheels = []')


def test_what_is_missing_is_named() -> None:
    assert [("name", "is missing"), ("wheels", "is missing")] == faults("")


def test_an_unknown_key_is_told_with_the_nearest_known() -> None:
    text = f'name = "n"\ncolor = "red"\n{WHEELS}'
    assert [("color", "unknown key; did you mean 'colour'?")] == faults(text)


def test_a_key_like_no_other_is_told_with_all_that_are_known() -> None:
    [(path, message)] = faults(f'name = "n"\nzzz = 1\n{WHEELS}')
    assert "zzz" == path
    expected = "name, wheels, colour, sold, spare, tags, riders, bought"
    assert f"unknown key; known: {expected}" == message


def test_a_key_that_is_a_word_of_python_is_written_without_underscore() -> None:
    text = 'name = "n"\nwheels = [{ size = 1, from_ = "x" }]'
    assert [("wheels[0].from_", "unknown key; did you mean 'from'?")] == faults(text)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("name = 1", "must be a text, not a whole number"),
        ("name = true", "must be a text, not true or false"),
        ("name = 1.5", "must be a text, not a number with a point"),
        ("name = ['n']", "must be a text, not a list"),
        ("name = { a = 1 }", "must be a text, not a table"),
        ("name = 2023-04-17", "must be a text, not a date"),
        ("name = 2023-04-17T10:00:00", "must be a text, not a date with a time"),
        ("name = 10:00:00", "must be a text, not a time of day"),
    ],
)
def test_a_value_of_another_type_is_never_converted(line: str, message: str) -> None:
    assert [("name", message)] == faults(line + "\n" + WHEELS)


@pytest.mark.parametrize(
    ("line", "path", "message"),
    [
        ("sold = 1", "sold", "must be true or false, not a whole number"),
        ('sold = "yes"', "sold", "must be true or false, not a text"),
        ("spare = { size = true }", "spare.size", f"{WHOLE}, not true or false"),
        (
            "spare = { size = 1.0 }",
            "spare.size",
            "must be a whole number, not a number with a point",
        ),
        ("spare = 1", "spare", "must be a table, not a whole number"),
        ("spare = [{ size = 1 }]", "spare", "must be a table, not a list"),
        ('tags = "ab"', "tags", "must be a list, not a text"),
        ("tags = { a = 1 }", "tags", "must be a list, not a table"),
        ('tags = ["a", 1]', "tags[1]", "must be a text, not a whole number"),
        ("riders = []", "riders", "must be a table, not a list"),
        ("riders.ann.size = 'big'", "riders.ann.size", "must be a whole number, not a text"),
        ('colour = "gren"', "colour", "unknown word 'gren'; did you mean 'green'?"),
        ('colour = "mauve"', "colour", "unknown word 'mauve'; known: red, green"),
        (
            'bought = "2023-04-17 (Sunday)"',
            "bought",
            "2023-04-17 is a Monday, the file says Sunday",
        ),
    ],
)
def test_a_wrong_value_is_told_with_its_path(line: str, path: str, message: str) -> None:
    assert [(path, message)] == faults(f'name = "n"\n{WHEELS}{line}')


@frozen
class Marked:
    mark: str | int


@pytest.mark.parametrize(("spelt", "value"), [("7", 7), ("'7'", "7")])
def test_a_text_or_a_number_stays_what_it_is(spelt: str, value: object) -> None:
    table = document_of(f"mark = {spelt}", document="marked.toml")
    assert value == structure(table, Marked, document="marked.toml").mark


@pytest.mark.parametrize("spelt", ["true", "1.5", "[1]"])
def test_what_is_neither_a_text_nor_a_number_is_refused(spelt: str) -> None:
    table = document_of(f"mark = {spelt}", document="marked.toml")
    with pytest.raises(ConfigError, match="mark: must be a text or a whole number, not "):
        structure(table, Marked, document="marked.toml")


def test_a_list_and_a_table_are_not_confused_deep_inside() -> None:
    assert [
        ("wheels[0]", "must be a table, not a list"),
        ("wheels[2].size", "is missing"),
    ] == faults('name = "n"\nwheels = [[], { size = 1 }, {}]')


def test_every_fault_is_told_at_once_in_order_of_path() -> None:
    text = """
nmae = "handcart"
wheels = [{ size = 1 }, { sice = 2 }, { size = "3" }]
colour = "blue"
tags = [1, "b", false]
riders = { ann = { size = 1, from = 2 } }
"""
    assert [
        ("colour", "unknown word 'blue'; known: red, green"),
        ("name", "is missing"),
        ("nmae", "unknown key; did you mean 'name'?"),
        ("riders.ann.from", "must be a text, not a whole number"),
        ("tags[0]", "must be a text, not a whole number"),
        ("tags[2]", "must be a text, not true or false"),
        ("wheels[1].sice", "unknown key; did you mean 'size'?"),
        ("wheels[1].size", "is missing"),
        ("wheels[2].size", "must be a whole number, not a text"),
    ] == faults(text)


def test_a_path_begins_where_the_table_stands() -> None:
    with pytest.raises(ConfigError) as raised:
        structure({"size": "big"}, Wheel, document="cart.toml", at="carts.one.wheel")
    assert ["carts.one.wheel.size"] == [fault.path for fault in raised.value.faults]


@pytest.mark.parametrize(
    "line",
    [
        f'sold = "{SECRET}"',
        f'tags = "{SECRET}"',
        f'spare = "{SECRET}"',
        f'riders = ["{SECRET}"]',
        f'spare = {{ size = "{SECRET}" }}',
        f'wheels = "{SECRET}"',
        f'name = ["{SECRET}"]',
        f'name = {{ password = "{SECRET}" }}',
    ],
)
def test_a_value_of_the_wrong_type_is_described_and_never_repeated(line: str) -> None:
    """It may be a secret that was written in the wrong place."""
    with pytest.raises(ConfigError) as raised:
        cart(line)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('name = "n"\n\ncolour red\n', "line 3, column 8"),
        ('name = "n"\nname = "m"\n', "line 2, column 11"),
        ('name = "unclosed\n', "line 1, column 17"),
        ("wheels = [\n", "end of document"),
    ],
)
def test_a_text_that_is_no_toml_is_told_with_the_line(text: str, place: str) -> None:
    [(path, message)] = faults(text)
    assert "" == path
    assert message.startswith("is not TOML: ")
    assert message.endswith(f"(at {place})")


def test_a_file_that_is_not_there_is_told_with_what_it_was_to_be(tmp_path: Path) -> None:
    path = tmp_path / "cart.toml"
    with pytest.raises(ConfigError) as raised:
        read_text(path, what="cart")
    assert f"there is no cart at {path}: write one or name another" == str(raised.value)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        read_text(tmp_path, what="cart")
    assert f"{tmp_path} is a folder, and the cart must be a file" == str(raised.value)


def test_a_file_below_a_file_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "cart").touch()
    with pytest.raises(ConfigError, match=r"cart .*wheel cannot be read"):
        read_text(tmp_path / "cart" / "wheel", what="cart")


def test_a_file_that_is_not_utf_8_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "cart.toml"
    path.write_bytes('name = "手推車"'.encode("big5"))
    with pytest.raises(ConfigError, match=r"cart\.toml cannot be read: it is no text in UTF-8"):
        read_text(path, what="cart")


def test_a_name_that_no_file_can_bear_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_text(tmp_path / "a\0b", what="cart")


@pytest.mark.parametrize(
    ("word", "expected"),
    [("gren", "did you mean 'green'?"), ("mauve", "known: red, green")],
)
def test_the_nearest_known_word_is_named_or_all_of_them(word: str, expected: str) -> None:
    assert expected == nearest(word, ["red", "green"])
