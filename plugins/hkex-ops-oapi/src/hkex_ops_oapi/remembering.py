"""What has been told of each kind of event: nothing twice, and no gap overlooked. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hkex_ops.model import Fields, FieldValue
from hkex_ops_oapi.options import RecoveryOptions

__all__ = ["SEEN_MOST", "Memory"]

SEEN_MOST = 200_000
"""So many keys of each kind of event are remembered, to tell what came twice."""

_Key = tuple[FieldValue, ...]


class Memory:
    """Keys of what was told, and the last number of each sequence, for every recovery."""

    def __init__(self, recovery: Mapping[str, RecoveryOptions]) -> None:
        self._recovery = recovery
        self._seen: dict[str, dict[_Key, None]] = {code: {} for code in recovery}
        self._last: dict[tuple[str, _Key], int] = {}

    def is_new_event(self, code: str, fields: Fields) -> bool:
        """Whether an event has not been told yet; one without a key is always new."""
        recovery = self._recovery.get(code)
        if recovery is None:
            return True
        return self._is_new(code, _values(recovery.event_key or recovery.key, fields))

    def is_new_item(self, code: str, fields: Fields) -> bool:
        """Whether an item of a recovery has not been told yet, as an event or as an item."""
        recovery = self._recovery[code]
        self._advance(code, recovery, fields)
        return self._is_new(code, _values(recovery.key, fields))

    def gap_before(self, code: str, fields: Fields) -> tuple[int, int] | None:
        """The numbers that did not come before an event, from the first to the last of them."""
        recovery = self._recovery.get(code)
        if recovery is None:
            return None
        last, number = self._advance(code, recovery, fields)
        if last is None or number is None or number <= last + 1:
            return None
        return last + 1, number - 1

    def _advance(
        self, code: str, recovery: RecoveryOptions, fields: Fields
    ) -> tuple[int | None, int | None]:
        """The last number of a sequence before, and this one; none where there is no sequence."""
        number = fields.get(recovery.sequence_field)
        group = _values(recovery.sequence_group, fields)
        if not isinstance(number, int) or group is None:
            return None, None
        last = self._last.get((code, group))
        self._last[code, group] = number if last is None else max(last, number)
        return last, number

    def _is_new(self, code: str, key: _Key | None) -> bool:
        if key is None:
            return True
        seen = self._seen[code]
        if key in seen:
            return False
        seen[key] = None
        if len(seen) > SEEN_MOST:
            del seen[next(iter(seen))]
        return True


def _values(names: Sequence[str], fields: Fields) -> _Key | None:
    """The values of ``names``; nothing where one of them is not there."""
    found: list[FieldValue] = []
    for name in names:
        value = fields.get(name)
        if value is None:
            return None
        found.append(value)
    return tuple(found)
