"""What is asked next, from what was answered; and whether all partitions have answered. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from hkex_ops.errors import ConfigError, TransientError, WireError
from hkex_ops.model import FieldValue
from hkex_ops_oapi.codec import Decoded
from hkex_ops_oapi.options import EnquiryOptions, Paging

__all__ = ["Coverage", "Pager", "covered_by"]

_FIRST_SEGMENT = 1


class Pager:
    """The questions of one enquiry. ``parameters`` are those of the next one."""

    def __init__(
        self, code: str, options: EnquiryOptions, parameters: Mapping[str, FieldValue]
    ) -> None:
        self._code = code
        self._options = options
        self.parameters: dict[str, FieldValue] = {**options.parameters, **parameters}
        self._segment = _FIRST_SEGMENT
        if options.paging is Paging.SEGMENTS:
            self.parameters[options.segment_field] = _FIRST_SEGMENT

    def take(self, answer: Decoded) -> bool:
        """Whether ``answer`` was the last one; else :attr:`parameters` are the next question's.

        Raises `WireError` for an answer that does not belong to the question or leads nowhere,
        `ConfigError` for a field that answers do not have.
        """
        before = dict(self.parameters)
        match self._options.paging:
            case Paging.ONCE:
                return True
            case Paging.SEGMENTS:
                is_last = self._take_segment(answer)
            case Paging.SEQUENCE:
                is_last = self._take_sequence(answer)
            case Paging.CONTINUED:
                is_last = self._take_continued(answer)
        if not is_last and before == self.parameters:
            raise WireError(f"{self._code}: the answers do not go forward", offset=0)
        return is_last

    def _take_segment(self, answer: Decoded) -> bool:
        number = self._header(answer, self._options.segment_field)
        if number not in (0, self._segment):
            raise WireError(
                f"{self._code}: segment {self._segment} was asked for and {number} came", offset=0
            )
        self._segment += 1
        self.parameters[self._options.segment_field] = self._segment
        return number == 0 or not answer.items

    def _take_sequence(self, answer: Decoded) -> bool:
        if not answer.items:
            return True
        name = self._options.item_field
        numbers: list[int] = []
        for item in answer.items:
            number = item.get(name)
            if not isinstance(number, int):
                raise self._no_field(answer, name, "items")
            numbers.append(number)
        asked = self.parameters.get(self._options.first_field, 0)
        if isinstance(asked, int) and min(numbers) < asked:
            raise WireError(
                f"{self._code}: {asked} was asked for and {min(numbers)} came", offset=0
            )
        self.parameters[self._options.first_field] = max(numbers) + 1
        return False

    def _take_continued(self, answer: Decoded) -> bool:
        until = self._header(answer, self._options.until_blank)
        if until in ("", 0):
            return True
        for asked, told in self._options.continue_fields.items():
            self.parameters[asked] = self._header(answer, told)
        return False

    def _header(self, answer: Decoded, name: str) -> FieldValue:
        if name not in answer.fields:
            raise self._no_field(answer, name, "header")
        return answer.fields[name]

    def _no_field(self, answer: Decoded, name: str, where: str) -> ConfigError:
        return ConfigError(
            f"enquiries.{self._code} pages by {name!r}, which the {where} of {answer.code} does "
            "not have: name the field as the layouts do"
        )


def covered_by(series: bytes) -> tuple[bytes, bytes]:
    """The lowest and the highest series that a question asks for: nought at the end is any."""
    stated = series.rstrip(b"\0")
    return stated.ljust(len(series), b"\0"), stated.ljust(len(series), b"\xff")


class Coverage:
    """Which series the answers to one enquiry were for, where they say so."""

    def __init__(self, code: str, wanted: tuple[bytes, bytes] | None) -> None:
        self._code = code
        self._wanted = wanted
        self._ranges: set[tuple[bytes, bytes]] = set()

    def take(self, answer: Decoded, options: EnquiryOptions) -> None:
        """The bounds of one answer."""
        low = answer.raw.get(options.partition_low)
        high = answer.raw.get(options.partition_high)
        if low is not None and high is not None:
            self._ranges.add((low, high))

    def require_whole(self) -> None:
        """`TransientError` unless the answers were for all that was asked for."""
        if not self._ranges:
            return
        size = len(next(iter(self._ranges))[0])
        low, high = self._wanted or (bytes(size), b"\xff" * size)
        reached: int | None = None
        for start, end in sorted(self._ranges):
            first, last = int.from_bytes(start), int.from_bytes(end)
            if reached is None and first > int.from_bytes(low):
                break
            if reached is not None and first > reached + 1:
                break
            reached = last if reached is None else max(reached, last)
        if reached is None or reached < int.from_bytes(high):
            told = "; ".join(f"{start.hex()} to {end.hex()}" for start, end in sorted(self._ranges))
            raise TransientError(
                f"{self._code} was answered for a part only (series {told}): it is no whole "
                "answer, and nothing of it may be taken for one; ask again later"
            )
