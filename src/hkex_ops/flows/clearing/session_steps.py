"""The steps of a session at the gateways of a clearing house that need no person.

Addresses are held against the paper's, the log-in is tried at each gateway by itself, and nobody is
left logged in, so that the log-out has nothing to do but to say so.
"""

from __future__ import annotations

from collections.abc import Sequence

from hkex_ops.clock import Clock
from hkex_ops.errors import UsageError
from hkex_ops.flows.clearing.checking import GatewayCheck, check_gateways, is_at
from hkex_ops.flows.clearing.gateways import ConfiguredGateway
from hkex_ops.model import Connection, JsonObject, SiteRole, Step, StepAction, plain
from hkex_ops.rundown import StepResult, StepState

__all__ = ["GATEWAY_STEPS", "GatewayWork"]

GATEWAY_STEPS = (StepAction.CHECK_ADDRESSES, StepAction.LOG_IN, StepAction.LOG_OUT)
"""What is done without a person where a gateway is configured for the service of a step."""


class GatewayWork:
    """Does such steps at ``site``; ``named`` are the gateways that the paper states for it."""

    def __init__(
        self,
        configured: ConfiguredGateway,
        site: SiteRole,
        named: Sequence[Connection],
        clock: Clock,
        *,
        expiry_warning_days: int,
    ) -> None:
        self._configured = configured
        self._site = site
        self._named = tuple(named)
        self._clock = clock
        self._expiry_warning_days = expiry_warning_days

    async def step(self, step: Step) -> StepResult:
        """Do one of `GATEWAY_STEPS`; `UsageError` for any other."""
        match step.action:
            case StepAction.CHECK_ADDRESSES:
                return self._addresses()
            case StepAction.LOG_IN:
                return await self._log_in()
            case StepAction.LOG_OUT:
                found = "nobody is logged in: each gateway was logged out of when it was looked at"
                return StepResult(StepState.PASSED, found)
            case _:
                raise UsageError(f"a person does this step: {step.text}")

    def _addresses(self) -> StepResult:
        addresses = self._configured.addresses(self._site)
        told = [str(one) for one in addresses]
        facts: JsonObject = {
            "configured": list(told),
            "stated": [one.host for one in self._named],
        }
        if not addresses:
            found = f"adapter {self._configured.offer.name} does not tell which gateways it uses"
            return StepResult(StepState.UNKNOWN, found, facts)
        stray = [str(it) for it in addresses if not any(is_at(one, it) for one in self._named)]
        lacking = [one.host for one in self._named if not any(is_at(one, it) for it in addresses)]
        if stray or lacking:
            wrong = [f"{one} is not in the circular" for one in stray]
            wrong += [f"{one} is not in the configuration" for one in lacking]
            return StepResult(StepState.FAILED, "; ".join(wrong), facts)
        return StepResult(StepState.PASSED, f"the circular's: {', '.join(told)}", facts)

    async def _log_in(self) -> StepResult:
        """Each gateway by itself. One that lets us in is enough: the paper says “and/or”."""
        checks = await check_gateways(
            self._configured,
            self._site,
            self._named,
            self._clock,
            expiry_warning_days=self._expiry_warning_days,
        )
        facts: JsonObject = {"gateways": [plain(one) for one in checks]}
        within = [one for one in checks if one.status is not None]
        wrong = [sentence for one in checks for sentence in _wrong(one)]
        if not within:
            return StepResult(StepState.FAILED, "; ".join(wrong), facts)
        found = (
            f"logged in at {len(within)} of {len(checks)} gateways, and out again: "
            + ", ".join(
                f"{one.gateway} as {one.status.user_code}, business date {one.status.business_date}"
                for one in within
                if one.status is not None
            )
        )
        return StepResult(StepState.PASSED, "; ".join([found, *wrong]), facts)


def _wrong(check: GatewayCheck) -> list[str]:
    said = [check.error] if check.error else []
    return [f"{check.gateway}: {sentence}" for sentence in (*said, *check.findings)]
