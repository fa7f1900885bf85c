"""One session at one gateway: logged in, ready, used, logged out. Every call has a time limit.

A session that is lost stays lost: nothing here logs in again by itself, because who may be logged
in where is an operator's decision, and a wrong password tried again locks a user out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from hkex_ops.errors import AuthRefused, Busy, ConfigError, HkexOpsError, TimedOut, Unreachable
from hkex_ops.model import Endpoint, PasswordChange
from hkex_ops_oapi.gate import EnquiryGate
from hkex_ops_oapi.link import Credentials, Link, QueryAnswer
from hkex_ops_oapi.loading import Library
from hkex_ops_oapi.options import OapiOptions
from hkex_ops_oapi.statuses import (
    NOT_READY,
    PASSWORD_ADVISED,
    PASSWORD_REQUIRED,
    RECONNECTED,
    SESSION_LOST,
    Told,
    failure,
)
from hkex_ops_oapi.worker import Worker

__all__ = ["Session"]

T = TypeVar("T")

USER_CODE, FACILITY_BASE, CENTRAL_VERSION, DAYS_TO_EXPIRY, TIMEOUT_INFO = 1, 2, 4, 11, 14
_COMPRESSION, _ENCRYPTION = 1, 2

# Leaving must end also where a gateway has gone silent.
LOG_OUT_LIMIT_S = 10


class Session:
    """A session at ``gateway``. :meth:`log_in` first, :meth:`log_out` last, whatever happened."""

    def __init__(
        self, options: OapiOptions, library: Library, gate: EnquiryGate, gateway: Endpoint
    ) -> None:
        self._options = options
        self._library = library
        self._gate = gate
        self._worker = Worker(f"oapi {gateway}")
        self._link: Link | None = None
        self._is_in = False
        self._may_be_in = False
        self.gateway: Endpoint = gateway
        self.lost: str = ""
        self.password_change: PasswordChange = PasswordChange.NONE
        self.user_code: str = ""
        self.facility_base: int | None = None

    # -- life --------------------------------------------------------------------------------

    async def log_in(self, password: str) -> None:
        """Log in and wait until the gateway is ready. Raises `HkexOpsError` of every kind."""
        self._link = await self._run("create_session", lambda: Link(self._library, self._gate))
        await self._set_options()
        options = self._options
        credentials = Credentials(options.user, password, self.gateway, options.program)
        doing = f"log-in of {options.user} at {self.gateway}"
        self._may_be_in = True
        told = await self.run("login", lambda link: link.log_in(credentials))
        numbers = {told.completion, told.transaction}
        if told.completion < 0 or (told.transaction < 0 and told.completion == 0):
            raise await self._failed(doing, told)
        if told.completion not in (0, RECONNECTED, PASSWORD_ADVISED, PASSWORD_REQUIRED):
            raise failure(doing, told)
        self._is_in = True
        if PASSWORD_REQUIRED in numbers:
            self.password_change = PasswordChange.REQUIRED
            return
        if PASSWORD_ADVISED in numbers:
            self.password_change = PasswordChange.ADVISED
        await self._become_ready()

    async def _set_options(self) -> None:
        options = self._options
        stated = ((_COMPRESSION, options.compression), (_ENCRYPTION, options.encryption))
        for option, switch in stated:
            if switch is not None:
                await self._set_option(option, switch.number)

    async def _set_option(self, option: int, number: int) -> None:
        told = await self.run("set_option", lambda link: link.set_option(option, number))
        if told is None:
            raise ConfigError("this kit is too old for the options compression and encryption")
        if told.completion < 0:
            raise failure(f"option {option} of the library", told)

    async def _become_ready(self) -> None:
        """Poll the user code: the central system needs a while after a log-in."""
        told, data = Told(NOT_READY), b""
        try:
            async with asyncio.timeout(self._options.ready_timeout_s):
                while True:
                    told, data = await self.run("get_info", lambda link: link.info(USER_CODE))
                    if told.completion != NOT_READY:
                        break
                    await asyncio.sleep(self._options.ready_poll_ms / 1000)
        except TimeoutError:
            raise Busy(
                f"the gateway {self.gateway} was not ready within "
                f"{self._options.ready_timeout_s} s after the log-in: try again later"
            ) from None
        if told.completion < 0:
            raise await self._failed("user code", told)
        self.user_code = data.partition(b"\0")[0].decode("latin-1").strip()
        base, number = await self.run("get_info", lambda link: link.info_number(FACILITY_BASE))
        if base.completion < 0 or number is None:
            raise await self._failed("base of the facilities", base)
        self.facility_base = number

    async def log_out(self) -> None:
        """Log out and close; never fails and never waits long."""
        link, self._link = self._link, None
        if link is None:
            work: Callable[[], object] = _nothing
        elif self._may_be_in and not self.lost:
            work = link.leave
        else:
            work = link.leave if self._worker.stuck_in else link.close
        self._is_in = False
        await self._worker.finish(work, LOG_OUT_LIMIT_S)

    # -- use ---------------------------------------------------------------------------------

    async def run(self, what: str, work: Callable[[Link], T]) -> T:
        """One call in the session's thread. Raises `Unreachable` once the session is lost."""
        if self.lost:
            raise Unreachable(f"the session at {self.gateway} is lost: {self.lost}")
        link = self._link
        if link is None:
            raise Unreachable(f"the session at {self.gateway} has ended: log in again")
        return await self._run(what, lambda: work(link))

    async def query(self, doing: str, facility: int, message: bytes) -> bytes:
        """The answer to one question; any number but plain success is an error."""
        answer: QueryAnswer = await self.run(doing, lambda link: link.query(facility, message))
        if not answer.told.is_good:
            raise await self._failed(doing, answer.told)
        return answer.data

    async def number(self, kind: int) -> int | None:
        """A number that the library knows, or nothing where it does not."""
        told, number = await self.run("get_info", lambda link: link.info_number(kind))
        self._look(told)
        return number

    async def text(self, kind: int) -> str:
        """A text that the library knows; blank where it does not."""
        told, data = await self.run("get_info", lambda link: link.info(kind))
        self._look(told)
        if told.completion < 0:
            return ""
        return data.partition(b"\0")[0].decode("latin-1").strip()

    async def require(self, doing: str, told: Told) -> None:
        """Raise what ``told`` means when it is no success."""
        if told.completion < 0:
            raise await self._failed(doing, told)

    async def require_transaction(self, doing: str, told: Told) -> None:
        """Raise what ``told`` means when a transaction was not taken."""
        if told.completion < 0 or told.transaction < 0:
            raise await self._failed(doing, told)

    def facility(self, offset: int) -> int:
        """The facility at ``offset`` from the base."""
        if self.facility_base is None:
            raise AuthRefused(
                f"the password of {self._options.user} must be changed first, by a person: "
                "nothing else is answered before"
            )
        return self.facility_base + offset

    async def _failed(self, doing: str, told: Told) -> HkexOpsError:
        """The error for ``told``, with the central system's own text where it has one."""
        self._look(told)
        code = told.transaction if told.transaction < 0 else told.completion
        text = ""
        if not self.lost and not self._worker.stuck_in and self._link is not None:
            text = await self.run("get_message", lambda link: link.text_of(code))
        return failure(doing, Told(told.completion, told.transaction, text))

    def _look(self, told: Told) -> None:
        if self._is_in and told.completion in SESSION_LOST:
            self.lost = str(failure("session", told)).removeprefix("session: ")

    async def _run(self, what: str, work: Callable[[], T]) -> T:
        try:
            return await self._worker.run(what, work, self._options.call_timeout_s)
        except TimedOut as error:
            # A call that only waited its turn in vain leaves the session as it is.
            if self._worker.stuck_in:
                self.lost = self.lost or str(error)
            raise


def _nothing() -> None:
    """There is nothing to leave."""
