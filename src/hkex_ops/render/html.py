"""HTML in which nothing can be forgotten to be escaped.

A child of an element is text and is escaped, unless it is :class:`Html`, which only this module's
functions make. Characters that would steer a page or a reader, such as one that turns the order
of writing round, are shown as their codes.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

__all__ = ["Html", "element", "join", "visible"]

_VOID = frozenset({"meta"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(tag: str, /, *children: str, **attributes: str | int | None) -> Html:
    """An element; an attribute that is ``None`` is left out, ``_`` in its name is a hyphen.

    >>> element("td", "a < b", class_="found", aria_label=None)
    '<td class="found">a &lt; b</td>'
    """
    stated = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_safe(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _VOID:
        return Html(f"<{tag}{stated}>")
    return Html(f"<{tag}{stated}>{join(children)}</{tag}>")


def join(children: Iterable[str], separator: str = "") -> Html:
    """Children one after the other, each escaped unless it is HTML already."""
    return Html(
        separator.join(child if isinstance(child, Html) else _safe(child) for child in children)
    )


def visible(text: str) -> str:
    r"""``text`` with every character that cannot be seen replaced by its code.

    >>> visible("red\x1b[31m")
    'red\\x1b[31m'
    """
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode("ascii")
        for c in text
    )


def _safe(text: str) -> str:
    return escape(visible(text), quote=True)
