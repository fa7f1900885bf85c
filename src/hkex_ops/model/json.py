"""Plain data: what may go into a JSON document, a ledger row or an evidence record.

No floats: an index, a price or money travels as a decimal string.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

__all__ = ["Json", "JsonObject"]

Json: TypeAlias = "None | bool | int | str | Sequence[Json] | Mapping[str, Json]"
JsonObject: TypeAlias = "Mapping[str, Json]"
