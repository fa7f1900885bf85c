"""Nothing reaches a page unescaped but what this library wrote."""

from __future__ import annotations

from hypothesis import given, strategies as st

from hkex_ops.render.html import Html, element, join
from tests.render.packs import page_of


def test_text_is_escaped_and_html_is_not() -> None:
    inner = element("b", "a < b & c")
    assert "<p><b>a &lt; b &amp; c</b>&lt;i&gt;</p>" == element("p", inner, "<i>")


def test_an_attribute_cannot_end_itself() -> None:
    assert '<a href="&quot;&gt;&lt;script&gt;"></a>' == element("a", href='"><script>')


def test_an_attribute_without_value_is_left_out() -> None:
    assert "<td></td>" == element("td", class_=None)


def test_what_cannot_be_seen_is_shown_as_its_code() -> None:
    assert "a\\u202eb\\x00" == join(["a\u202eb\x00"])


def test_joining_keeps_html_html() -> None:
    assert isinstance(join([element("b"), "<"]), Html)
    assert "<b></b>, &lt;" == join([element("b"), "<"], ", ")


@given(st.text(), st.text())
def test_any_text_comes_back_as_one_text_in_one_element(text: str, attribute: str) -> None:
    [node] = page_of(element("p", text, title=attribute)).children
    assert [] == node.children
    assert {"title"} == node.attributes.keys()
