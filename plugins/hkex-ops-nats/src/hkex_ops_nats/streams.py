"""The stream: made when there is none, and looked at before it is trusted.

A stream that keeps less than the operator wrote, or forgets sooner what it has, would lose or
double ticks without a word; so every difference is a fault of the configuration, all of them told
at once. Called on each new connection.
"""

from __future__ import annotations

from collections.abc import Iterator

from nats.js.api import (
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamInfo,
    StreamState,
)
from nats.js.errors import BadRequestError, NotFoundError, ServerError

from hkex_ops.errors import ConfigError, Fault
from hkex_ops_nats.connecting import Connection
from hkex_ops_nats.options import NatsOptions, NatsPublisherOptions
from hkex_ops_nats.subjects import stream_subjects
from hkex_ops_nats.translation import (
    NAME_IN_USE,
    NOT_CLUSTERED,
    STREAM_NOT_FOUND,
    SUBJECTS_OVERLAP,
    error_code,
)

__all__ = ["require_stream", "state_of_stream"]

UNLIMITED = -1


async def require_stream(connection: Connection, options: NatsPublisherOptions) -> None:
    """See to it that the stream is there and as the options say.

    Raises `ConfigError` with every difference, or when it is missing and shall not be made.
    """
    info = await connection.during(_info(connection, options), f"looking at {options.stream}")
    if info is None and options.create_stream:
        info = await connection.during(_made(connection, options), f"making {options.stream}")
    if info is None:
        raise ConfigError(_missing(options))
    faults = tuple(_differences(info.config, options))
    if faults:
        raise ConfigError(faults, document=f"stream {options.stream} on {connection.server}")


async def state_of_stream(connection: Connection, options: NatsOptions) -> StreamState:
    """What the stream holds now; `ConfigError` when it is missing or holds no ticks of ours."""
    info = await connection.during(_info(connection, options), f"looking at {options.stream}")
    if info is None:
        raise ConfigError(_missing(options))
    wanted = stream_subjects(options.subject_prefix)
    if not set(wanted) <= set(info.config.subjects or ()):
        raise ConfigError(
            f"stream {options.stream} on {connection.server} does not hold {' and '.join(wanted)}: "
            "set subject_prefix, or name another stream"
        )
    return info.state


async def _info(connection: Connection, options: NatsOptions) -> StreamInfo | None:
    try:
        return await connection.jetstream.stream_info(options.stream)
    except NotFoundError as error:
        if error_code(error) == STREAM_NOT_FOUND:
            return None
        raise


async def _made(connection: Connection, options: NatsPublisherOptions) -> StreamInfo | None:
    try:
        making = connection.jetstream.add_stream(_wanted(options))  # pyright: ignore[reportUnknownMemberType]
        return await making
    except (BadRequestError, ServerError) as error:
        code = error_code(error)
        if code == NAME_IN_USE:  # somebody else made it meanwhile
            return await _info(connection, options)
        if code == SUBJECTS_OVERLAP:
            raise ConfigError(
                f"another stream on {connection.server} holds subjects of "
                f"{options.subject_prefix} already: name that one, or set subject_prefix"
            ) from error
        if code == NOT_CLUSTERED:
            raise ConfigError(
                f"replicas is {options.replicas} and {connection.server} is no cluster: set "
                "replicas to 1, or add servers to it"
            ) from error
        raise


def _wanted(options: NatsPublisherOptions) -> StreamConfig:
    return StreamConfig(
        name=options.stream,
        subjects=list(stream_subjects(options.subject_prefix)),
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.OLD,
        num_replicas=options.replicas,
        max_age=options.max_age_s,
        max_bytes=options.max_size_bytes or UNLIMITED,
        duplicate_window=options.duplicate_window_s,
        allow_direct=True,
    )


def _differences(found: StreamConfig, options: NatsPublisherOptions) -> Iterator[Fault]:
    """What is not as the options say, each under the option that says it."""
    wanted = _wanted(options)
    if set(found.subjects or ()) != set(wanted.subjects or ()):
        there, here = (" and ".join(one.subjects or ()) for one in (found, wanted))
        yield Fault("subject_prefix", f"it holds {there}, and should hold {here}")
    figures: dict[str, tuple[float | None, float | None]] = {
        "replicas": (found.num_replicas, wanted.num_replicas),
        "max_age_s": (found.max_age, wanted.max_age),
        "max_size_bytes": (found.max_bytes, wanted.max_bytes),
        "duplicate_window_s": (found.duplicate_window, wanted.duplicate_window),
    }
    for option, figure in figures.items():
        if figure[0] != figure[1]:
            there, here = map(_said, figure)
            yield Fault(option, f"it has {there}, and the options say {here}: change either")
    if found.storage != StorageType.FILE:
        yield Fault(
            "stream", "it lies in memory, and a restart loses it: make it with file storage"
        )
    if found.retention != RetentionPolicy.LIMITS:
        yield Fault("stream", "it forgets what was read: make it with retention by limits")
    if found.discard != DiscardPolicy.OLD:
        yield Fault("stream", "it takes nothing when it is full: make it discard the oldest")
    if found.no_ack:
        yield Fault("stream", "it acknowledges nothing: make it without no_ack")
    if not found.allow_direct:
        yield Fault("stream", "its last values cannot be asked for: set allow_direct")
    if found.sealed or found.mirror is not None:
        yield Fault("stream", "it is sealed or a mirror, and takes nothing: name another")
    if max(found.max_msgs or UNLIMITED, found.max_msgs_per_subject) != UNLIMITED:
        yield Fault("stream", "it keeps a number of messages: limit it by age or size")


def _said(figure: float | None) -> str:
    return "no limit" if figure in (None, 0, UNLIMITED) else f"{figure:.0f}"


def _missing(options: NatsOptions) -> str:
    return f"there is no stream {options.stream}: set create_stream on a publisher, or have it made"
