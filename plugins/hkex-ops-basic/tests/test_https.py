"""The probe ``https`` against servers that are wrong in one way each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from basic_certificates import Authority
from basic_far_sides import HOSTS, LOGIN_TEXT, NAME, Behaviour, FarSide, answering, page, silence

from hkex_ops.errors import ConfigError, UsageError
from hkex_ops.model import SiteRole
from hkex_ops.ports import ProbeResult
from hkex_ops_basic import HttpsOptions, open_https
from hkex_ops_basic.pages import BODY_LIMIT_BYTES

HOST = HOSTS[SiteRole.PRIMARY]
LOGIN = page()
OK = b"HTTP/1.1 200 OK\r\n"
TEXT = LOGIN_TEXT.encode()


def options_of(authority: Authority, *, timeout_s: int = 5) -> HttpsOptions:
    return HttpsOptions(ca_file=authority.file, expect_text=LOGIN_TEXT, timeout_s=timeout_s)


async def look(options: HttpsOptions, far_side: FarSide, *, url: str | None = None) -> ProbeResult:
    async with open_https(options, SiteRole.PRIMARY) as probe:
        return await probe.probe(far_side.connection(url=url))


async def found_at(
    authority: Authority, behaviour: Behaviour, *, timeout_s: int = 5
) -> ProbeResult:
    """What is found at a server whose certificate is right and that then does as it is told."""
    async with FarSide(HOST, behaviour, certified=authority.certify(NAME)) as far_side:
        return await look(options_of(authority, timeout_s=timeout_s), far_side)


def require_unanswered(found: ProbeResult, *expected: str) -> None:
    assert (True, False) == (found.reached, found.answered)
    assert [] == [text for text in expected if text not in found.detail], found.detail


class Sequel:
    """Behaves at each visit in the next way; ``asked`` are the targets of the requests."""

    def __init__(self, behaviours: Sequence[Behaviour]) -> None:
        self.behaviours = list(behaviours)
        self.asked: list[str] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.behaviours.pop(0)(self._noting(reader), writer)

    def _noting(self, reader: asyncio.StreamReader) -> asyncio.StreamReader:
        noting, asked = asyncio.StreamReader(), self.asked

        async def readuntil(separator: bytes = b"\n") -> bytes:
            head = await reader.readuntil(separator)
            asked.append(head.split()[1].decode())
            return head

        noting.readuntil = readuntil  # type: ignore[method-assign]
        return noting


def moved(location: str, *, status: str = "302 Found") -> Behaviour:
    return page("moved", status=status, headers=(f"Location: {location}",))


# -- what is right ---------------------------------------------------------------------------------


async def test_the_page_is_asked_for_by_the_name_of_its_url_and_nothing_else(
    authority: Authority,
) -> None:
    async with FarSide(HOST, LOGIN, certified=authority.certify(NAME)) as far_side:
        found = await look(options_of(authority), far_side)
    assert f"{HOST}:{far_side.port} gives the expected page (status 200)" == found.detail
    assert [b"GET /login HTTP/1.1", b"Host: gateway.example:8082"] == far_side.heard.split(b"\r\n")[
        :2
    ]
    assert 1 == far_side.visits


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"\r\n" + TEXT,
        b"HTTP/1.0 200\r\n\r\n" + TEXT,
        OK
        + b"Transfer-Encoding: chunked\r\n\r\n6\r\nLog in\r\nf;x=y\r\n to the gateway\r\n0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + OK + b"\r\n" + TEXT,
        OK + b"Content-Type: text/html; charset=no-such-set\r\n\r\n" + TEXT,
        OK + b"Content-Type: text/html; charset=utf-16-le\r\n\r\n" + LOGIN_TEXT.encode("utf-16-le"),
        OK + b"\r\n" + TEXT + b"." * (2 * BODY_LIMIT_BYTES),
    ],
    ids=["until the end", "old", "chunked", "after a hint", "odd charset", "charset", "very long"],
)
async def test_every_way_of_http_to_give_the_page_is_read(
    authority: Authority, answer: bytes
) -> None:
    found = await found_at(authority, answering(answer))
    assert found.answered, found.detail


async def test_authority_and_fingerprint_may_both_be_asked_for(authority: Authority) -> None:
    certified = authority.certify(NAME)
    options = HttpsOptions(
        ca_file=authority.file,
        certificates=("SHA256:" + "0" * 64, certified.fingerprint.replace(":", "").lower()[6:]),
        expect_text=LOGIN_TEXT,
    )
    async with FarSide(HOST, LOGIN, certified=certified) as far_side:
        assert (await look(options, far_side)).answered


async def test_another_status_may_be_the_expected_one(authority: Authority) -> None:
    options = HttpsOptions(ca_file=authority.file, expect_text="closed", expect_status=503)
    closed = page("closed", status="503 Service Unavailable")
    async with FarSide(HOST, closed, certified=authority.certify(NAME)) as far_side:
        assert (await look(options, far_side)).answered


# -- the certificate -------------------------------------------------------------------------------


async def test_another_name_in_the_certificate_is_refused(authority: Authority) -> None:
    async with FarSide(HOST, LOGIN, certified=authority.certify("other.example")) as far_side:
        found = await look(options_of(authority), far_side)
    require_unanswered(found, "certificate is not accepted", NAME, "nothing was sent")
    assert b"" == far_side.heard


async def test_an_expired_certificate_is_refused(authority: Authority) -> None:
    async with FarSide(HOST, LOGIN, certified=authority.certify(NAME, days=30)) as far_side:
        found = await look(options_of(authority), far_side)
    require_unanswered(found, "certificate is not accepted", "expired")


async def test_another_authority_is_refused(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Authority(tmp_path_factory.mktemp("other"), "other")
    async with FarSide(HOST, LOGIN, certified=other.certify(NAME)) as far_side:
        found = await look(options_of(authority), far_side)
    require_unanswered(found, "certificate is not accepted")
    assert b"" == far_side.heard


async def test_another_fingerprint_is_refused_and_both_are_told(authority: Authority) -> None:
    right, shown = authority.certify(NAME), authority.certify(NAME)
    options = HttpsOptions(
        ca_file=authority.file, certificates=(right.fingerprint,), expect_text=LOGIN_TEXT
    )
    async with FarSide(HOST, LOGIN, certified=shown) as far_side:
        found = await look(options, far_side)
    require_unanswered(found, f"shows certificate {shown.fingerprint}", right.fingerprint)
    assert shown.fingerprint == found.certificate
    assert b"" == far_side.heard


# -- what a server may do wrong --------------------------------------------------------------------


async def test_a_refusing_server_was_not_reached(authority: Authority) -> None:
    async with FarSide(HOST, LOGIN) as far_side:
        await far_side.close()
        found = await look(options_of(authority), far_side)
    assert (False, False) == (found.reached, found.answered)
    assert f"{HOST}:{far_side.port}, connecting: Connection refused" == found.detail


async def test_a_server_without_tls_is_named_as_such(authority: Authority) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ready\r\n")
        await writer.drain()

    async with FarSide(HOST, greet) as far_side:
        found = await look(options_of(authority), far_side)
    require_unanswered(found, "shaking hands by TLS: it does not speak TLS with us")


async def test_a_server_that_hangs_up_during_the_handshake_is_told(authority: Authority) -> None:
    async def hang_up(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None: ...

    async with FarSide(HOST, hang_up) as far_side:
        found = await look(options_of(authority), far_side)
    require_unanswered(found, "shaking hands by TLS: ")


async def test_silence_during_the_handshake_is_named_with_its_limit(authority: Authority) -> None:
    async with FarSide(HOST, silence) as far_side:
        found = await look(options_of(authority, timeout_s=1), far_side)
    require_unanswered(found, "shaking hands by TLS within 1 s: no answer in time")


async def test_silence_after_the_request_is_named_with_its_limit(authority: Authority) -> None:
    found = await found_at(authority, silence, timeout_s=1)
    require_unanswered(found, "asking for /login within 1 s: no answer in time")


async def test_a_server_that_drips_does_not_stretch_the_limit(authority: Authority) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + b"\r\n")
        while True:
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.05)

    require_unanswered(await found_at(authority, drip, timeout_s=1), "within 1 s")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"", "the connection was closed before the answer ended"),
        (OK, "the connection was closed before the answer ended"),
        (OK + b"Content-Length: 99\r\n\r\nshort", "closed before the answer ended"),
        (b"SSH-2.0-x\r\n\r\n", "this is not HTTP: b'SSH-2.0-x'"),
        (b"HTTP/1.1 999 odd\r\n\r\n", "this is not HTTP"),
        (b"\x1b[31mred\r\n\r\n", "this is not HTTP: b'\\x1b[31mred'"),
        (b"x" * 100_000, "it answers without end"),
        (OK + b"X: y\r\n" * 200 + b"\r\n", "this is not HTTP: got more than 100 headers"),
        (OK + b"Content-Length: -1\r\n\r\n", "a length that is no number"),
        (OK + b"Content-Length: 1e9\r\n\r\n", "a length that is no number"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "a piece without a size"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 9, "goes on announcing"),
        (b"HTTP/1.1 503 Busy\r\n\r\n", "answers with status 503, expected 200"),
        (OK + b"\r\nWelcome", f"gives a page without {LOGIN_TEXT!r}"),
    ],
)
async def test_what_is_not_the_page_is_said_in_a_sentence(
    authority: Authority, answer: bytes, expected: str
) -> None:
    found = await found_at(authority, answering(answer))
    require_unanswered(found, expected, HOST)
    assert found.detail.isprintable()


# -- redirections ----------------------------------------------------------------------------------


async def test_a_redirection_on_the_same_server_is_followed(authority: Authority) -> None:
    way = Sequel([moved("/en/login?next=1"), moved(f"https://{NAME}:8082/en/form"), LOGIN])
    async with FarSide(HOST, way, certified=authority.certify(NAME)) as far_side:
        found = await look(options_of(authority), far_side)
    assert found.answered, found.detail
    assert ["/login", "/en/login?next=1", "/en/form"] == way.asked


@pytest.mark.parametrize(
    "location",
    [
        "https://elsewhere.example:8082/login",
        f"https://{NAME}/login",
        f"http://{NAME}:8082/login",
        "//elsewhere.example/login",
        "https://[broken/login",
    ],
)
async def test_a_redirection_to_another_server_is_not_followed(
    authority: Authority, location: str
) -> None:
    way = Sequel([moved(location)])
    async with FarSide(HOST, way, certified=authority.certify(NAME)) as far_side:
        found = await look(options_of(authority), far_side)
    require_unanswered(found, f"redirects to {location}, which is not this server")
    assert 1 == far_side.visits


async def test_redirections_end(authority: Authority) -> None:
    way = Sequel([moved("/login")] * 9)
    async with FarSide(HOST, way, certified=authority.certify(NAME)) as far_side:
        found = await look(options_of(authority), far_side)
    require_unanswered(found, "redirects more than 3 times")
    assert 4 == far_side.visits


async def test_a_redirection_without_a_place_is_a_wrong_status(authority: Authority) -> None:
    require_unanswered(
        await found_at(authority, page(status="302 Found")), "answers with status 302, expected 200"
    )


# -- how it is used --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["http://gateway.example:8082/login", "ftp:x", "https://gateway.example/a b", "https:///x"],
)
async def test_an_address_that_is_none_of_https_is_the_callers_fault(
    authority: Authority, url: str
) -> None:
    async with FarSide(HOST, LOGIN, certified=authority.certify(NAME)) as far_side:
        with pytest.raises(UsageError, match="address"):
            await look(options_of(authority), far_side, url=url)
    assert 0 == far_side.visits


async def test_a_ca_file_that_is_none_is_the_operators_fault(authority: Authority) -> None:
    certified = authority.certify(NAME)
    for file, message in (
        (authority.file.with_name("gone.pem"), "there is no ca_file"),
        (certified.key_file, "holds no certificate"),
        (authority.file.parent, "cannot be read|holds no certificate"),
    ):
        with pytest.raises(ConfigError, match=message):
            async with open_https(
                HttpsOptions(ca_file=file, expect_text=LOGIN_TEXT), SiteRole.PRIMARY
            ):
                pass
