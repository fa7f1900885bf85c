"""The program's own log set-up: events of the library on stderr, as plain lines or as JSON."""

from __future__ import annotations

import logging
import os
import sys

import structlog

__all__ = ["configure_logs"]


def configure_logs(*, verbose: bool, as_json: bool) -> None:
    """Warnings and worse, or everything with ``verbose``; never on stdout."""
    shown = logging.DEBUG if verbose else logging.ERROR
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=_may_colour())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=False),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(shown),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _may_colour() -> bool:
    """As rich decides it for everything else: a terminal, and nobody who set ``NO_COLOR``."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")
