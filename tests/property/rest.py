"""What must be true when all is over. The first line of each docstring is the sentence that is promised."""

from typing import TYPE_CHECKING

from tests.property.history import KEY
from tests.property.known import Known
from tests.property.trouble import Ordered

from crossfade.core.fleet import Health
from crossfade.core.group import Group
from crossfade.core.release import Outcome
from crossfade.core.rollout import State
from crossfade.core.wire import decode

if TYPE_CHECKING:
    from tests.property.simulation import Simulation


class Rest:
    """The end of a history, judged as `Watch` judges what comes before it."""

    def __init__(self, simulation: "Simulation") -> None:
        self._simulation = simulation
        self._known = Known(simulation)
        self._fail = simulation.watch.fail

    def judge(self) -> None:
        """All is over, and nothing has been written for a while."""
        self.a_rollout_ends_with_all_traffic_on_one_good_release()
        self.nothing_is_left_over()
        self.no_bad_release_is_a_way_back()
        self.a_good_release_is_not_blamed()
        self.what_nothing_disturbs_succeeds()
        self.nothing_is_counted_twice()
        self.several_services_end_together()
        self.nobody_gave_up()
        self.the_platform_scales_again()
        self.who_waits_looks_once_a_tick()

    def a_rollout_ends_with_all_traffic_on_one_good_release(self) -> None:
        """A failed rollout ends with all traffic on the last good release at full capacity, with its own settings."""
        platform, ledger = self._simulation.platform, self._simulation.ledger
        if ledger.active:
            self._fail("a rollout is under way")
        exposure = platform.exposed.get(KEY)
        if ledger.current is None:
            if exposure and exposure.routing.weights:
                self._fail(f"nothing was ever good, and {exposure.routing.weights} have traffic")
            return
        release = ledger.release(ledger.current)
        now = platform.clock.now()
        mine = [
            life
            for life in platform.of(KEY)
            if life.release.number == release.number and life.drains_until is None
            if life.truth(now) is not Health.EXITED or not self._simulation.cloud
        ]
        usable = sorted(life.id for life in mine if self._known.passes(life, now))
        if len(usable) != ledger.wanted:
            self._fail(f"{len(usable)} of {ledger.wanted} instances of release {release.number} are healthy at rest")
        if exposure is None or not ledger.wanted:
            return
        if [r for r, _ in exposure.routing.weights] != [release.number]:
            self._fail(f"traffic is on {exposure.routing.weights} and not on release {release.number}")
        if sorted(exposure.routing.serving()) != usable:
            self._fail(f"{sorted(exposure.routing.serving())} serve, and {usable} could")
        if exposure.service != release.service:
            self._fail("the service is exposed with the settings of another release")

    def nothing_is_left_over(self) -> None:
        """From a crash at any journal write the rollout reaches a terminal state and no orphan remains."""
        simulation = self._simulation
        ledger = simulation.ledger
        now, lives = simulation.platform.clock.now(), simulation.platform.of(KEY)
        others = [
            life.id
            for life in lives
            if life.release.number != ledger.current
            and not (simulation.cloud and (life.drains_until is not None or life.truth(now) is Health.EXITED))
        ]
        if others:
            self._fail(f"{others} are left, and release {ledger.current} is the current one")

    def no_bad_release_is_a_way_back(self) -> None:
        """A release marked bad is never `previous`; an artifact that any ledger needs is never removed."""
        ledger, artifacts = self._simulation.ledger, self._simulation.platform.artifacts
        if ledger.previous and ledger.previous.outcome is not Outcome.GOOD:
            self._fail(f"release {ledger.previous.number} is {ledger.previous.outcome} and a way back")
        for number in sorted(ledger.retained()):
            if (KEY, ledger.release(number).digest) not in artifacts:
                self._fail(f"the artifact of release {number} is gone")

    def a_good_release_is_not_blamed(self) -> None:
        """A good release is never blamed for the machine's, the platform's or the controller's trouble."""
        history, ledger = self._simulation.history, self._simulation.ledger
        if history.sound and history.left_alone:
            for release in ledger.releases:
                if release.outcome is Outcome.BAD:
                    self._fail(f"release {release.number} is called bad: {release.why}")

    def what_nothing_disturbs_succeeds(self) -> None:
        """A good release that nothing and nobody disturbs succeeds."""
        history, ledger = self._simulation.history, self._simulation.ledger
        if history.sound and not history.troubles and not any(r.outcome is Outcome.GOOD for r in ledger.releases[-1:]):
            self._fail(f"release {ledger.releases[-1].number} is {ledger.releases[-1].outcome}")

    def nothing_is_counted_twice(self) -> None:
        """What a deploy did is on record, and nothing is counted twice."""
        ledger = self._simulation.ledger
        exposure = self._simulation.platform.exposed.get(KEY)
        recorded = sum(record.proof.get("requests", 0) for record in ledger.records)
        if exposure and recorded > exposure.total.requests:
            self._fail(f"{recorded} requests are on record of {exposure.total.requests}")

    def the_platform_scales_again(self) -> None:
        """Whoever died and whenever: what a rollout suspended goes on, for the release that serves."""
        ledger, cloud = self._simulation.ledger, self._simulation.cloud
        if cloud and ledger.current is not None and ledger.active is None:
            left = cloud.resting.get(KEY)
            if left != (ledger.current, dict(ledger.warm)):
                self._fail(f"release {ledger.current} serves, and the platform was left at {left}")
            named = cloud.named.get(KEY)
            if named != (ledger.current, ledger.previous.number if ledger.previous else None):
                self._fail(f"release {ledger.current} serves, and names of artifacts say {named}")

    def who_waits_looks_once_a_tick(self) -> None:
        """Nobody asks without a pause: the platform is looked at once a tick, and a few times for each line.

        A tick is 2 s or more; a call that fails is made again after half a second, and no line says so.
        """
        simulation = self._simulation
        passed, lines = simulation.now - simulation.t0, len(simulation.paper.events)
        if simulation.looks > 5 + passed + 4 * lines:
            self._fail(f"{simulation.looks} looks within {passed:g} s and {lines} lines")

    def several_services_end_together(self) -> None:
        """Services that are deployed together are all at the new release in the end, or all back.

        Unless one cannot go back, because its old release does not start any more: then their end says so.
        """
        simulation = self._simulation
        history, control = simulation.history, simulation.control
        moved = any(isinstance(t, Ordered) and t.verb in {"supersede", "rollback"} for t in history.troubles)
        begun = [event for event in simulation.paper.events if event.kind == "group started"]
        if moved or control is None or not begun:
            return
        members = decode(Group, begun[-1].data["group"]).members
        at = {member.service: control.registry.ledger(member.service).current for member in members}
        out = [member.service for member in members if at[member.service] == member.target]
        back = [member.service for member in members if at[member.service] == member.source]
        ended = [event for event in simulation.paper.events if event.kind == "group ended"]
        if not ended:
            self._fail("the release group does not come to an end")
        stuck = not history.returnable and ended[-1].data["state"] == State.FAILED
        if len(members) not in {len(out), len(back)} and not stuck:
            self._fail(f"{out} are at their new releases, {back} are back, of {at}")
        if history.sound and not history.troubles and back:
            self._fail(f"{back} went back although nothing was wrong")

    def nobody_gave_up(self) -> None:
        """No task of the controller ends by itself."""
        complaints = [c for c in self._simulation.timeline.complaints if "exception" in c]
        if complaints:
            self._fail(f"nobody caught {complaints[0]['exception']!r}")
