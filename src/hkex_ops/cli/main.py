"""The program ``hkex-ops``: the tree of commands, and what an error means to the caller.

Commands are named here and imported only when they run; plug-ins add theirs by hook.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Annotated

from cyclopts import App, CycloptsError, Group, Parameter

from hkex_ops.cli.answer import Answer, ExitCode, print_answer, print_json
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

__all__ = ["build_app", "main", "run"]

_EXIT_CODES: tuple[tuple[type[HkexOpsError], ExitCode], ...] = (
    (UsageError, ExitCode.USAGE),
    (Denied, ExitCode.DENIED),
    (TransientError, ExitCode.UNAVAILABLE),
    (PermanentError, ExitCode.REFUSED),
    (ConfigError, ExitCode.FAULT),
    (PluginError, ExitCode.FAULT),
    (StoreError, ExitCode.FAULT),
)

_COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("status", "hkex_ops.cli.status:status", "Show the desk's four answers on one screen."),
    ("agenda", "hkex_ops.cli.agenda:agenda", "List what to do next, and by when."),
    ("may", "hkex_ops.cli.may:may", "Say whether an act is allowed now, and by which rule."),
    (
        "connections",
        "hkex_ops.cli.connections:connections",
        "Say where the clients of a service point now, and why.",
    ),
    (
        "checklist",
        "hkex_ops.cli.checklist:checklist",
        "Answer a rollout's checklist; see what is open and overdue.",
    ),
    (
        "fallback",
        "hkex_ops.cli.fallback:fallback",
        "Show what the way back needs; record that it is taken.",
    ),
    ("calendar", "hkex_ops.cli.calendar:calendar", "Show a day's sessions, or why it is closed."),
    ("plugins", "hkex_ops.cli.plugins:plugins", "List the plug-ins found and what became of them."),
)
_NOUNS: tuple[tuple[str, str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "reports",
        "Reports of the Report Retrieval Solution: list, fetch, drill, verify.",
        (
            ("list", "hkex_ops.cli.reports:list_", "List the report folder of a site."),
            ("fetch", "hkex_ops.cli.reports:fetch", "Fetch and keep what is new of a date."),
            (
                "drill",
                "hkex_ops.cli.reports:drill",
                "Do the folder check of a connectivity session.",
            ),
            ("verify", "hkex_ops.cli.reports:verify", "Prove the archive and its ledger whole."),
        ),
    ),
    (
        "rollouts",
        "Circulars as data.",
        (
            ("list", "hkex_ops.cli.rollouts:list_", "List the rollouts that are known."),
            ("show", "hkex_ops.cli.rollouts:show", "Show one rollout, times resolved."),
            (
                "check",
                "hkex_ops.cli.rollout_files:check",
                "Judge a rollout file that someone wrote.",
            ),
            ("new", "hkex_ops.cli.rollout_files:new", "Give a commented file to start from."),
        ),
    ),
    (
        "forms",
        "Forms that participants return.",
        (
            ("fill", "hkex_ops.cli.forms:fill_", "Make a form as a PDF, values printed on it."),
            ("list", "hkex_ops.cli.forms:list_", "List the forms, how they stand, their fields."),
        ),
    ),
    (
        "rundown",
        "Sessions worked step by step.",
        (
            ("run", "hkex_ops.cli.rundown:run", "Work a session, or go on where it stood."),
            ("show", "hkex_ops.cli.rundown:show", "Show a session's steps and how they stand."),
            ("done", "hkex_ops.cli.rundown:done", "Note that an item of the agenda was done."),
        ),
    ),
    (
        "evidence",
        "Evidence folders: what can be shown afterwards.",
        (("verify", "hkex_ops.cli.evidence:verify", "Prove an evidence folder whole, offline."),),
    ),
)
# Offered by plug-ins; known here so that asking without the plug-in says which one to install.
_KNOWN_PLUGIN_COMMANDS = {
    "rehearse": ("hkex-ops-simulator", "Rehearse a rollout against an exchange in a box."),
}


def main() -> None:
    """Entry point of the program; ends with the exit code."""
    # A terminal that cannot show a sign shows its code, as it does on stderr.
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; never raises for what a user did."""
    as_json = "--json" in arguments
    try:
        plugins = Plugins.load()
        app = build_app(plugins)
        if arguments and arguments[0] in plugins.commands():
            plugins.require_command(arguments[0])
        answer = app(
            list(arguments), exit_on_error=False, print_error=False, result_action="return_value"
        )
        return _print(answer, as_json=as_json) if isinstance(answer, Answer) else int(ExitCode.DONE)
    except CycloptsError as error:
        return _refuse("UsageError", _sentence(error), ExitCode.USAGE, as_json=as_json)
    except HkexOpsError as error:
        return _refuse(type(error).__name__, str(error), _exit_code(error), as_json=as_json)
    except KeyboardInterrupt:
        sys.stderr.write("hkex-ops: interrupted; nothing half-written was kept\n")
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


def build_app(plugins: Plugins) -> App:
    """The tree of commands, the plug-ins' own included."""
    app = App(
        name="hkex-ops",
        help="Operations of Hong Kong exchange participants: what a circular demands, done and "
        "proven.",
        version=lambda: version("hkex-ops"),
        help_format="plaintext",
        suppress_keyboard_interrupt=False,
    )
    for name, target, help_ in _COMMANDS:
        app.command(target, name=name, help=help_)
    for noun, help_, verbs in _NOUNS:
        room = App(name=noun, help=help_, help_format="plaintext")
        for name, target, verb_help in verbs:
            room.command(target, name=name, help=verb_help)
        app.command(room)
    _add_plugin_commands(app, plugins)
    return app


def _add_plugin_commands(app: App, plugins: Plugins) -> None:
    offered = plugins.commands()
    group = Group("Commands of plug-ins")
    taken = {name for name, _, _ in _COMMANDS} | {noun for noun, _, _ in _NOUNS}
    for name, command in offered.items():
        if name not in taken:
            app.command(command.target, name=name, help=command.help, group=group)
    for name, (distribution, help_) in _KNOWN_PLUGIN_COMMANDS.items():
        if name not in offered:
            absent = _absent(name, distribution, plugins)
            app.command(absent, name=name, help=help_, group=group)


def _absent(name: str, distribution: str, plugins: Plugins) -> Callable[..., Answer]:
    """A command in the place of one that its plug-in does not offer now; says why."""
    fault = next((one for one in plugins.faults if one.distribution == distribution), None)

    def absent(
        *words: Annotated[str, Parameter(allow_leading_hyphen=True, show=False)],
    ) -> Answer:
        if fault is not None:
            raise fault.error()
        raise ConfigError(f"{name} comes with a plug-in: install {distribution}")

    return absent


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


def _refuse(kind: str, message: str, code: ExitCode, *, as_json: bool) -> int:
    if as_json:
        print_json({"error": {"kind": kind, "message": message}})
    sys.stderr.write(f"hkex-ops: {message}\n")
    return int(code)
