"""The second act: 22 January 2010 as it was, publication withheld, worked with today's tools.

Morning: the opening late, values that stand still, contingency, two mailed snapshots, a recovery
that is held until it is proven, the resumption. What follows for contracts and settlement is in
:mod:`~hkex_ops_simulator.hsil.aftermath`. The same values as in the first act, computed from the
same bytes; only what went out differs. Every step writes the chronology as it happens.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time, timedelta
from functools import partial

from attrs import define, field

from hkex_ops.index.gateway_events import GatewayState, GatewayStateChanged, PublicationResumed
from hkex_ops.index.watch import IndexUnchanged, OpeningCame, OpeningLate
from hkex_ops.model import plain
from hkex_ops.rundown import StepResult
from hkex_ops_simulator.desk import rehearsed
from hkex_ops_simulator.hsil.anchors import EXACT
from hkex_ops_simulator.hsil.chronicle import Chronicle
from hkex_ops_simulator.hsil.expected import NAMES, points, when
from hkex_ops_simulator.hsil.index_system import IndexSystem
from hkex_ops_simulator.hsil.judging import Cited, judged
from hkex_ops_simulator.hsil.replayed import at
from hkex_ops_simulator.hsil.script import FIRST_TICK
from hkex_ops_simulator.hsil.withheld import (
    CALLED_HKEX,
    DECLARED,
    NOTICED,
    RECOVERED,
    RESUMED,
    SNAPSHOTS,
    Withheld,
)
from hkex_ops_simulator.planning import Planned, planned

__all__ = ["OPENING", "TRADING", "AsItWas"]

# The sessions of the second act; the first act's have the plain names.
OPENING = "as-it-was-opening"
TRADING = "as-it-was-trading"

_LOOKED = time(10, 1, 30)
_OUT_WITHIN = timedelta(seconds=5)


@define
class AsItWas:
    """The morning of the second act on what ``system`` computed in the first."""

    system: IndexSystem
    chronicle: Chronicle
    withheld: Withheld = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.withheld = Withheld(self.system)

    def steps(self) -> Iterator[Planned]:
        """Every step with its moment, in order."""
        yield planned(
            OPENING,
            "opening-late",
            "an error message appears, and the opening index is late against 09:50:30",
            at(NOTICED),
            self.opening_late,
            Cited("Annex 1, section 3 a; Annex 2, Appendix I"),
        )
        yield planned(
            TRADING,
            "standing-still",
            "no new value follows the first; gateway and watch tell so",
            at(_LOOKED),
            self.standing_still,
            Cited("Annex 1, Appendix 2"),
        )
        yield planned(
            TRADING,
            "contingency",
            "the contingency plan is triggered: nothing goes out but snapshots",
            at(DECLARED),
            self.contingency,
            Cited("Annex 1, Appendix 2"),
        )
        yield planned(
            TRADING,
            "hkex-told",
            "HKEx is told of the contingency arrangement",
            at(CALLED_HKEX),
            self.hkex_told,
            Cited("Annex 1, section 3 c"),
        )
        for moment, sent in SNAPSHOTS:
            if sent > RECOVERED:
                yield self._recovery()
            yield planned(
                TRADING,
                f"snapshot-{moment:%H%M}",
                f"the indexes at {moment:%H:%M} are sent by e-mail",
                at(sent),
                partial(self.snapshot, moment, sent),
                Cited("Annex 1, section 3 b"),
            )
        yield planned(
            TRADING,
            "resumption",
            "proven right, the indexes are disseminated again",
            at(max(RESUMED.values())) + _OUT_WITHIN,
            self.resumption,
            Cited("Annex 2, Appendix I"),
        )

    def _recovery(self) -> Planned:
        return planned(
            TRADING,
            "recovery-held",
            "the engines calculate again; nothing goes out until they are proven right",
            at(RECOVERED),
            self.recovery,
            Cited("Annex 1, Appendix 2"),
        )

    # -- steps -------------------------------------------------------------------------------

    async def opening_late(self) -> StepResult:
        """The watch tells what HKEx noted by itself."""
        now = at(NOTICED)
        self.withheld.play(now)
        late = [one for one in self.withheld.told if isinstance(one, OpeningLate)]
        came = [one for one in self.withheld.told if isinstance(one, OpeningCame)]
        found = "; ".join(
            [f"due {when(one.due)}, told late at {when(one.at)}" for one in late]
            + [f"{NAMES[one.index]} came {one.late_s} s late" for one in came]
        )
        error = "The real-time index system gave an error message."
        self.chronicle.write(now, "opening-late", error)
        self.chronicle.write(
            now,
            "opening-late",
            f"The opening indexes were received at {when(now)}, later than the normal time of "
            f"{when(late[0].due) if late else 'unknown'}.",
        )
        facts = {"events": [plain(one) for one in (*late, *came)]}
        return judged(len(late) == 1 and len(came) == len(NAMES), found, facts)

    async def standing_still(self) -> StepResult:
        """One real-time value of each index, and no other."""
        now = at(_LOOKED)
        self.withheld.play(now)
        first = [tick for tick in self.withheld.ticks if tick.at == at(FIRST_TICK)]
        stuck = [one for one in self.withheld.told if isinstance(one, IndexUnchanged)]
        said = ", ".join(f"{NAMES[tick.index]} {tick.value}" for tick in first)
        told = ", ".join(f"{NAMES[one.index]} unchanged at {when(one.at)}" for one in stuck)
        for one in first[:1]:
            self.chronicle.write(
                one.at,
                "first-tick",
                f"The first set of real-time indexes was disseminated at {when(one.at)}, no "
                "subsequent new index updates.",
            )
        for event in stuck[:1]:
            self.chronicle.write(
                event.at, "standing-still", "No movement of the HSI: the watch told it."
            )
        held = self.withheld.gateway.state is GatewayState.HELD
        found = f"{said} at {FIRST_TICK} and nothing after it; {told}; the gateway holds"
        passed = len(first) == len(NAMES) == len(stuck) and held
        return judged(passed, found, {"events": [plain(one) for one in stuck]})

    async def contingency(self) -> StepResult:
        """The decision of a person, rehearsed in nobody's name."""
        now = at(DECLARED)
        self.withheld.order("all three systems have the same problem", now)
        self.chronicle.write(
            now,
            "contingency",
            "Same problem at all three systems; contingency plan triggered and switched to "
            "contingency mode.",
        )
        return rehearsed(f"contingency ordered; the gateway is {self.withheld.gateway.state}")

    async def hkex_told(self) -> StepResult:
        """The telephone call, rehearsed."""
        self.chronicle.write(
            at(CALLED_HKEX), "hkex-told", "Notified HKEx of the contingency arrangement by phone."
        )
        return rehearsed("HKEx would be told by phone at about 10:05; nobody was called")

    async def snapshot(self, moment: time, sent: time) -> StepResult:
        """The independent values of a moment, mailed as late as in 2010."""
        ticks = self.withheld.mail(moment, at(sent))
        said = ", ".join(f"{NAMES[tick.index]} {tick.value}" for tick in ticks)
        self.chronicle.write(
            at(sent),
            f"snapshot-{moment:%H%M}",
            f"Indexes at {moment:%H:%M} calculated and sent out at {sent:%H:%M} via e-mails: "
            f"{said} (SYNTHETIC).",
        )
        return rehearsed(f"{said} (SYNTHETIC: what was sent in 2010 is not in the papers)")

    async def recovery(self) -> StepResult:
        """Back, and not believed yet."""
        now = at(RECOVERED)
        self.withheld.release("the three systems calculate again", now)
        self.chronicle.write(
            now,
            "recovery-held",
            "System recovered, index calculation resumed, but dissemination of indexes not "
            "resumed.",
        )
        held = self.withheld.gateway.state is GatewayState.HELD
        return judged(held, "the engines may be proven from now on; nothing is out")

    async def resumption(self) -> StepResult:
        """Which values were the first to go out, and what had been proven by then."""
        now = at(max(RESUMED.values())) + _OUT_WITHIN
        self.withheld.play(now)
        firsts = {code: self.withheld.first_after(code, DECLARED) for code in NAMES}
        proofs = [one for one in self.withheld.told if isinstance(one, PublicationResumed)]
        said: list[str] = []
        right = len(proofs) == 1
        for code, tick in firsts.items():
            [stated] = [one for one in EXACT if (one.code, one.at) == (code, RESUMED[code])]
            value = None if tick is None else str(tick.value)
            right = right and tick is not None and tick.at == at(stated.at)
            right = right and value == points(stated.value_cents)
            said.append(f"{NAMES[code]} {value} at {RESUMED[code]}")
            self.chronicle.write(
                at(RESUMED[code]),
                "resumption",
                f"Dissemination of {NAMES[code]} resumed: first snapshot of {value} as at "
                f"{RESUMED[code]}.",
            )
        proven = ", ".join(f"{one.proven} held ticks in a row were right" for one in proofs)
        states = [one for one in self.withheld.told if isinstance(one, GatewayStateChanged)]
        facts = {"gateway": [plain(one) for one in states]}
        return judged(right, f"{', '.join(said)}; {proven}", facts)
