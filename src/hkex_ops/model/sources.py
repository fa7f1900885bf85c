"""Where a fact comes from: circular and place."""

from __future__ import annotations

from attrs import frozen

__all__ = ["Source"]


@frozen
class Source:
    """The paper and the place in it that state a fact.

    ``circular`` is the reference number, or the paper's own title where it bears none; ``place``
    is a paragraph, clause, table row or appendix.
    """

    circular: str
    place: str

    def __str__(self) -> str:
        return f"{self.circular}, {self.place}"
