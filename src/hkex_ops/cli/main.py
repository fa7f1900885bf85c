"""The program ``hkex-ops``: one command line run, and what an error means to the caller.

Which commands there are is :mod:`hkex_ops.cli.tree`'s.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from cyclopts import CycloptsError

from hkex_ops.cli.answer import Answer, ExitCode, print_answer, print_json
from hkex_ops.cli.configuration import blocked_plugins
from hkex_ops.cli.tree import build_app
from hkex_ops.errors import (
    ConfigError,
    Denied,
    HkexOpsError,
    PermanentError,
    PluginError,
    StoreError,
    TransientError,
    UsageError,
)
from hkex_ops.plugins import Plugins

__all__ = ["main", "run"]

_EXIT_CODES: tuple[tuple[type[HkexOpsError], ExitCode], ...] = (
    (UsageError, ExitCode.USAGE),
    (TransientError, ExitCode.UNAVAILABLE),
    (PermanentError, ExitCode.REFUSED),
    (ConfigError, ExitCode.FAULT),
    (PluginError, ExitCode.FAULT),
    (StoreError, ExitCode.FAULT),
)

# Whether to answer in JSON must be known before the command line is understood: an error is told
# in the same way.
_JSON_WORDS = frozenset({"--json", "--json=true", "--json=True", "--json=1", "--json=yes"})


def main() -> None:
    """Entry point of the program; ends with the exit code."""
    # A terminal that cannot show a sign shows its code, as it does on stderr.
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    # Told to end, the program ends as if interrupted: what it made for itself is cleared away.
    signal.signal(signal.SIGTERM, _told_to_end)
    sys.exit(run(sys.argv[1:]))


def _told_to_end(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; never raises for what a user did."""
    as_json = any(word in _JSON_WORDS for word in arguments)
    try:
        plugins = Plugins.load(block=blocked_plugins(arguments))
        app = build_app(plugins, arguments)
        if arguments and arguments[0] in plugins.commands():
            plugins.require_command(arguments[0])
        answer = app(
            list(arguments), exit_on_error=False, print_error=False, result_action="return_value"
        )
        if isinstance(answer, Answer):
            return _print(answer, as_json=as_json)
        # A command that runs on has said everything line by line.
        return int(answer if isinstance(answer, ExitCode) else ExitCode.DONE)
    except CycloptsError as error:
        return _refuse("UsageError", _sentence(error), ExitCode.USAGE, as_json=as_json)
    except Denied as error:
        return _deny(error, arguments, as_json=as_json)
    except HkexOpsError as error:
        return _refuse(type(error).__name__, str(error), _exit_code(error), as_json=as_json)
    except KeyboardInterrupt:
        sys.stderr.write(
            "hkex-ops: interrupted; what was finished is kept, and nothing unfinished bears a "
            "finished name (a rehearsal's evidence ends as NAME.interrupted)\n"
        )
        return 130
    except BrokenPipeError:
        return _unheard()
    except SystemExit as error:
        # How rich ends when the reader of what it writes has gone away.
        if isinstance(error.__context__, BrokenPipeError):
            return _unheard()
        raise


def _unheard() -> int:
    """The reader went away (`| head`); what is left for it must not fail at the program's end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141


def _print(answer: Answer, *, as_json: bool) -> int:
    try:
        print_answer(answer, as_json=as_json)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _unheard()
        reason = f"cannot be written ({error.strerror}): free some space, or send it elsewhere"
        raise StoreError(reason, path="standard output") from error
    return int(answer.exit_code)


def _exit_code(error: HkexOpsError) -> ExitCode:
    for kind, code in _EXIT_CODES:
        if isinstance(error, kind):
            return code
    return ExitCode.FAULT


def _sentence(error: CycloptsError) -> str:
    # The engine words some faults by importing every command; a broken plug-in must not hide them.
    try:
        return " ".join(str(error).split())
    except (ImportError, AttributeError):
        return "this command line is not understood; see hkex-ops --help"


def _deny(denied: Denied, arguments: Sequence[str], *, as_json: bool) -> int:
    """A refusal by rule is an answer, whichever command met it; who is to hear of it does."""
    from hkex_ops.cli.handing import hand_over_denial

    hand_over_denial(denied, arguments)
    if as_json:
        print_json(
            {
                "action": denied.action,
                "decision": "deny",
                "rule": denied.rule,
                "source": denied.source,
                "until": None if denied.until is None else denied.until.isoformat(),
            }
        )
    sys.stderr.write(f"hkex-ops: {denied}\n")
    return int(ExitCode.DENIED)


def _refuse(kind: str, message: str, code: ExitCode, *, as_json: bool) -> int:
    if as_json:
        # Whoever reads lines of a command that runs on reads this one too.
        print_json({"error": {"kind": kind, "message": message}}, on_one_line=True)
    sys.stderr.write(f"hkex-ops: {message}\n")
    return int(code)
