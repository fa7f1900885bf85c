"""Which transfers are accepted: a report alone when it says that it is whole, a set only whole.

A set, such as a control file and its data file, waits until every part of it has come; when one
fails none of it is kept, and the next run fetches all of it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from attrs import define, field, frozen

from hkex_ops.flows.store import StagedFile
from hkex_ops.model import ListedReport, ReportIdentity
from hkex_ops.reports import ContentReader, NameReading, Packing, content_fault

__all__ = ["Acceptance", "Verdict"]


@frozen
class Verdict:
    """What became of transfers that ended: these are whole, or ``fault`` says why none is."""

    files: tuple[tuple[ListedReport, StagedFile], ...] = ()
    fault: str | None = None


@define
class _Set:
    """A set under way: what was asked for, what has come whole, whether it failed."""

    wanted: set[ListedReport]
    come: dict[ListedReport, StagedFile] = field(factory=dict[ListedReport, StagedFile])
    failed: bool = False


class Acceptance:
    """Judges the transfers of one login. ``wanted`` is everything that was asked for."""

    def __init__(self, wanted: Mapping[ListedReport, NameReading]) -> None:
        self.wanted: Mapping[ListedReport, NameReading] = wanted
        self._sets: dict[ReportIdentity, _Set] = {}
        for listed, reading in wanted.items():
            if reading.part is not None:
                self._sets.setdefault(reading.identity, _Set(set())).wanted.add(listed)

    async def ended(self, listed: ListedReport, file: StagedFile) -> Verdict:
        """A transfer that came to its end; an empty verdict while its set is still coming."""
        reading = self.wanted[listed]
        if reading.part is None:
            return await self._judged({listed: file})
        group = self._sets[reading.identity]
        group.come[listed] = file
        if group.failed:
            return Verdict(tuple(self._taken(group)), "another part of its set did not come whole")
        if len(group.come) < len(group.wanted):
            return Verdict()
        come, group.come = group.come, {}
        return await self._judged(come)

    def failed(self, listed: ListedReport) -> tuple[tuple[ListedReport, StagedFile], ...]:
        """A transfer that did not come whole; gives the parts of its set, now to be discarded."""
        reading = self.wanted[listed]
        if reading.part is None:
            return ()
        group = self._sets[reading.identity]
        group.failed = True
        return tuple(self._taken(group))

    def left(self) -> tuple[tuple[ListedReport, StagedFile], ...]:
        """Parts whose sets never came to their end."""
        return tuple(one for group in self._sets.values() for one in self._taken(group))

    def _taken(self, group: _Set) -> Iterable[tuple[ListedReport, StagedFile]]:
        come, group.come = group.come, {}
        return come.items()

    async def _judged(self, files: Mapping[ListedReport, StagedFile]) -> Verdict:
        found = tuple(files.items())
        parts = [(self.wanted[listed], file) for listed, file in found]
        rule = parts[0][0].rule
        if rule.check is None and rule.packed is Packing.NONE:
            return Verdict(found)
        for _, file in parts:
            file.close()
        return Verdict(found, await asyncio.to_thread(_fault, parts))


def _fault(parts: Sequence[tuple[NameReading, StagedFile]]) -> str | None:
    """Why the files are not whole, by what they say themselves."""
    # Here, because most catalogues check nothing, and to unpack loads a good deal.
    from hkex_ops.flows.unpacking import Damaged, content_of

    rule = parts[0][0].rule
    contents: dict[str | None, ContentReader] = {}
    try:
        for reading, file in parts:
            content = ContentReader(rule.check)
            for data in content_of(file, rule.packed):
                content.feed(data)
            content.end()
            contents[reading.part] = content
    except Damaged as error:
        return str(error)
    return None if rule.check is None else content_fault(rule.check, contents)
