"""What follows from a day's index values for contracts and settlement, with the tools of today.

Fed with what was shown and, later, with what was recalculated. Calls are judged by value and by day
low, the withheld values laid beside the shown ones, trades after the call listed, the settlement
marks read. Knows no step and no paper; called by the second act.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import define, field

from hkex_ops.calendars import BusinessDay
from hkex_ops.config.products import load_products, load_trades
from hkex_ops.flows.index.calling import write_call_files
from hkex_ops.index.calls import CallEvent, Calls, ProductSuspended
from hkex_ops.index.cancellation import (
    Cancellation,
    ProductTrade,
    cancellation_of,
    files_due,
    participants_of,
)
from hkex_ops.index.products import CallableProduct
from hkex_ops.index.restatement import Restatement
from hkex_ops.index.settlement import Settlement, SettlementAnswer
from hkex_ops.model import IndexTick, JsonObject, plain
from hkex_ops_simulator.hsil.contracts import products_csv, trades_csv

__all__ = ["JudgedDay", "settlement_document"]


@define
class JudgedDay:
    """The contracts and trades of ``day``. ``suspended`` are the suspensions as they came;
    ``restated`` is there once the day was recalculated."""

    day: BusinessDay
    calls: Calls = field(init=False)
    products: tuple[CallableProduct, ...] = field(init=False)
    trades: tuple[ProductTrade, ...] = field(init=False)
    suspended: list[ProductSuspended] = field(factory=list[ProductSuspended], init=False)
    restated: Restatement | None = field(default=None, init=False)
    _taken: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        # Read as an operator's files are, with every check.
        with TemporaryDirectory(prefix="hkex-ops-") as folder:
            products, trades = Path(folder, "products.csv"), Path(folder, "trades.csv")
            products.write_text(products_csv(), encoding="utf-8")
            trades.write_text(trades_csv(), encoding="utf-8")
            self.products = load_products(products)
            self.trades = load_trades(trades, self.day)
        self.calls = Calls(self.products, self.day)

    @property
    def cancellation(self) -> Cancellation:
        """The trades that go, as far as calls are known."""
        return cancellation_of(self.calls.calls, self.trades)

    @property
    def participants(self) -> tuple[str, ...]:
        """Who has a trade that goes."""
        return tuple(participants_of(self.cancellation.trades))

    @property
    def files_due(self) -> datetime:
        """By when they must have their files."""
        return files_due(self.day)

    def see(self, shown: Sequence[tuple[datetime, IndexTick]]) -> None:
        """Judge what of ``shown`` is new, each value at the moment it went out."""
        fresh, self._taken = shown[self._taken :], len(shown)
        events = [event for out, tick in fresh for event in self.calls.handle(tick, out)]
        self.suspended += [one for one in events if isinstance(one, ProductSuspended)]

    def recalculated(self, restated: Restatement, now: datetime) -> list[CallEvent]:
        """Judge what was recalculated."""
        self.restated = restated
        return [event for tick in restated.ticks for event in self.calls.handle(tick, now)]

    def settlement(self, index: str, ticks: Iterable[IndexTick]) -> SettlementAnswer:
        """The settlement from ``ticks``, after the day."""
        machine = Settlement(index, self.day)
        for tick in ticks:
            machine.handle(tick, tick.at)
        return machine.answer()

    def call_files(self) -> dict[str, str]:
        """The trade files of participants and the drafts of announcements, by name."""
        with TemporaryDirectory(prefix="hkex-ops-") as parent:
            folder = Path(parent, "calls")
            names = write_call_files(
                folder, self.calls.calls, self.cancellation, self.calls_document()
            )
            return {name: (folder / name).read_text("utf-8") for name in names}

    def calls_document(self) -> JsonObject:
        """Calls, suspensions and trades to cancel, in the shape of ``hkex-ops index calls``."""
        cancellation = self.cancellation
        return {
            "date": self.day.date.isoformat(),
            "notice": "SYNTHETIC products and trades, which add up to the published totals",
            "calls": [
                {
                    "product": call.product.product,
                    "index": call.product.index,
                    "time": plain(call.time),
                    "call_level": str(call.product.call_level),
                    "index_value": str(call.index_value),
                    "by": call.by.value,
                    "session": call.session,
                    "kind": call.kind.value,
                }
                for call in self.calls.calls
            ],
            "suspended": [
                {"product": call.product.product, "at": call.suspended_at.isoformat()}
                for call in self.calls.calls
            ],
            "trades_to_cancel": [
                {
                    "trade": one.trade,
                    "product": one.product,
                    "buyer": one.buyer,
                    "seller": one.seller,
                    "time": one.time.isoformat(),
                    "price": str(one.price),
                    "quantity": one.quantity,
                    "turnover": str(one.turnover),
                }
                for one in cancellation.trades
            ],
            "totals": {
                "trades": len(cancellation.trades),
                "products": len(cancellation.products),
                "turnover": str(cancellation.turnover),
            },
            "files_due": self.files_due.isoformat(),
        }


def settlement_document(answer: SettlementAnswer) -> JsonObject:
    """A settlement in the shape of ``hkex-ops index settlement``, without its settings."""
    return {
        "index": answer.index,
        "date": answer.day.date.isoformat(),
        "marks": [
            {"at": one.at.isoformat(), "value": plain(one.value), "kind": one.kind.value}
            for one in answer.marks
        ],
        "eas": plain(answer.eas),
        "final_settlement_price": plain(answer.final_settlement_price),
        "missing": answer.missing,
        "policies": [plain(one) for one in answer.policies],
    }
