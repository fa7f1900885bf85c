"""The tree of commands: what there is, and where each is imported from when it runs.

A command's help on the tree is one line here, so that ``--help`` imports no command; asked for its
own help, a command tells its docstring.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from inspect import getdoc, isfunction
from typing import Annotated

from cyclopts import App, Group, Parameter

from hkex_ops.cli.answer import Answer
from hkex_ops.errors import ConfigError
from hkex_ops.plugins import Plugins

__all__ = ["COMMANDS", "NOUNS", "build_app", "refuse_taken", "told"]

COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("status", "hkex_ops.cli.status:status", "Show the desk's four answers on one screen."),
    ("agenda", "hkex_ops.cli.agenda:agenda", "List what to do next, and by when."),
    ("may", "hkex_ops.cli.may:may", "Say whether an act is allowed now, and by which rule."),
    (
        "override",
        "hkex_ops.cli.override:override",
        "Set a rule aside: two people, a reason, an end; see what is.",
    ),
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
    (
        "completion",
        "hkex_ops.cli.completion:completion",
        "Give the script that lets a shell complete.",
    ),
)
NOUNS: tuple[tuple[str, str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "reports",
        "Reports of a clearing house: what must come, fetched, kept, proven.",
        (
            (
                "expected",
                "hkex_ops.cli.report_standing:expected",
                "List what must come for a business date, and by when.",
            ),
            (
                "status",
                "hkex_ops.cli.report_standing:status",
                "Say what is held, late, missing, changed or unexpected.",
            ),
            ("list", "hkex_ops.cli.reports:list_", "List the report folder of a site."),
            ("fetch", "hkex_ops.cli.reports:fetch", "Fetch and keep what is new of a date."),
            (
                "drill",
                "hkex_ops.cli.reports:drill",
                "Do the folder check of a connectivity session.",
            ),
            (
                "verify",
                "hkex_ops.cli.report_verify:verify",
                "Prove the archive and its ledger whole.",
            ),
            (
                "export",
                "hkex_ops.cli.report_keeping:export",
                "Make a BagIt bag of the reports of some dates.",
            ),
            (
                "ready",
                "hkex_ops.cli.report_ready:ready",
                "Check that the client points at production.",
            ),
            (
                "retain",
                "hkex_ops.cli.report_keeping:retain",
                "Remove what has been kept long enough.",
            ),
            (
                "upload",
                "hkex_ops.cli.report_upload:upload",
                "Send a file, where that is turned on.",
            ),
            (
                "watch",
                "hkex_ops.cli.report_watch:watch",
                "Follow a day's reports until the last cut-off.",
            ),
            (
                "catalogue",
                "hkex_ops.cli.report_catalogues:catalogue",
                "Judge a catalogue file; see those that ship.",
            ),
        ),
    ),
    (
        "clearing",
        "The clearing house through OAPI: check gateways, fetch, compare books.",
        (
            ("check", "hkex_ops.cli.clearing:check", "Log in at each gateway, look, log out."),
            ("fetch", "hkex_ops.cli.clearing:fetch", "Fetch trades and positions as tables."),
            (
                "reconcile",
                "hkex_ops.cli.clearing_reconcile:reconcile",
                "Compare the back office's book with the clearing house's.",
            ),
            (
                "reentry",
                "hkex_ops.cli.clearing_reentry:reentry",
                "List what has to be put in again after a fallback.",
            ),
            (
                "watch",
                "hkex_ops.cli.clearing_watch:watch",
                "Show what the clearing house tells, as it comes.",
            ),
        ),
    ),
    (
        "index",
        "Index values computed from market data: run, watch, check.",
        (
            ("run", "hkex_ops.cli.index:run", "Compute and publish, by engines of their own."),
            ("status", "hkex_ops.cli.index_asking:status", "Say how the run under way stands."),
            (
                "contingency",
                "hkex_ops.cli.index_asking:contingency",
                "Declare contingency for the run under way, or stand it down.",
            ),
            ("watch", "hkex_ops.cli.index_watch:watch", "Show index values as they come."),
            ("record", "hkex_ops.cli.index_record:record", "Record a market feed as pcapng."),
            ("replay", "hkex_ops.cli.index_replay:replay", "Compute a day again from a capture."),
            ("check", "hkex_ops.cli.index:check", "Judge a basket file that someone wrote."),
            (
                "recalculate",
                "hkex_ops.cli.index_recalculate:recalculate",
                "Compute an outage again, beside what was shown.",
            ),
            (
                "settlement",
                "hkex_ops.cli.index_settlement:settlement",
                "Work out the settlement of a day, mark by mark.",
            ),
            (
                "calls",
                "hkex_ops.cli.index_calls:calls",
                "Find mandatory calls, and the trades to cancel.",
            ),
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
            ("event", "hkex_ops.cli.happenings:event", "Enter what happened, and what then holds."),
            ("done", "hkex_ops.cli.rundown:done", "Note that an item of the agenda was done."),
        ),
    ),
    (
        "notify",
        "People told, by routes, with a receipt of each.",
        (
            ("send", "hkex_ops.cli.notify:send", "Tell people something."),
            (
                "status",
                "hkex_ops.cli.notify_status:status",
                "Show who was told, and how it stands.",
            ),
            ("check", "hkex_ops.cli.notify_check:check", "Try every channel; nothing is sent."),
            ("ack", "hkex_ops.cli.notify:ack", "Record that somebody has read it."),
            ("told", "hkex_ops.cli.notify:told", "Record that you told somebody by hand."),
            ("again", "hkex_ops.cli.notify:again", "Send again what somebody does not have."),
            ("run", "hkex_ops.cli.notify:run", "Deliver, fall back and escalate, until Ctrl-C."),
            ("routes", "hkex_ops.cli.notify_check:routes", "Judge a routing file someone wrote."),
            ("who", "hkex_ops.cli.notify_check:who", "Say who would be told of an event."),
            ("events", "hkex_ops.cli.notify_check:events", "List what people can be told of."),
        ),
    ),
    (
        "incident",
        "Incidents written down: open, note, tell, report, compare.",
        (
            ("open", "hkex_ops.cli.incident:open_", "Open an incident: it was detected."),
            ("note", "hkex_ops.cli.incident:note", "Write down what happened or is known."),
            ("state", "hkex_ops.cli.incident:state", "Say that it came to another state."),
            ("assess", "hkex_ops.cli.incident:assess", "Judge severity, owners, systems anew."),
            ("tell", "hkex_ops.cli.incident_telling:tell", "Write down who was told, and how."),
            (
                "enquiry",
                "hkex_ops.cli.incident_telling:enquiry",
                "Write down enquiries that were received.",
            ),
            ("figure", "hkex_ops.cli.incident_telling:figure", "State a figure of the impact."),
            (
                "action",
                "hkex_ops.cli.incident_telling:action",
                "Agree an action, or say that it is done.",
            ),
            ("correct", "hkex_ops.cli.incident:correct", "Correct an entry; it is not erased."),
            ("close", "hkex_ops.cli.incident:close", "Close an incident."),
            ("list", "hkex_ops.cli.incident_asking:list_", "List the open incidents."),
            ("show", "hkex_ops.cli.incident_asking:show", "Show one incident, entry by entry."),
            ("report", "hkex_ops.cli.incident_report:report", "Report one incident, in a form."),
            (
                "compare",
                "hkex_ops.cli.incident_compare:compare",
                "Lay two accounts of one event side by side.",
            ),
        ),
    ),
    (
        "contacts",
        "Designated persons, and when they can be reached.",
        (
            (
                "check",
                "hkex_ops.cli.contacts:check",
                "Say whether they can be reached throughout a window.",
            ),
        ),
    ),
    (
        "evidence",
        "Evidence folders: what can be shown afterwards.",
        (
            ("pack", "hkex_ops.cli.evidence:pack", "Pack a rollout, or one session, as evidence."),
            ("close", "hkex_ops.cli.evidence:close", "Close what an interrupted run left."),
            ("verify", "hkex_ops.cli.evidence:verify", "Prove an evidence folder whole, offline."),
        ),
    ),
)
# Where a docstring stops telling and begins to list.
_PARAMETERS = "\n\nParameters\n---"
# Offered by plug-ins; known here so that asking without the plug-in says which one to install.
_KNOWN_PLUGIN_COMMANDS = {
    "rehearse": ("hkex-ops-simulator", "Rehearse a rollout against an exchange in a box."),
}


def build_app(plugins: Plugins, arguments: Sequence[str]) -> App:
    """The tree of commands, the plug-ins' own included, for one command line.

    The command that ``arguments`` name gets no line of help from here: it is imported anyway, and
    its docstring tells more.
    """
    app = App(
        name="hkex-ops",
        help="Operations of Hong Kong exchange participants: what a circular demands, done and "
        "proven.",
        version=lambda: version("hkex-ops"),
        help_format="plaintext",
        suppress_keyboard_interrupt=False,
        default_parameter=Parameter(negative_iterable=(), show_default=_default),
    )
    named = tuple(arguments[:2])
    for name, target, line in COMMANDS:
        app.command(target, name=name, help=told(target) if named[:1] == (name,) else line)
    for noun, line, verbs in NOUNS:
        room = App(name=noun, help=line, help_format="plaintext")
        for name, target, verb_line in verbs:
            told_line = told(target) if named == (noun, name) else verb_line
            room.command(target, name=name, help=told_line)
        app.command(room)
    _add_plugin_commands(app, plugins, named[:1])
    return app


def _add_plugin_commands(app: App, plugins: Plugins, named: Sequence[str]) -> None:
    group = Group("Commands of plug-ins")
    refuse_taken(plugins)
    offered = plugins.commands()
    for name, command in offered.items():
        if name in named:
            _retell_room(command.target)
        line = told(command.target) if name in named else command.help
        app.command(command.target, name=name, help=line, group=group)
    for name, (distribution, line) in _KNOWN_PLUGIN_COMMANDS.items():
        if name not in offered:
            absent = _absent(name, distribution, plugins)
            app.command(absent, name=name, help=line, group=group)


def told(target: str) -> str | None:
    """What the docstring of the command ``target`` tells, each paragraph one line.

    So it is broken where the terminal ends, and nowhere else. Nothing where the target cannot be
    imported, which whoever runs it will be told, or is no function.
    """
    command = _imported(target)
    return _telling(command) if isfunction(command) else None


def _imported(target: str) -> object:
    module, _, name = target.partition(":")
    try:
        return getattr(import_module(module), name)
    # A plug-in's module may raise anything.
    except (Exception, SystemExit):
        return None


def _telling(command: object) -> str:
    text, _, _ = (getdoc(command) or "").partition(_PARAMETERS)
    return "\n\n".join(" ".join(one.split()) for one in text.split("\n\n"))


def _retell_room(target: str) -> None:
    """Let a plug-in's room of commands break its lines as the program's own commands do."""
    room = _imported(target)
    if not isinstance(room, App):
        return
    below = [room[name] for name in room.resolved_commands()]
    for one in (room, *below):
        if isfunction(one.default_command):
            one.help = _telling(one.default_command)


def _default(value: object) -> str | None:
    """How help says a default; nothing, empty and off go without saying."""
    return str(value) if value else None


def refuse_taken(plugins: Plugins) -> None:
    """Put commands of plug-ins out of use that bear the name of one of the program's own."""
    taken = {name for name, _, _ in COMMANDS} | {noun for noun, _, _ in NOUNS}
    for name in sorted(taken & plugins.commands().keys()):
        plugins.refuse_command(name, f"command {name} is the program's own: offer another name")


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
