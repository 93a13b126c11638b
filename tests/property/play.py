"""Playing a scenario to its end while every decision is watched; a failure shows its seed and its last rounds."""

from collections import deque
from collections.abc import Iterable
from typing import NoReturn

from tests.property.invariants import ALWAYS
from tests.property.scenario import OLD, Scenario

from crossfade.core.actions import Action, AwaitApproval, Launch, Shift, Stop
from crossfade.core.moves import abort, pause, promote, resume
from crossfade.core.rollout import Rollout, State
from crossfade.engine.simulate import Simulation, Step
from crossfade.engine.simulated import Behaviour, Fault

MOST_ROUNDS = 4_000
SHOWN = 60


class BrokenPromiseError(AssertionError):
    """A rollout that did what none may do."""


class Play:
    """One scenario being played."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.simulation = Simulation(scenario.rollout, scenario.world())
        self.rounds = 0
        self._last: deque[Step] = deque(maxlen=SHOWN)

    def to_the_end(self) -> Rollout:
        """The rollout as it ended."""
        while not self.simulation.rollout.state.terminal:
            if self.rounds > MOST_ROUNDS:
                self.fail("it does not come to an end")
            self._interfere(self.step())
        self._ended_well(self.simulation.rollout)
        return self.simulation.rollout

    def to_rest(self) -> None:
        """After the end, with all that is launched now sound: until nothing is left to do. Who is there then?"""
        world, rollout = self.simulation.world, self.simulation.rollout
        world.behaves, world.fault = lambda _release, _nth: Behaviour(), lambda _effect: Fault()
        for _ in range(MOST_ROUNDS):
            step = self.step()
            if not step.actions and not any(i.stopping for i in step.fleet.instances):
                break
        else:
            self.fail("the service does not come to rest")
        done = rollout.state is State.SUCCEEDED
        current, size = (rollout.target, rollout.replicas) if done else (rollout.source, rollout.before)
        if [i.release for i in step.fleet.instances] != [current] * size:
            self.fail(f"not only the {size} instances of release {current} are left")
        if {release for release, _ in step.fleet.routing.weights} != ({current} if size else set()):
            self.fail(f"not all traffic is on release {current}")

    def step(self) -> Step:
        """One round, watched."""
        self.rounds += 1
        step = self.simulation.step()
        self._last.append(step)
        for check in ALWAYS:
            for complaint in check(step):
                self.fail(f"{check.__doc__}\n  but {complaint}")
        return step

    def fail(self, why: str) -> NoReturn:
        raise BrokenPromiseError(f"seed {self.scenario.seed}: {why}\n{self.scenario}\n{trace(self._last)}")

    def _ended_well(self, rollout: Rollout) -> None:
        """A rollout says that it succeeded, or was taken back, only when that is so."""
        fleet = self._last[-1].fleet
        stays, size = (rollout.target, rollout.replicas) if rollout.state is State.SUCCEEDED else (OLD, rollout.before)
        ready = sum(i.usable for i in fleet.of(stays))
        serving = {i.release for i in fleet.instances if i.id in fleet.routing.serving()}
        if rollout.state is State.FAILED and rollout.source is not None:
            return  # it says itself that it could not go back: `to_rest` sees that it does later
        if ready < size or (size and serving != {stays}):
            self.fail(f"it is {rollout.state} with {ready} of {size} ready and traffic on {serving}")
        if (
            rollout.state is not State.SUCCEEDED
            and fleet.of(rollout.target)
            and "still to be stopped" not in rollout.reason
        ):
            self.fail(f"it is {rollout.state} and instances of the target are left")

    def _interfere(self, step: Step) -> None:
        """Crash the controller, set the clock, give an order, as the scenario has it for this round."""
        simulation, scenario = self.simulation, self.scenario
        now = simulation.world.now
        if self.rounds in scenario.crashes:
            simulation.world.forget(3.0)
        if self.rounds in scenario.jumps:
            simulation.world.jump(scenario.jumps[self.rounds])
        order = scenario.orders.get(self.rounds)
        if order is None and scenario.asked and isinstance(step.actions[0], AwaitApproval):
            order = scenario.asked
        if order is None and simulation.rollout.paused and self.rounds % 40 == 0:
            order = "resume"
        match order:
            case "pause":
                simulation.rollout = pause(simulation.rollout)
            case "resume":
                simulation.rollout = resume(simulation.rollout, now)
            case "promote":
                simulation.rollout = promote(simulation.rollout)
            case "abort":
                simulation.rollout = abort(simulation.rollout, "aborted by a person", now)


def trace(steps: Iterable[Step]) -> str:
    """The rounds as lines: when, the rollout, the traffic, the fleet (* serves, ~ drains, ! stops), the decision."""
    return "\n".join(_line(step) for step in steps)


def _line(step: Step) -> str:
    rollout, routing = step.rollout, step.fleet.routing
    serving, draining = routing.serving(), routing.draining()
    fleet = " ".join(
        f"{i.id}:{i.health[:2]}{'*' * (i.id in serving)}{'~' * (i.id in draining)}{'!' * i.stopping}"
        + (f"/{i.in_flight}+{i.streams}" if i.in_flight or i.streams else "")
        for i in step.fleet.instances
    )
    actions = " ".join(map(_short, step.actions)) or "nothing"
    held = "" if rollout.holding_since is None else "h"
    return f"{step.at:11.2f} {rollout.state:>12} {rollout.step}{held} {dict(routing.weights)} [{fleet}] -> {actions}"


def _short(action: Action) -> str:
    match action:
        case Launch():
            return f"Launch({action.count} of {action.release})"
        case Shift():
            return f"Shift({dict(action.routing.weights)}, {sorted(action.routing.registered())})"
        case Stop():
            return f"Stop({action.instance})"
        case _:
            return repr(action)
