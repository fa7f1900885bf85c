"""Which font of a printed form writes which character, and which character none can write.

Two fonts, neither embedded: Helvetica for what Windows-1252 spells, and the CID font STSong-Light
for Chinese, which every PDF reader takes from its Asian font pack. Its encoding UniGB-UCS2-H holds
all 20 902 unified ideographs, traditional and simplified, and extension A, so one Chinese font is
enough. MSung-Light would look more at home in Hong Kong, but the engine pairs it with an encoding
of another collection, and readers then refuse the font.

Knows no engine: the form asks here before it writes a letter, and the check of the data asks
before a form is begun.
"""

from __future__ import annotations

from itertools import groupby

__all__ = ["CHINESE", "LATIN", "LATIN_BOLD", "is_chinese", "runs", "unprintable"]

LATIN = "Helvetica"
LATIN_BOLD = "Helvetica-Bold"
CHINESE = "STSong-Light"

# Held by the CMap UniGB-UCS2-H, supplement 4: punctuation, kana, ideographs, full-width forms.
_CHINESE_RANGES = (
    (0x3000, 0x3003),
    (0x3005, 0x3017),
    (0x3041, 0x3093),
    (0x30A1, 0x30FE),
    (0x3400, 0x4DB5),
    (0x4E00, 0x9FA5),
    (0xFF01, 0xFF5E),
)


def is_chinese(character: str) -> bool:
    """Whether the Chinese font writes it."""
    return any(first <= ord(character) <= last for first, last in _CHINESE_RANGES)


def unprintable(text: str) -> tuple[str, ...]:
    """The characters of ``text`` that no font of a form can write, each once, in order.

    >>> unprintable("結算部 Settlement Desk")
    ()
    """
    return tuple(dict.fromkeys(c for c in text if not is_chinese(c) and not _is_latin(c)))


def runs(text: str, *, bold: bool = False) -> tuple[tuple[str, str], ...]:
    """``text`` cut into (font, part), each part written by one font.

    >>> runs("結算 Desk")
    (('STSong-Light', '結算'), ('Helvetica', ' Desk'))
    """
    latin = LATIN_BOLD if bold else LATIN
    return tuple(
        (CHINESE if chinese else latin, "".join(part))
        for chinese, part in groupby(text, key=is_chinese)
    )


def _is_latin(character: str) -> bool:
    try:
        character.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return character.isprintable()
