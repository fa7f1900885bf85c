"""What the desk does at the clearing house in a rehearsal, through the adapter and the real flows.

Log in at each gateway as ``clearing check`` does, compare the books as ``clearing reconcile`` does,
try what must be refused, and ask the house's own back door afterwards whether anything changed.
Every decision of the enquiry gate is kept, with the step in which it was made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from attrs import define, field

from hkex_ops.clearing.rules import rules_for
from hkex_ops.cli.text import say_count
from hkex_ops.clock import Clock
from hkex_ops.config.clearing import match_rules
from hkex_ops.config.record_forms import load_answers
from hkex_ops.config.settings import Settings
from hkex_ops.errors import ConfigError, Denied
from hkex_ops.flows.clearing.book_files import book_file
from hkex_ops.flows.clearing.checking import GatewayCheck, check_gateways
from hkex_ops.flows.clearing.gateways import ConfiguredGateway, configured_gateway
from hkex_ops.flows.clearing.reconciling import Comparison, reconcile
from hkex_ops.flows.clearing.spool import scratch_folder
from hkex_ops.flows.clearing.tabling import fetch_book, live_columns, require_mappings
from hkex_ops.model import (
    Connection,
    Enquiry,
    GateDecision,
    Json,
    JsonObject,
    RecordKind,
    SiteRole,
    plain,
)
from hkex_ops.plugins import Plugins
from hkex_ops.ports import SupportsTransact
from hkex_ops.rundown import StepResult, StepState
from hkex_ops_simulator.oapi.house import ClearingHouse

__all__ = ["ClearingActs"]

# Variants of an enquiry whose meaning is not public: they must be refused like a change.
_VARIANTS = ("CQ259", "CQ266", "CQ2051", "CQ31")
_ASKING = "query_ex"


@define
class ClearingActs:
    """The acts of one rehearsal. ``settings`` reads the client's configuration as it is now.

    ``named`` gives the loopback connections of the gateways that the papers name, ``stated`` the
    paper's address of one, ``crossed`` how often the other site was called; ``keep`` puts a
    document into the evidence.
    """

    house: ClearingHouse
    ours: dict[RecordKind, Path]
    settings: Callable[[], Settings]
    plugins: Plugins
    clock: Clock
    named: Callable[[], Sequence[Connection]]
    stated: Callable[[str], str]
    crossed: Callable[[], int]
    keep: Callable[[str, JsonObject], None]
    _logged_in: bool = field(default=False, init=False)
    _sealed: str = field(default="", init=False)
    _decisions: list[Json] = field(factory=list[Json], init=False)

    # -- acts ------------------------------------------------------------------------------------

    async def log_in(self, site: SiteRole) -> StepResult:
        """Log in at every gateway of the site, look, log out: the flow of ``clearing check``."""
        settings = self.settings()
        configured = self._configured(settings)
        self._sealed = self.house.books.digest()
        if configured.site is not site:
            found = f"the gateway is configured for the {configured.site} site, not for {site}"
            return StepResult(StepState.FAILED, found, {"site": configured.site.value})
        checks = await check_gateways(
            configured,
            site,
            self.named(),
            self.clock,
            expiry_warning_days=settings.clearing.expiry_warning_days,
        )
        for one in checks:
            self._decided("check", one.gateway, one.decisions)
        self._logged_in = any(one.status is not None for one in checks)
        passed = bool(checks) and all(one.passed for one in checks)
        rows: list[Json] = [_row(one) for one in checks]
        facts: JsonObject = {"site": site.value, "gateways": rows}
        self.keep("clearing/check.json", facts)
        found = "; ".join(f"{self.stated(one.gateway)}{_told(one)}" for one in checks)
        return StepResult(StepState.PASSED if passed else StepState.FAILED, found, facts)

    async def refuse(self, site: SiteRole) -> StepResult:
        """Try to send what changes something: the gate must refuse each before it is sent."""
        if not self._logged_in:
            return _not_logged_in()
        sent = len(self.house.received)
        passed: list[str] = []
        refused: list[str] = []
        async with self._configured(self.settings()).open(site) as gateway:
            for code in (*self.house.changing, *_VARIANTS):
                try:
                    async for _ in gateway.enquire(Enquiry(code)):
                        pass
                    passed.append(code)
                except Denied:
                    refused.append(code)
            offered = isinstance(gateway, SupportsTransact)
            decisions = tuple(gateway.decisions())
        self._decided("refuse", str(site), decisions)
        arrived = [one.code for one in self.house.received[sent:] if one.code in refused]
        facts: JsonObject = {
            "refused": list(refused),
            "let_through": list(passed),
            "arrived": list(arrived),
            "transact_offered": offered,
            "decisions": [plain(one) for one in decisions if not one.allowed],
        }
        if passed or arrived or offered:
            wrong = ", ".join([*passed, *arrived]) or "transact"
            return StepResult(StepState.FAILED, f"not refused: {wrong}", facts)
        found = (
            f"{say_count(len(refused), 'message')} that do more than ask refused before anything "
            f"was sent, and transact is not offered: {', '.join(refused)}"
        )
        return StepResult(StepState.PASSED, found, facts)

    async def verify(self, kind: RecordKind, site: SiteRole) -> StepResult:
        """Compare our book of ``kind`` with the house's: the flow of ``clearing reconcile``."""
        if not self._logged_in:
            return _not_logged_in()
        settings = self.settings()
        answers = settings.clearing.answers
        if answers is None:
            raise ConfigError("names no file of answers", document=str(settings.path))
        mappings = require_mappings(load_answers(answers), kind)
        left = book_file(self.ours[kind], kind, settings.clearing.columns)
        rules = match_rules(settings.clearing, kind)
        rules = rules_for(rules, left.columns, live_columns(mappings))
        with scratch_folder() as folder:
            theirs, fetched = await fetch_book(
                self._configured(settings), site, mappings, rules, folder
            )
            ours = left.book(rules, fetched.business_date)
            compared = reconcile(rules, ours, theirs, Comparison(self.clock.now().date()))
        self._decided(f"verify-{kind}", str(fetched.gateway), fetched.decisions)
        tally = compared.tally
        document: JsonObject = {
            **compared.document(),
            "decisions": [plain(one) for one in fetched.decisions],
        }
        self.keep(f"clearing/reconcile-{kind}.json", document)
        facts: JsonObject = {
            "kind": kind.value,
            "gateway": str(fetched.gateway),
            "business_date": fetched.business_date.isoformat(),
            "tally": tally.document(rules),
        }
        found = (
            f"{tally.ours} {kind} of business date {fetched.business_date} in our books, "
            f"{tally.theirs} at the clearing house: {tally.matched} agree, "
            f"{say_count(tally.breaks, 'break')}"
        )
        well = tally.breaks == 0 and tally.matched > 0
        return StepResult(StepState.PASSED if well else StepState.FAILED, found, facts)

    async def log_out(self) -> StepResult:
        """Nobody is logged in any longer; each flow logged out when it had done its work."""
        if not self._logged_in:
            return _not_logged_in()
        left = len(self.house.queues)
        state = StepState.FAILED if left else StepState.PASSED
        return StepResult(state, f"{say_count(left, 'session')} left at the clearing house")

    async def unchanged(self) -> StepResult:
        """Ask the house itself: every message was an enquiry, and its books are as they were."""
        self.keep("clearing/gate.json", {"decisions": list(self._decisions)})
        received = self.house.received
        codes = list(dict.fromkeys(one.code for one in received))
        functions = sorted({one.function for one in received})
        facts: JsonObject = {
            "received": len(received),
            "codes": list(codes),
            "functions": list(functions),
            "changed": [one.code for one in self.house.changed],
            "decisions": len(self._decisions),
            "calls_at_the_secondary_site": self.crossed(),
        }
        if self.crossed():
            return StepResult(StepState.FAILED, "a client crossed to the secondary site", facts)
        if not self._logged_in:
            return _not_logged_in()
        same = self.house.books.digest() == self._sealed
        if self.house.changed or not same or functions != [_ASKING]:
            return StepResult(StepState.FAILED, "the clearing house was changed", facts)
        found = (
            f"{say_count(len(received), 'message')} came to the clearing house, all of them "
            f"enquiries ({', '.join(codes)}); its books are as they were, and nobody called at its "
            "secondary site"
        )
        return StepResult(StepState.PASSED, found, facts)

    # -- inside ----------------------------------------------------------------------------------

    def _configured(self, settings: Settings) -> ConfiguredGateway:
        return configured_gateway(settings, self.plugins)

    def _decided(self, step: str, gateway: str, decisions: Iterable[GateDecision]) -> None:
        self._decisions += [
            {"step": step, "gateway": gateway, "decision": plain(one)} for one in decisions
        ]


def _not_logged_in() -> StepResult:
    return StepResult(StepState.SKIPPED, "not logged in to DCASS-OAPI")


def _row(check: GatewayCheck) -> Json:
    return {
        "gateway": check.gateway,
        "stated": check.stated,
        "passed": check.passed,
        "logged_in_at": plain(check.logged_in_at),
        "logged_out_at": plain(check.logged_out_at),
        "status": plain(check.status),
        "error": check.error or None,
        "findings": list(check.findings),
        "decisions": [plain(one) for one in check.decisions],
    }


def _told(check: GatewayCheck) -> str:
    """One gateway in a phrase."""
    status = check.status
    if check.error or status is None:
        return f"{check.gateway}: {check.error or 'it told nothing of itself'}"
    days = status.days_to_password_expiry
    expires = "" if days is None else f", password expires in {say_count(days, 'day')}"
    wrong = "".join(f"; {one}" for one in check.findings)
    return (
        f"{check.gateway} logged in as {status.user_code}, business date "
        f"{status.business_date}{expires}, logged out{wrong}"
    )
