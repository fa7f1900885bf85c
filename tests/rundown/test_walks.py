"""Any walk through a rundown: events and states agree, and passed means that every step passed."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hkex_ops.errors import UsageError
from hkex_ops.rundown import (
    Doubt,
    Fail,
    Pass,
    Rundown,
    RundownEvent,
    RundownStep,
    SessionClosed,
    SessionOpened,
    Skip,
    Start,
    StepFinished,
    StepInput,
    StepRefused,
    StepSkipped,
    StepStarted,
    StepState,
)
from tests.rundown.steps import FIRST_OPENS, STEPS

steps = st.sampled_from(STEPS)
inputs = st.one_of(
    st.builds(Start, steps),
    st.builds(Pass, steps),
    st.builds(Fail, steps, st.just("refused")),
    st.builds(Doubt, steps, st.just("no snapshot")),
    st.builds(Skip, steps, st.just("not today")),
)


class Walk(RuleBasedStateMachine):
    """Drives a rundown with inputs wise and foolish, and keeps its own account from the events."""

    def __init__(self) -> None:
        super().__init__()
        self.rundown = Rundown(STEPS)
        self.now = FIRST_OPENS - timedelta(hours=1)
        self.told: list[RundownEvent] = []
        self.account: dict[RundownStep, StepState] = dict.fromkeys(STEPS, StepState.WAITING)

    def hear(self, events: tuple[RundownEvent, ...]) -> None:
        """Write down what the events say."""
        self.told += events
        for event in events:
            match event:
                case StepStarted(step=step):
                    self.account[step] = StepState.RUNNING
                case StepFinished(step=step, state=state):
                    self.account[step] = state
                case StepSkipped(step=step):
                    self.account[step] = StepState.SKIPPED
                case _:
                    pass

    @rule(minutes=st.integers(0, 90))
    def time_passes(self, minutes: int) -> None:
        """Turn the clock and look."""
        self.now += timedelta(minutes=minutes)
        self.hear(self.rundown.poll(self.now))

    @rule(given=inputs)
    def an_input_comes(self, given: StepInput) -> None:
        """Whatever the state: it is taken, or refused and nothing happened."""
        try:
            self.hear(self.rundown.handle(given, self.now))
        except UsageError:
            return

    @rule(step=steps)
    def a_step_is_done(self, step: RundownStep) -> None:
        """Begin and pass one step, as far as it lets itself."""
        self.an_input_comes(Start(step))
        self.an_input_comes(Pass(step))

    @rule()
    def somebody_else_takes_over(self) -> None:
        """Restore into a new machine; what ran is waiting again, and nothing is told twice."""
        again = Rundown(STEPS)
        again.restore(self.rundown.snapshot())
        self.rundown = again
        for step, state in self.account.items():
            if state is StepState.RUNNING:
                self.account[step] = StepState.WAITING

    @invariant()
    def states_are_what_the_events_said(self) -> None:
        """The machine's view and the account agree."""
        assert self.account == self.rundown.states

    @invariant()
    def passed_means_that_every_step_passed(self) -> None:
        """Never passed while any step is anything else."""
        assert self.rundown.passed == ({StepState.PASSED} == set(self.account.values()))

    @invariant()
    def a_session_opens_once_and_closes_once_and_in_this_order(self) -> None:
        """Told once each."""
        opened = [event.session for event in self.told if isinstance(event, SessionOpened)]
        closed = [event.session for event in self.told if isinstance(event, SessionClosed)]
        assert len(set(opened)) == len(opened)
        assert len(set(closed)) == len(closed)
        assert set(closed) <= set(opened)

    @invariant()
    def no_step_began_outside_its_window(self) -> None:
        """Every start lies inside, every refusal outside."""
        for event in self.told:
            window = event.step.window if isinstance(event, StepStarted | StepRefused) else None
            if window is None or window.start.at is None or window.until.at is None:
                continue
            inside = window.start.at <= event.at < window.until.at
            assert inside == isinstance(event, StepStarted)


TestWalk = Walk.TestCase
TestWalk.settings = settings(max_examples=100, stateful_step_count=40)
