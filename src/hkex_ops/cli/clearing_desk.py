"""What the commands of ``hkex-ops clearing`` share: gateway, papers, evidence, their options."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

from attrs import frozen
from cyclopts import Parameter
from rich.console import Console

from hkex_ops.calendars import Calendar
from hkex_ops.clearing.answers import AnswerMapping
from hkex_ops.cli.evidence import shown_path, target_of
from hkex_ops.cli.logs import configure_logs
from hkex_ops.cli.options import config_path, parse_at, parse_day, parse_site, system_clock
from hkex_ops.cli.papers import known_papers
from hkex_ops.cli.text import say
from hkex_ops.cli.working import work_folder
from hkex_ops.clock import Clock
from hkex_ops.config.record_forms import load_answers
from hkex_ops.config.settings import Settings, load_settings
from hkex_ops.errors import ConfigError, HkexOpsError
from hkex_ops.flows.clearing.gateways import ConfiguredGateway, configured_gateway, rulings_at
from hkex_ops.flows.clearing.proving import Proof, keep_evidence
from hkex_ops.flows.overrides import require
from hkex_ops.flows.packing import Packed
from hkex_ops.flows.plugged import load_plugins
from hkex_ops.model import JsonObject, RecordKind, Rollout, SiteRole

__all__ = [
    "BusinessDay",
    "ClearingDesk",
    "DryRun",
    "EvidenceFolderOption",
    "Gateway",
    "clearing_desk",
    "evidence_document",
    "parse_business_day",
    "say_evidence",
]

Gateway = Annotated[
    str | None,
    Parameter(name="--gateway", help="Name of the clearing gateway, where there are several."),
]
EvidenceFolderOption = Annotated[
    Path | None,
    Parameter(name="--evidence", help="New folder for the evidence; else ./evidence/WHAT-TIME."),
]
DryRun = Annotated[
    bool,
    Parameter(
        name="--dry-run",
        negative="",
        help="Say what would be asked; log in nowhere, write nothing.",
    ),
]
BusinessDay = Annotated[
    str | None,
    Parameter(
        name="--business-date", help="The business date asked about; else the gateway's own."
    ),
]


@frozen
class ClearingDesk:
    """What a command works with that speaks to a gateway."""

    settings: Settings
    configured: ConfiguredGateway
    rollouts: Sequence[Rollout]
    calendar: Calendar
    clock: Clock
    at: datetime

    def site(self, text: str | None) -> SiteRole:
        """The site to work with; `Denied` when it is the secondary one and a rule forbids that."""
        place = parse_site(text, self.configured.site)
        if place is SiteRole.SECONDARY:
            work, service = work_folder(None, self.settings), self.configured.service
            require("use-secondary-site", self.rollouts, work, self.clock, service=service)
        return place

    def answers(self) -> Mapping[RecordKind, Sequence[AnswerMapping]]:
        """The declared enquiries; `ConfigError` when none are."""
        path = self.settings.clearing.answers
        if path is None:
            raise ConfigError(
                "names no file of answers: write answers = FILE under [clearing], which says in "
                "which fields of your layouts the records stand",
                document=str(self.settings.path),
            )
        return load_answers(path)

    @contextmanager
    def proving(self, what: str, folder: Path | None) -> Generator[Proof]:
        """Evidence of what the body does, with what the papers say about doing more than asking.

        It will be in ``folder``, or beside others of this folder. What fails once a gateway was
        asked is evidence too, the gate's decisions up to there included.
        """
        name = f"clearing-{what}"
        target = target_of(folder, name, self.clock)
        proof = Proof(name, _free(target) if folder is None else target, self.clock.now())
        proof.rulings(rulings_at(self.rollouts, self.configured.service, self.at))
        try:
            yield proof
        except HkexOpsError as error:
            if self.configured.decided:
                proof.event("failed", {"error": type(error).__name__, "message": str(error)})
                proof.decisions(self.configured.name, self.configured.decided)
                keep_evidence(proof, self.clock)
            raise

    def keep(self, proof: Proof) -> Packed:
        """Keep the evidence."""
        return keep_evidence(proof, self.clock)


MOST_IN_A_SECOND = 100


def _free(target: Path) -> Path:
    """The same, or numbered where something was done in the same second before."""
    names = (target.name, *(f"{target.name}-{number}" for number in range(2, MOST_IN_A_SECOND)))
    every = (target.with_name(name) for name in names)
    return next((one for one in every if not one.exists()), target)


def clearing_desk(
    config: Path | None, gateway: str | None, at: str | None, *, verbose: bool, as_json: bool
) -> ClearingDesk:
    """The desk of one command line; raises what configuration and plug-ins deserve."""
    configure_logs(verbose=verbose, as_json=as_json)
    settings = load_settings(config_path(config))
    configured = configured_gateway(settings, load_plugins(settings.plugins.block), gateway)
    papers, calendar = known_papers(config)
    clock = system_clock()
    rollouts = tuple(papers.rollouts.values())
    return ClearingDesk(settings, configured, rollouts, calendar, clock, parse_at(at, clock))


def parse_business_day(text: str | None) -> date | None:
    """The business date that was stated, if one was; the clearing house knows which it has."""
    return None if text is None else parse_day(text)


def evidence_document(packed: Packed | None) -> JsonObject | None:
    """Evidence as a document tells it."""
    if packed is None:
        return None
    return {"folder": shown_path(packed.folder), "seal": packed.seal}


def say_evidence(packed: Packed | None, console: Console) -> None:
    """Say where the evidence is and how to prove it."""
    if packed is not None:
        shown = shown_path(packed.folder)
        say(console, f"Evidence in {shown}; prove it with: hkex-ops evidence verify {shown}")
