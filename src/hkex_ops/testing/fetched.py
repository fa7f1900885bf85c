"""What came out of a ``fetch``, collected and held to the port's rule of order."""

from __future__ import annotations

from collections.abc import AsyncIterator

from attrs import define, field

from hkex_ops.ports import Delivery, ReportChunk, ReportEnd, ReportFailed

__all__ = ["Fetched", "collect"]


@define
class Fetched:
    """Bytes, ends and failures by report name, as they were delivered."""

    contents: dict[str, bytearray] = field(factory=dict[str, bytearray])
    ends: dict[str, ReportEnd] = field(factory=dict[str, ReportEnd])
    failures: dict[str, ReportFailed] = field(factory=dict[str, ReportFailed])

    def take(self, delivery: Delivery) -> None:
        """Add one delivery; `AssertionError` when the port does not allow it here."""
        name = delivery.report.name
        assert name not in self.ends, f"{name}: something came after its end"
        assert name not in self.failures, f"{name}: something came after its failure"
        content = self.contents.setdefault(name, bytearray())
        if isinstance(delivery, ReportChunk):
            assert len(content) == delivery.offset, f"{name}: a chunk leaves a gap or goes back"
            content += delivery.data
        elif isinstance(delivery, ReportEnd):
            self.ends[name] = delivery
        else:
            self.failures[name] = delivery

    def content(self, name: str) -> bytes:
        """The bytes of a report that came to its end; `AssertionError` when it did not."""
        assert name in self.ends, f"{name}: never came to its end"
        return bytes(self.contents[name])


async def collect(deliveries: AsyncIterator[Delivery]) -> Fetched:
    """All deliveries of one fetch."""
    fetched = Fetched()
    async for delivery in deliveries:
        fetched.take(delivery)
    return fetched
