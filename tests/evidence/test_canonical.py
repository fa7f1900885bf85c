"""One value, one spelling."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given, strategies as st

from hkex_ops.evidence import canonical, digest, parse_object
from hkex_ops.evidence.canonical import DEEPEST
from hkex_ops.model import Json

texts = st.text(st.characters(exclude_categories=["Cs"]))
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(texts, plain, max_size=5)


@given(objects)
def test_what_is_spelt_canonically_reads_back_the_same(value: dict[str, Json]) -> None:
    assert value == parse_object(canonical(value))


@given(objects)
def test_the_order_in_which_keys_were_put_in_does_not_matter(value: dict[str, Json]) -> None:
    assert canonical(value) == canonical(dict(reversed(value.items())))


def test_the_spelling_is_sorted_tight_and_unescaped() -> None:
    value: Json = MappingProxyType({"ž": (1, True), "a": "交易所", "b": None})
    assert '{"a":"交易所","b":null,"ž":[1,true]}'.encode() == canonical(value)


def test_a_digest_is_sha256_in_hexadecimal() -> None:
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert expected == digest(b"abc")


@pytest.mark.parametrize("value", [1.5, float("nan"), b"bytes", {1, 2}, object()])
def test_anything_but_plain_data_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical({"price": [value]})  # type: ignore[list-item]


def test_a_key_that_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError):
        canonical({1: "one"})  # type: ignore[dict-item]


def test_a_lone_surrogate_has_no_spelling() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        canonical({"name": "\udc80"})


def test_nesting_has_a_limit_in_both_directions() -> None:
    value: Json = 1
    for _ in range(DEEPEST + 1):
        value = [value]
    with pytest.raises(ValueError, match="levels deep"):
        canonical(value)
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_object("[" * 100_000)


@pytest.mark.parametrize(
    "text",
    [
        '{"b":1,"a":2}',
        '{"a": 1}',
        '{"a":1,"a":1}',
        '{"a":1.0}',
        '{"a":1e3}',
        '{"a":NaN}',
        '{"a":-0}',
        '{"a":"\\u0041"}',
        '{"a":"\\ud800"}',
        '{"a":1}\n',
        "[1]",
        "",
        "\ufeff{}",
    ],
)
def test_another_spelling_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_object(text)
