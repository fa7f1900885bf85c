"""A run from the command line: its folder made and locked, signals heard, the supervisor turned.

The lock is the kernel's: it ends with the process that holds it, so that a run whose supervisor was
killed can be started again at once, and two can never publish side by side.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import ExitStack

from hkex_ops.clock import Clock
from hkex_ops.flows.index.run_plan import RunPlan
from hkex_ops.flows.index.supervisor import RunResult, RunWatcher, Supervisor
from hkex_ops.flows.store.disk import Folder, translating
from hkex_ops.flows.store.lock import Lock

__all__ = ["run_index"]

_SIGNALS = {signal.SIGTERM: "told to end", signal.SIGINT: "interrupted"}


async def run_index(plan: RunPlan, clock: Clock, watcher: RunWatcher) -> RunResult:
    """Run what ``plan`` says until its feed ends or a signal says so.

    Raises `StoreError` when the folder cannot be used, or is in use; what `Supervisor.run` raises.
    """
    with translating(plan.folder, "make the folder of the run"):
        plan.folder.mkdir(parents=True, exist_ok=True)
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        folder = stack.enter_context(Folder.open(plan.folder))
        lock = Lock(folder, clock.now(), what="the index run is")
        stack.callback(lock.release)
        supervisor = Supervisor(plan, folder, clock, watcher)
        for number, reason in _SIGNALS.items():
            loop.add_signal_handler(number, supervisor.stop, reason)
            stack.callback(loop.remove_signal_handler, number)
        return await supervisor.run()
