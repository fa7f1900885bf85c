"""Index codes by the names that people use.

Codes are those of the market data feed (OMD-C interface specification 1.45, Appendix A).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["INDEX_CODES", "index_code", "index_name"]

INDEX_CODES: Mapping[str, str] = MappingProxyType(
    {
        "HSI": "0000100",
        "HSCEI": "0001400",
        "HSCCI": "0001500",
        "VHSI": "0105000",
        "HSTECH": "0208300",
    }
)


def index_code(text: str) -> str:
    """The code that ``text`` names, case ignored; a text that is no name is a code itself.

    >>> index_code("hsi"), index_code("0000101")
    ('0000100', '0000101')
    """
    return INDEX_CODES.get(text.upper(), text)


def index_name(code: str) -> str:
    """What people call the index ``code``; the code where they have no name for it here."""
    return next((name for name, one in INDEX_CODES.items() if one == code), code)
