"""An A4 sheet: letters, boxes and lines at places, blocks set one under the other, page by page.

Knows how a sheet looks and not what it says. A :class:`Block` knows its height before it is drawn,
so a block never breaks over two pages and the number of pages is known on the first. Measures are
points from the sheet's left edge and its top.

The one module that knows the PDF engine (reportlab, the extra ``forms``), in its invariant mode:
no clock, no random identifiers, no compression whose bytes depend on a library's version.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from attrs import frozen
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import (
    registerFont,  # pyright: ignore[reportUnknownVariableType]
    stringWidth,
)
from reportlab.pdfgen.canvas import Canvas

from hkex_ops.render.lettering import CHINESE, is_chinese, runs

__all__ = [
    "ACCENT",
    "BAND",
    "INK",
    "LEFT",
    "LINE",
    "QUIET",
    "RIGHT",
    "WIDTH",
    "Block",
    "Pen",
    "make_pdf",
    "set_lines",
    "text_width",
]

PAGE: Final = (595.28, 841.89)
LEFT = 54.0
RIGHT = 541.28
TOP = 46.0
BOTTOM = 58.0
WIDTH = RIGHT - LEFT

INK = (0.07, 0.09, 0.13)
QUIET = (0.36, 0.40, 0.46)
LINE = (0.72, 0.75, 0.79)
BAND = (0.945, 0.953, 0.965)
ACCENT = (0.09, 0.23, 0.42)

Colour = tuple[float, float, float]

# The engine measures with the fonts that were registered in its process.
registerFont(UnicodeCIDFont(CHINESE))

_TICK_FONT = "ZapfDingbats"
_TICK = "\u2714"
# A line may break after a space, and before or after any Chinese character.
_ATOM = re.compile(r"\S+\s*|\s+")


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """How wide ``text`` is when written."""
    return sum(stringWidth(part, font, size) for font, part in runs(text, bold=bold))


def set_lines(text: str, size: float, width: float, *, bold: bool = False) -> tuple[str, ...]:
    """``text`` broken into lines that fit ``width``; a word wider than a line is cut."""
    lines: list[str] = []
    line = ""
    for atom in _atoms(text):
        if text_width((line + atom).rstrip(), size, bold=bold) <= width:
            line += atom
            continue
        if line:
            lines.append(line.rstrip())
        line = ""
        for character in atom:
            if line and text_width(line + character, size, bold=bold) > width:
                lines.append(line)
                line = ""
            line += character
    return (*lines, line.rstrip()) if line.strip() or not lines else tuple(lines)


def _atoms(text: str) -> list[str]:
    atoms: list[str] = []
    for word in _ATOM.findall(text):
        piece = ""
        for character in word:
            if is_chinese(character):
                atoms += [piece] if piece else []
                atoms.append(character)
                piece = ""
            else:
                piece += character
        atoms += [piece] if piece else []
    return atoms


class Pen:
    """Writes and draws on the page at hand."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        *,
        bold: bool = False,
        colour: Colour = INK,
    ) -> None:
        """Write one line; ``y`` is its base line."""
        self._canvas.setFillColorRGB(*colour)
        line = self._canvas.beginText(x, PAGE[1] - y)
        for font, part in runs(text, bold=bold):
            line.setFont(font, size)
            line.textOut(part)
        self._canvas.drawText(line)

    def write_right(self, x: float, y: float, text: str, size: float, colour: Colour) -> None:
        """Write one line that ends at ``x``."""
        self.write(x - text_width(text, size), y, text, size, colour=colour)

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: Colour | None = None,
        line: Colour | None = LINE,
        dashed: bool = False,
    ) -> None:
        """A rectangle whose upper left corner is at (``x``, ``y``); its outline may be broken."""
        if fill is not None:
            self._canvas.setFillColorRGB(*fill)
        if line is not None:
            self._canvas.setStrokeColorRGB(*line)
            self._canvas.setLineWidth(0.6)
        if dashed:
            self._canvas.setDash(2.5, 1.5)
        self._canvas.rect(
            x,
            PAGE[1] - y - height,
            width,
            height,
            stroke=0 if line is None else 1,
            fill=0 if fill is None else 1,
        )
        if dashed:
            self._canvas.setDash()

    def rule(self, x: float, y: float, width: float, colour: Colour = LINE) -> None:
        """A thin line to the right of (``x``, ``y``)."""
        self._canvas.setStrokeColorRGB(*colour)
        self._canvas.setLineWidth(0.6)
        self._canvas.line(x, PAGE[1] - y, x + width, PAGE[1] - y)

    def tick_box(self, x: float, y: float, side: float, *, ticked: bool) -> None:
        """A box to tick; the tick is a letter, so that a text search finds it too."""
        self.box(x, y, side, side, line=INK if ticked else QUIET)
        if ticked:
            self._canvas.setFillColorRGB(*INK)
            self._canvas.setFont(_TICK_FONT, side * 1.15)
            self._canvas.drawString(x + side * 0.1, PAGE[1] - y - side * 0.88, _TICK)


@frozen
class Block:
    """Something drawn across the sheet: how high it is, and how it is drawn from its top."""

    height: float
    draw: Callable[[Pen, float], None]


def make_pdf(title: str, footer: str, blocks: Sequence[Block]) -> bytes:
    """The blocks on as many pages as they need; ``footer`` and the page number below each."""
    canvas = Canvas("", pagesize=PAGE, invariant=1, pageCompression=0, lang="en")
    canvas.setTitle(title)
    canvas.setAuthor("")
    canvas.setSubject(footer)
    pen = Pen(canvas)
    pages = _pages(blocks)
    for number, page in enumerate(pages, start=1):
        y = TOP
        for block in page:
            block.draw(pen, y)
            y += block.height
        base = PAGE[1] - BOTTOM + 24
        pen.rule(LEFT, base - 12, WIDTH)
        for n, line in enumerate(set_lines(footer, 7.5, WIDTH - 70)):
            pen.write(LEFT, base + 9.5 * n, line, 7.5, colour=QUIET)
        pen.write_right(RIGHT, base, f"Page {number} of {len(pages)}", 7.5, QUIET)
        canvas.showPage()
    made: object = canvas.getpdfdata()  # type: ignore[no-untyped-call]  # pyright: ignore[reportUnknownMemberType]
    assert isinstance(made, bytes), "the engine gives the document's bytes"
    return made


def _pages(blocks: Sequence[Block]) -> list[list[Block]]:
    room = PAGE[1] - TOP - BOTTOM
    pages: list[list[Block]] = [[]]
    used = 0.0
    for block in blocks:
        if pages[-1] and used + block.height > room:
            pages.append([])
            used = 0.0
        pages[-1].append(block)
        used += block.height
    return pages
