"""How a reader is known to the servers: for as long as it listens, or by name for good.

A nameless reader gets large batches and acknowledges nothing; it knows its own place, and after a
lost line it asks from there on. A *durable* one is remembered: it has one message in hand at a
time, so that whoever takes up the name again gets that one first and then all the others, in their
order. Called by :mod:`hkex_ops_nats.feed`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo, DeliverPolicy, StreamState
from nats.js.errors import NotFoundError

from hkex_ops.errors import ConfigError, Rejected
from hkex_ops_nats.connecting import Connection
from hkex_ops_nats.options import ALL, LAST, NatsFeedOptions
from hkex_ops_nats.subjects import ticks_subject
from hkex_ops_nats.translation import CONSUMER_NOT_FOUND, error_code

__all__ = ["BATCH", "durable_reader", "nameless_reader", "require_kept", "start_of"]

# Enough to keep a line full, little enough to hold: at 400 bytes a tick, 200 kB.
BATCH = 500

# A nameless reader that vanished is forgotten by the servers after so long.
FORGOTTEN_AFTER_S = 60

# How long the one message that a dead reader had in hand is kept back from the next reader. One
# that lives may take as long as it likes.
IN_HAND_S = 2

# Servers store a tick when it is published; by their clocks that may be a little early.
CLOCKS_APART_S = 60


def start_of(options: NatsFeedOptions, state: StreamState, last: int | None) -> ConsumerConfig:
    """Where to begin: after ``last``, if that is known, or where the options say.

    ``state`` is that of the stream when the feed was opened.
    """
    first = last + 1 if last is not None else options.start_sequence
    if first is None and options.since is not None:
        return ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_TIME,
            opt_start_time=options.since - timedelta(seconds=CLOCKS_APART_S),
        )
    if first is None and options.start == ALL:
        return ConsumerConfig(deliver_policy=DeliverPolicy.ALL)
    if first is None and options.start == LAST:
        return ConsumerConfig(deliver_policy=DeliverPolicy.LAST_PER_SUBJECT)
    return ConsumerConfig(
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=state.last_seq + 1 if first is None else first,
    )


def require_kept(options: NatsFeedOptions, state: StreamState, last: int | None) -> None:
    """`Rejected` when the stream no longer has what would have to come next."""
    first = last + 1 if last is not None else options.start_sequence
    if first is None:
        return
    if state.last_seq < first - 1 and last is not None:
        raise Rejected(
            f"stream {options.stream} ends at message {state.last_seq} and this reader is at "
            f"{last}: it was made anew; read it from the start"
        )
    if state.first_seq > first:
        raise Rejected(
            f"stream {options.stream} keeps its messages from {state.first_seq} on, and {first} is "
            "the one to come: ticks may be lost; have it keep more, or start at another place"
        )


async def nameless_reader(
    connection: Connection, options: NatsFeedOptions, start: ConsumerConfig
) -> ConsumerInfo:
    """A reader that exists while it listens."""
    return await connection.jetstream.add_consumer(  # pyright: ignore[reportUnknownMemberType]
        options.stream,
        replace(
            start,
            ack_policy=AckPolicy.NONE,
            filter_subject=ticks_subject(options.subject_prefix),
            inactive_threshold=FORGOTTEN_AFTER_S,
            num_replicas=1,
            mem_storage=True,
        ),
    )


async def durable_reader(
    connection: Connection, options: NatsFeedOptions, start: ConsumerConfig
) -> ConsumerInfo:
    """The reader of this name, made when there is none.

    Raises `ConfigError` when the name is that of another kind of reader.
    """
    wanted = replace(
        start,
        name=options.durable,
        durable_name=options.durable,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=IN_HAND_S,
        max_ack_pending=1,
        filter_subject=ticks_subject(options.subject_prefix),
    )
    try:
        info: ConsumerInfo = await connection.jetstream.consumer_info(
            options.stream, options.durable
        )
    except NotFoundError as error:
        if error_code(error) != CONSUMER_NOT_FOUND:
            raise
        return await connection.jetstream.add_consumer(  # pyright: ignore[reportUnknownMemberType]
            options.stream, wanted
        )
    found = info.config
    kinds = (
        (one.deliver_subject, one.ack_policy, one.max_ack_pending, one.filter_subject)
        for one in (wanted, found)
    )
    if len(set(kinds)) != 1:
        raise ConfigError(
            f"durable {options.durable} of stream {options.stream} is a reader of another kind: "
            "name another"
        )
    return info
