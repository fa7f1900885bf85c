"""The second act as a whole: the morning as it was, what follows, and the golden values.

Begins when the first act is over, on what that act computed. Called by the rehearsal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import time
from pathlib import Path

from attrs import define, field

from hkex_ops.calendars import BusinessDay
from hkex_ops.flows.evidence import EvidenceFolder
from hkex_ops.model import Incident
from hkex_ops.rundown import StepResult
from hkex_ops_simulator.hsil.aftermath import CLOSE, Aftermath
from hkex_ops_simulator.hsil.as_it_was import AsItWas
from hkex_ops_simulator.hsil.chronicle import Chronicle
from hkex_ops_simulator.hsil.golden import Golden, golden_values
from hkex_ops_simulator.hsil.index_system import IndexSystem
from hkex_ops_simulator.hsil.judging import Cited, judged
from hkex_ops_simulator.hsil.replayed import at
from hkex_ops_simulator.planning import Planned, planned

__all__ = ["SecondAct"]

_HELD_AGAINST = time(16, 2)


@define
class SecondAct:
    """The act on what ``system`` computed of ``day``; ``golden`` is there when it is over.

    ``capture`` names the recording of the first act, whole by then.
    """

    system: IndexSystem
    incident: Incident
    day: BusinessDay
    evidence: EvidenceFolder
    capture: Callable[[], Path]
    golden: tuple[Golden, ...] = field(default=(), init=False)
    _morning: AsItWas = field(init=False)
    _aftermath: Aftermath = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._morning = AsItWas(self.system, Chronicle())
        self._aftermath = Aftermath(
            self._morning, self.incident, self.day, self.evidence, self.capture
        )

    def steps(self) -> Iterator[Planned]:
        """Every step with its moment, in order."""
        yield from self._morning.steps()
        yield from self._aftermath.steps()
        yield planned(
            CLOSE,
            "golden-values",
            "what was published of the day comes out, exactly where it is exact",
            at(_HELD_AGAINST),
            self.hold_against,
            Cited("all three papers"),
        )

    async def hold_against(self) -> StepResult:
        """Every golden value beside what came of both acts."""
        self.golden = golden_values(self._aftermath)
        self.evidence.add("golden.json", {"golden": [one.told() for one in self.golden]})
        broken = [one for one in self.golden if not one.holds]
        count = len(self.golden)
        found = f"{count - len(broken)} of {count} golden values hold"
        told = "".join(f"; {one.what}: {one.got}, not {one.expected}" for one in broken)
        return judged(not broken, f"{found}{told}", {"broken": [one.told() for one in broken]})
