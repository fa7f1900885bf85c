"""Reads a page of the built documentation as a person does: the blocks that it shows, in order.

What the sources hide from the reader, the blocks that make a page runnable, is a comment here and
no block.
"""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from attrs import frozen

__all__ = ["Block", "blocks_of"]

_HIGHLIGHT = "highlight-"


@frozen
class Block:
    """A block of a page: its language, and its text as it would be copied."""

    language: str
    text: str

    @property
    def commands(self) -> list[tuple[str, str]]:
        """Each line after a prompt, with what the page shows as printed by it."""
        found: list[tuple[str, str]] = []
        for line in self.text.splitlines(keepends=True):
            if line.startswith("$ "):
                found.append((line.removeprefix("$ ").strip(), ""))
            elif found:
                found[-1] = (found[-1][0], found[-1][1] + line)
        return found

    @property
    def file(self) -> str | None:
        """The file that it is, where its first line says so."""
        first, _, _ = self.text.partition("\n")
        return first.removeprefix("# file: ") if first.startswith("# file: ") else None


class _Blocks(HTMLParser):
    """The text of every highlighted ``<pre>``."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Block] = []
        self._language = ""
        self._text: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = (dict(attrs).get("class") or "").split()
        if tag == "div":
            named = [one for one in classes if one.startswith(_HIGHLIGHT)]
            self._language = named[0].removeprefix(_HIGHLIGHT) if named else self._language
        elif tag == "pre":
            self._text = []

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre" and self._text is not None:
            self.found.append(Block(self._language, "".join(self._text)))
            self._text = None

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)


def blocks_of(page: Path) -> list[Block]:
    """The blocks of a built page."""
    reader = _Blocks()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader.found
