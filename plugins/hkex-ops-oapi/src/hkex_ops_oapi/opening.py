"""The door of the gateway: library, layouts, password, and the first gateway that lets us in.

Gateways of one site are tried in order: the primary one, then its backup. The other site is never
tried: a change of site is an operator's word. What may lock a user out is not tried twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from hkex_ops.errors import ConfigError, TransientError, Unreachable
from hkex_ops.model import SiteRole, TransactionType
from hkex_ops.ports import OapiGateway
from hkex_ops_oapi.options import Binding, GatewayAddress, OapiOptions

if TYPE_CHECKING:
    from hkex_ops_oapi.gate import EnquiryGate
    from hkex_ops_oapi.loading import Library
    from hkex_ops_oapi.session import Session

__all__ = ["open_gateway"]


@asynccontextmanager
async def open_gateway(options: OapiOptions, site: SiteRole) -> AsyncGenerator[OapiGateway]:
    """The gateway ``oapi``: entering logs in, leaving logs out.

    Raises `ConfigError` for a library, layouts or a password that cannot be used, `AuthRefused`,
    `Busy`, or `Unreachable` when no gateway of the site can be reached.
    """
    from hkex_ops_oapi.codec import Codec
    from hkex_ops_oapi.gate import EnquiryGate
    from hkex_ops_oapi.gateway import EnquiringGateway, TransactingGateway
    from hkex_ops_oapi.layout_files import load_layouts
    from hkex_ops_oapi.loading import load_library

    addresses = options.site(site).gateways
    library = await asyncio.to_thread(
        load_library,
        options.library,
        preload=options.preload,
        lazy=options.binding is Binding.LAZY,
        environment=options.environment_variables,
    )
    order = library.byte_order
    if options.byte_order and options.byte_order != order:
        raise ConfigError(
            f"the library says that messages are {order}-endian, and byte_order is "
            f"{options.byte_order!r}: take byte_order out, or ask HKEX which is right"
        )
    codec = Codec(load_layouts(options.layouts), order)
    sendable = () if options.enquiries_only else map(TransactionType.parse, options.transactions)
    gate = EnquiryGate(order, sendable)
    password = _password(options)
    session, findings = await _first(options, library, gate, addresses, password)
    kind = EnquiringGateway if options.enquiries_only else TransactingGateway
    gateway = kind(options, site, session, codec, gate, findings)
    gateway.keep_alive()
    try:
        yield gateway
    finally:
        await gateway.log_out()


def _password(options: OapiOptions) -> str:
    """Not in a thread: a terminal must be given back as it was when somebody interrupts."""
    from hkex_ops_oapi.secrets import ask_password, read_password

    if options.password_file is None:
        return ask_password(options.user)
    return read_password(options.password_file)


async def _first(
    options: OapiOptions,
    library: Library,
    gate: EnquiryGate,
    addresses: Sequence[GatewayAddress],
    password: str,
) -> tuple[Session, tuple[str, ...]]:
    """A session at the first gateway that gives one, and what was found on the way there."""
    from hkex_ops_oapi.session import Session

    failed: list[str] = []
    last: TransientError | None = None
    for address in addresses:
        session = Session(options, library, gate, address.endpoint)
        try:
            await session.log_in(password)
        except TransientError as error:
            await session.log_out()
            failed.append(str(error))
            last = error
        except BaseException:
            await session.log_out()
            raise
        else:
            return session, tuple(f"{told}; the next gateway was used" for told in failed)
    assert last is not None, "a site has at least one gateway"
    if len(failed) == 1:
        raise last
    raise Unreachable("no gateway of the site lets anybody in: " + "; ".join(failed))
