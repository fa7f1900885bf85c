"""Enquiries over a session: a question, its pages, and the proof that the answer is whole."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import date, datetime

from hkex_ops.config.structuring import nearest
from hkex_ops.errors import ConfigError, PermanentError, WireError
from hkex_ops.model import Enquiry, EnquiryPage, FieldValue, TransactionType
from hkex_ops_oapi.codec import Codec, Decoded, format_type
from hkex_ops_oapi.gate import QUERY, EnquiryGate
from hkex_ops_oapi.options import EnquiryOptions, OapiOptions
from hkex_ops_oapi.paging import Coverage, Pager, covered_by
from hkex_ops_oapi.session import Session

__all__ = ["Enquirer"]

_SERIES = "series"


class Enquirer:
    """Asks by layouts and options. Called by the gateway and by what recovers events."""

    def __init__(
        self, options: OapiOptions, session: Session, codec: Codec, gate: EnquiryGate
    ) -> None:
        self._options = options
        self._session = session
        self._codec = codec
        self._gate = gate

    async def pages(self, enquiry: Enquiry) -> AsyncGenerator[EnquiryPage]:
        """The pages of an answer; see the port."""
        code = TransactionType.parse(enquiry.code)
        if (
            not self._codec.layouts.find(enquiry.code)
            or enquiry.code not in self._options.enquiries
        ):
            # What the gate refuses is denied whether or not anything is known of it.
            self._gate.require_message(QUERY, format_type(code, self._codec.order))
        options = self._options_of(enquiry.code)
        facility = self._session.facility(options.facility)
        doing = f"enquiry {enquiry.code} at facility {facility}"
        if options.source:
            doing += f" (offset {options.facility} by {options.source})"
        pager = Pager(enquiry.code, options, enquiry.parameters)
        coverage: Coverage | None = None
        for number in range(1, self._options.pages_most + 1):
            message = self._codec.encode(enquiry.code, pager.parameters)
            if coverage is None:
                coverage = Coverage(enquiry.code, self._wanted(enquiry.code, message))
            data = await self._session.query(doing, facility, message)
            answer = self._decoded(code, data)
            coverage.take(answer, options)
            is_last = pager.take(answer)
            if is_last:
                coverage.require_whole()
            yield EnquiryPage(enquiry, answer.code, answer.fields, answer.items, number, is_last)
            if is_last:
                return
        raise PermanentError(
            f"enquiry {enquiry.code} has more than {self._options.pages_most} pages: raise "
            "pages_most, or ask for less"
        )

    async def business_date(self) -> date | None:
        """The business date as the central system tells it; nothing where it cannot be asked."""
        asked = self._options.business_date
        if asked.enquiry not in self._options.enquiries:
            return None
        async with aclosing(self.pages(Enquiry(asked.enquiry))) as pages:
            page = await anext(pages)
        spelt = page.header.get(asked.field)
        if spelt is None:
            raise ConfigError(
                f"business_date.field is {asked.field!r}, which the answer does not have; "
                f"{nearest(asked.field, sorted(page.header))}"
            )
        return _day(spelt)

    def _options_of(self, code: str) -> EnquiryOptions:
        options = self._options.enquiries.get(code)
        if options is None:
            raise ConfigError(
                f"enquiry {code} has no facility: add enquiries.{code}, with the offset that the "
                "exchange's manual states"
            )
        return options

    def _decoded(self, code: TransactionType, data: bytes) -> Decoded:
        answer = self._codec.decode(data)
        expected = TransactionType(code.module, "A", code.number)
        if TransactionType.parse(answer.code) != expected:
            raise WireError(f"{code} was answered by {answer.code}, not by {expected}", offset=0)
        return answer

    def _wanted(self, code: str, message: bytes) -> tuple[bytes, bytes] | None:
        """The series that a question is about, where it is about series."""
        _, record = self._codec.layouts.of(code)
        parts = [
            message[one.offset : one.end]
            for one in record.fields
            if one.name.rpartition(".")[0] == _SERIES
        ]
        return covered_by(b"".join(parts)) if parts else None


def _day(spelt: FieldValue) -> date | None:
    if spelt == "":
        return None
    try:
        return datetime.strptime(str(spelt), "%Y%m%d").date()  # noqa: DTZ007 - a day alone
    except ValueError:
        raise WireError(f"{spelt!r} is no business date", offset=0) from None
