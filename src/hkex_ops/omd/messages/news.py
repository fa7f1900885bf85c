"""News of the exchange, in English or Chinese."""

from __future__ import annotations

from typing import NamedTuple

from hkex_ops.omd.accessors import Text, ascii_text, utf16_text

__all__ = [
    "News",
]


class _News(NamedTuple):
    news_type_ascii: bytes
    news_id_ascii: bytes
    headline_raw: bytes
    cancel_flag_ascii: bytes
    last_fragment_ascii: bytes
    filler: bytes
    release_time_ns: int
    filler_2: bytes
    market_codes_ascii: tuple[bytes, ...]
    filler_3: bytes
    security_codes: tuple[int, ...]
    filler_4: bytes
    lines_raw: tuple[bytes, ...]
    tail: bytes = b""


class News(_News):
    """One fragment of a piece of news (22); only the first has the headline.

    Bytes are ASCII in type EXN and UTF-16LE in EXC, which the accessors observe.
    """

    __slots__ = ()
    TYPE = 22

    news_type: Text = Text()
    news_id: Text = Text()
    cancel_flag: Text = Text()
    last_fragment: Text = Text()

    @property
    def headline(self) -> str:
        """The headline; empty in a later fragment."""
        return self._text(self.headline_raw)

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of this fragment."""
        return tuple(self._text(line) for line in self.lines_raw)

    @property
    def market_codes(self) -> tuple[str, ...]:
        """The markets that it concerns."""
        return tuple(ascii_text(code) for code in self.market_codes_ascii)

    def _text(self, raw: bytes) -> str:
        return utf16_text(raw) if self.news_type == "EXC" else ascii_text(raw)
