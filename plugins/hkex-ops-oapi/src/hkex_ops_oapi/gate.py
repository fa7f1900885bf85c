"""The enquiry gate: what may be said to the central system, decided on the bytes of each message.

Pure. It knows an explicit list of messages that only ask, by module, server and number, and lets
through nothing else; which function would carry a message is no measure of what it does, so the
function is judged as well. Every question put to it is kept with its answer. It is asked right
above the library, in :mod:`hkex_ops_oapi.link`, and there is no other way to the library.

The list is that of section 3.1 of the fact sheet of this interface: messages that exchanges of the
same make use for asking. What HKEX enables of them only its own manual says; a message that it does
not enable is refused there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import evolve, frozen

from hkex_ops.errors import Denied, WireError
from hkex_ops.model import GateDecision, TransactionType
from hkex_ops_oapi.codec import ByteOrder, parse_type

__all__ = ["ENQUIRIES", "GATE_SOURCE", "EnquiryGate", "SessionAct", "is_enquiry"]

GATE_SOURCE = "enquiry gate of hkex-ops-oapi"

_NUMBERS: Mapping[str, tuple[int, ...]] = {
    # trades, give-ups, positions, exercises, accounts, deliveries, commission, fixings, dates
    "CQ": (
        *(1, 2, 3, 8, 10, 11, 14, 15, 16, 17, 19, 20, 21, 22, 36, 38, 39, 40, 52, 53, 61, 62, 64),
        *(65, 68, 72, 76, 77, 100, 122, 123, 128, 163),
    ),
    # reference data
    "DQ": (
        *(2, 3, 4, 6, 7, 8, 9, 10, 12, 18, 19, 20, 22, 23, 24, 28, 29, 30, 33, 45, 46),
        *(120, 121, 122, 123, 124, 125, 126, 134, 152),
    ),
    # dates, signals, texts, partitions, states
    "UQ": (1, 9, 10, 12, 13, 14, 15, 20, 21, 22),
    # margin, settlement prices
    "RQ": (1, 3, 6, 7, 20, 21, 22, 23, 35, 36, 41, 44, 62, 122),
    "JQ": (1, 7, 10, 11, 31, 54, 55),
    # payments
    "SQ": (1, 2),
    # reports; LR5 and LR6 give lists, despite their letter
    "LQ": (1, 2, 3, 4),
    "LR": (5, 6),
}

ENQUIRIES: frozenset[TransactionType] = frozenset(
    TransactionType(letters[0], letters[1], number)
    for letters, numbers in _NUMBERS.items()
    for number in numbers
)
"""Every message that only asks."""

# Questions in name that compute something at the central system.
_SIMULATIONS = frozenset(
    TransactionType.parse(code) for code in ("CQ31", "RQ71", "RQ72", "JQ71", "FQ40")
)
_VARIANTS = (256, 2048, 256 + 2048)
_READY = TransactionType("U", "I", 1)

QUERY = "omniapi_query_ex"
TRANSACTION = "omniapi_tx_ex"

_SESSION_CALLS = frozenset(
    {
        "omniapi_create_session",
        "omniapi_close_session",
        "omniapi_set_option_ex",
        "omniapi_login_ex",
        "omniapi_logout_ex",
        "omniapi_set_event_ex",
        "omniapi_read_event_ext_ex",
        "omniapi_get_info_ex",
        "omniapi_get_message_ex",
    }
)


@frozen
class SessionAct:
    """A call that carries no message: the function, and whether it would force a log-in."""

    function: str
    is_forced: bool = False


class EnquiryGate:
    """What this session may say, and what it was asked.

    ``transactions`` are the messages that may change something; none while only enquiries are
    allowed.
    """

    def __init__(self, order: ByteOrder, transactions: Iterable[TransactionType] = ()) -> None:
        self._order: ByteOrder = order
        self._transactions = frozenset(transactions)
        self._decisions: list[GateDecision] = []

    def decisions(self) -> tuple[GateDecision, ...]:
        """Every question with its answer, in order; the same asked again at once is counted."""
        return tuple(self._decisions)

    def require_message(self, function: str, payload: bytes) -> TransactionType:
        """The type of a message that ``function`` may carry; `Denied` for any other."""
        try:
            code = parse_type(payload, self._order)
        except WireError:
            raise self._denied(function, payload[:4].hex(), "it begins with no type") from None
        reason = self._against(function, code)
        if reason:
            raise self._denied(function, str(code), reason)
        rule = "on the list of enquiries"
        if function == TRANSACTION:
            rule = "on the list of transactions that this session may send"
        self._keep(function, str(code), rule, allowed=True)
        return code

    def require_act(self, act: SessionAct) -> None:
        """`Denied` for a call that is no part of asking."""
        if act.is_forced:
            raise self._denied(act.function, "", "a forced log-in ends somebody else's session")
        if act.function not in _SESSION_CALLS:
            raise self._denied(act.function, "", "it is no call that asking needs")
        self._keep(act.function, "", "a call of the session", allowed=True)

    def require_old_login(self, facility: int, facilities: Iterable[int]) -> None:
        """`Denied` unless an old kit's log-in or log-out goes by one of ``facilities``."""
        if facility not in facilities:
            raise self._denied(TRANSACTION, f"facility {facility}", "it is no log-in or log-out")
        self._keep(
            TRANSACTION, f"facility {facility}", "log-in or log-out of an old kit", allowed=True
        )

    def _against(self, function: str, code: TransactionType) -> str:
        """Why ``function`` may not carry ``code``; blank where it may."""
        if code == _READY:
            return "it marks the application as ready to trade"
        if code in _SIMULATIONS:
            return "it asks the central system to compute, and not what is so"
        if function == QUERY:
            return "" if code in ENQUIRIES else _not_asking(code)
        if function == TRANSACTION:
            if code in self._transactions:
                return ""
            return (
                "it is not on the list of transactions that this session may send"
                if self._transactions
                else "only enquiries are allowed, and those go another way"
            )
        return "no message goes by this function"

    def _denied(self, function: str, code: str, reason: str) -> Denied:
        self._keep(function, code, reason, allowed=False)
        what = f"{code} by {function}" if code else function
        return Denied(what, rule=reason, source=GATE_SOURCE, until=None)

    def _keep(self, function: str, code: str, rule: str, *, allowed: bool) -> None:
        last = self._decisions[-1] if self._decisions else None
        if last is not None and (last.function, last.code, last.rule) == (function, code, rule):
            self._decisions[-1] = evolve(last, times=last.times + 1)
            return
        number = len(self._decisions) + 1
        self._decisions.append(GateDecision(number, function, code, allowed, rule))


def is_enquiry(code: TransactionType) -> bool:
    """Whether ``code`` is on the list of messages that only ask."""
    return code in ENQUIRIES


def _not_asking(code: TransactionType) -> str:
    for variant in _VARIANTS:
        base = TransactionType(code.module, code.server, code.number - variant)
        if base in ENQUIRIES:
            return f"it is a variant of {base}, whose meaning is not public"
    return "it is not on the list of enquiries"
