"""The enquiry gate: what only asks passes by the one function that asks, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from oapi_benches import needs_compiler, open_bench
from oapi_desk import ENQUIRIES as ASKED, desk_options

from hkex_ops.errors import ConfigError, Denied
from hkex_ops.model import Enquiry, GateDecision, SiteRole, Transaction, TransactionType
from hkex_ops.ports import SupportsTransact
from hkex_ops_oapi.codec import ByteOrder, format_type
from hkex_ops_oapi.declarations import DECLARATIONS
from hkex_ops_oapi.gate import ENQUIRIES, EnquiryGate, SessionAct
from hkex_ops_oapi.link import Link
from hkex_ops_oapi.loading import load_library

# Every code that section 3.2 of the fact sheet names, series written out.
STATE_CHANGING = (
    *("CD4", "CD5", "CD28", "CD31", "CD32", "CD33", "CD34", "CD35", "CD36", "CD38", "CD54", "CD55"),
    *("CC11", "CC12", "CC13", "CC14", "CC15", "CC19", "CC20", "CC21", "CC22", "CC38", "CC40"),
    *("CC41", "CC42", "CC45", "CC47", "CC48", *(f"CC{number}" for number in range(88, 108))),
    *("FO20", "FO22", "FO23", "JC9", "UI1", "UI2", "UI3"),
    *(f"{letters}{number}" for letters in ("KC", "DC", "MO", "ML") for number in range(1, 200)),
)
SIMULATIONS = ("CQ31", "RQ71", "RQ72", "JQ71", "FQ40")

MESSAGE_FUNCTIONS = (
    *("omniapi_query_ex", "omniapi_tx_ex", "omniapi_tx_response_ex"),
    *("omniapi_query", "omniapi_tx", "omniapi_put_mgmt_ex", "omniapi_set_newpwd_ex"),
)
SIDE_EFFECTS = (
    *("omniapi_set_newpwd_ex", "omniapi_put_mgmt_ex", "omniapi_put_mgmt", "omniapi_tx_response_ex"),
    *("omniapi_set_source_ex", "omniapi_clear_event_ex", "omniapi_set_option_default", ""),
)

ORDERS: tuple[ByteOrder, ...] = ("little", "big")
VARIANTS = (256, 2048, 256 + 2048)


def message(code: TransactionType | str, order: ByteOrder = "little") -> bytes:
    parsed = TransactionType.parse(code) if isinstance(code, str) else code
    return format_type(parsed, order) + bytes(40)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("function", MESSAGE_FUNCTIONS)
def test_nothing_that_changes_anything_passes_by_any_function(
    function: str, order: ByteOrder
) -> None:
    """Every state-changing code of the fact sheet and every simulation, by every function."""
    gate = EnquiryGate(order)
    codes = (*STATE_CHANGING, *SIMULATIONS)
    for code in codes:
        with pytest.raises(Denied):
            gate.require_message(function, message(code, order))
    assert dict.fromkeys(codes, False) == {one.code: one.allowed for one in gate.decisions()}


@pytest.mark.parametrize("variant", VARIANTS)
def test_variants_of_enquiries_are_refused_and_named_as_such(variant: int) -> None:
    gate = EnquiryGate("little")
    for code in sorted(ENQUIRIES):
        other = TransactionType(code.module, code.server, code.number + variant)
        with pytest.raises(Denied, match=f"variant of {code}, whose meaning is not public"):
            gate.require_message("omniapi_query_ex", message(other))


def test_enquiries_pass_by_the_function_that_asks_and_by_no_other() -> None:
    gate = EnquiryGate("little")
    for code in sorted(ENQUIRIES):
        assert code == gate.require_message("omniapi_query_ex", message(code))
        for function in MESSAGE_FUNCTIONS[1:]:
            with pytest.raises(Denied):
                gate.require_message(function, message(code))


@given(st.binary(max_size=8), st.sampled_from(ORDERS))
def test_any_bytes_pass_only_when_they_are_an_enquiry(data: bytes, order: ByteOrder) -> None:
    gate = EnquiryGate(order)
    allowed = {format_type(code, order) for code in ENQUIRIES}
    try:
        gate.require_message("omniapi_query_ex", data)
    except Denied:
        assert data[:4] not in allowed
    else:
        assert data[:4] in allowed


@given(
    st.sampled_from([chr(letter) for letter in range(0x41, 0x5B)]),
    st.sampled_from([chr(letter) for letter in range(0x41, 0x5B)]),
    st.integers(0, 0xFFFF),
)
def test_the_list_is_all_that_passes(module: str, server: str, number: int) -> None:
    code = TransactionType(module, server, number)
    gate = EnquiryGate("big")
    if code in ENQUIRIES:
        gate.require_message("omniapi_query_ex", message(code, "big"))
    else:
        with pytest.raises(Denied):
            gate.require_message("omniapi_query_ex", message(code, "big"))


def test_a_number_in_the_other_order_is_another_number() -> None:
    """CQ10 in the wrong order is CQ2560, and the gate judges by the order that is spoken."""
    with pytest.raises(Denied):
        EnquiryGate("little").require_message("omniapi_query_ex", message("CQ10", "big"))


@pytest.mark.parametrize("function", SIDE_EFFECTS)
def test_calls_with_side_effects_are_refused(function: str) -> None:
    with pytest.raises(Denied, match="no call that asking needs"):
        EnquiryGate("little").require_act(SessionAct(function))


def test_a_forced_log_in_is_refused() -> None:
    with pytest.raises(Denied, match="somebody else's session"):
        EnquiryGate("little").require_act(SessionAct("omniapi_login_ex", is_forced=True))


@pytest.mark.parametrize("facility", [0, 3, 4, 5, 6, 7, 8, 9, 170, 173])
def test_an_old_kit_sends_nothing_but_log_in_and_log_out(facility: int) -> None:
    """Facility 7 and 9 change a password, 8 forces a log-in."""
    with pytest.raises(Denied):
        EnquiryGate("little").require_old_login(facility, (1, 2))


def test_what_must_never_be_called_is_not_even_declared() -> None:
    for name in ("newpwd", "put_mgmt", "tx_response", "set_source", "clear_event"):
        assert name not in DECLARATIONS


def test_the_same_question_asked_again_is_counted() -> None:
    gate = EnquiryGate("little")
    for code in ("CQ3", "CQ3", "CQ10", "CQ3"):
        gate.require_message("omniapi_query_ex", message(code))
    rule = "on the list of enquiries"
    assert (
        GateDecision(1, "omniapi_query_ex", "CQ3", True, rule, 2),
        GateDecision(2, "omniapi_query_ex", "CQ10", True, rule),
        GateDecision(3, "omniapi_query_ex", "CQ3", True, rule),
    ) == gate.decisions()


def test_with_transactions_only_the_listed_ones_pass() -> None:
    gate = EnquiryGate("little", [TransactionType.parse("CD28"), TransactionType.parse("UI1")])
    assert "CD28" == str(gate.require_message("omniapi_tx_ex", message("CD28")))
    for code in ("CD35", "UI1", "CQ10", *SIMULATIONS):
        with pytest.raises(Denied):
            gate.require_message("omniapi_tx_ex", message(code))
    with pytest.raises(Denied):
        gate.require_message("omniapi_query_ex", message("CD28"))


@needs_compiler
async def test_below_the_gateway_there_is_no_way_past_the_gate(tmp_path: Path) -> None:
    """The lowest storey, called by hand over the stand-in: nothing reaches the house."""
    async with open_bench(tmp_path) as bench:
        library = load_library(bench.stand_in.library, environment={})
        link = Link(library, gate := EnquiryGate(library.byte_order))
        calls: list[Callable[[bytes], object]] = [
            lambda data: link.query(173, data),
            lambda data: link.transact(173, data),
        ]
        for code in (*STATE_CHANGING, *SIMULATIONS):
            for call in calls:
                with pytest.raises(Denied):
                    call(message(code, library.byte_order))
        link.close()
        assert ([], []) == (list(bench.received()), list(bench.changed()))
        refused = [one for one in gate.decisions() if not one.allowed]
        assert 2 * len((*STATE_CHANGING, *SIMULATIONS)) == len(refused)


@needs_compiler
async def test_in_enquiry_mode_every_changing_code_is_denied_by_every_verb(tmp_path: Path) -> None:
    """By the port: as an enquiry, and, where somebody found a way to send, as a transaction."""
    from hkex_ops_oapi.gateway import TransactingGateway

    async with open_bench(tmp_path) as bench:
        async with bench.offer.open(bench.options(), SiteRole.PRIMARY) as gateway:
            assert not isinstance(gateway, SupportsTransact)
            for code in STATE_CHANGING:
                with pytest.raises(Denied):
                    await anext(gateway.enquire(Enquiry(code)))
                with pytest.raises(Denied):
                    await TransactingGateway.transact(gateway, Transaction(code))  # type: ignore[arg-type]
        assert [] == list(bench.changed())
        assert [] == [code for code in bench.received() if code in STATE_CHANGING]


@needs_compiler
async def test_options_cannot_widen_the_list(tmp_path: Path) -> None:
    """An operator may leave enquiries out, and can put nothing in that is none."""
    async with open_bench(tmp_path) as bench:
        for code in ("CD28", "CQ266", "CQ31", "UI1"):
            with pytest.raises(ConfigError, match="not on the list of messages that only ask"):
                desk_options(bench.stand_in, tmp_path, enquiries={**ASKED, code: ASKED["CQ3"]})
        with pytest.raises(ConfigError, match="while enquiries_only holds"):
            desk_options(bench.stand_in, tmp_path, transactions={"CD28": 3})
