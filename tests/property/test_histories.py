"""All promises over 10,000 random histories: the real controller, on a platform in memory, under a time of its own.

A failure prints its seed and the history with the few troubles that it needs; `play(seed)` plays it again.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from tests.property.history import KEY, History, frail, history, together, used
from tests.property.simulation import Simulation

from crossfade.strategies.next import next_step

CHUNKS, EACH = 40, 250
SHOWN = 40  # of the journal's last lines


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_all_promises_hold(chunk: int) -> None:
    """Whatever goes wrong, every sentence of `invariants` is true of every history."""
    for seed in range(chunk * EACH, (chunk + 1) * EACH):
        play(seed, used if seed % 16 in {2, 3} else history)


@pytest.mark.parametrize("chunk", [0, *(pytest.param(n, marks=pytest.mark.long) for n in range(1, 4))])
def test_all_promises_hold_of_two_services_that_go_out_together(chunk: int) -> None:
    """And in the end both are at their new releases, or both back."""
    for seed in range(chunk * 100, (chunk + 1) * 100):
        play(seed, together)


@pytest.mark.parametrize("chunk", [0, *(pytest.param(n, marks=pytest.mark.long) for n in range(1, 4))])
def test_all_promises_hold_of_a_release_that_another_one_stands_in_for(chunk: int) -> None:
    """Whatever people order meanwhile; and of some histories that is what happens, several times."""
    stood_in = 0
    for seed in range(chunk * 100, (chunk + 1) * 100):
        lines = play(seed, frail).run().paper.events
        stood_in += sum(bool(line.data.get("stands_in_for")) for line in lines)
    assert stood_in > 10


CLOUDS = (
    *(43, 466, 531, 1041, 1210, 1396, 1896, 10240, 10586, 25536),
    *(23892, 27190, 27415, 27897, 28907, 29120, 29805, 43312, 43648, 47007, 51879, 33637),
)
MACHINES = (100563, 102972, 111171, 122715, 124994, 125108, 128085)
USED = (
    *(21, 331, 465, 1699, 1858, 2905, 3584, 3689, 4051, 4539),
    *(4811, 5530, 7014, 8349, 8692, 10971, 14739, 15915, 17483, 26139, 26995),
)
USED_CLOUDS = (21995, 22268)
FRAIL = (58, 41018, 42194, 42257, 42503, 42891)


def test_all_promises_hold_of_what_a_cloud_once_broke() -> None:
    """Of each of these histories something was not true once: floors, weights, blame, or an end."""
    for seed in CLOUDS:
        play(seed, partial(history, cloud=True))


def test_all_promises_hold_of_what_was_broken_once() -> None:
    """Of each of these histories something was not true once: blame, an end, or what can be known."""
    for seed in MACHINES:
        play(seed)


def test_all_promises_hold_of_what_use_once_broke() -> None:
    """A service that was taken down half, or beside its next release, pages in a restart, and a busy platform."""
    for seed in USED:
        play(seed, used)


def test_all_promises_hold_of_what_use_on_a_cloud_once_broke() -> None:
    """A smaller size that was told while the cloud's own scaling had one more come, and a larger one in a restart."""
    for seed in USED_CLOUDS:
        play(seed, partial(used, cloud=True))


def test_all_promises_hold_of_what_a_stand_in_once_broke() -> None:
    """Too few that had the traffic back, pages of who stood in while nothing could be written, a window left open."""
    for seed in FRAIL:
        play(seed, frail)


def play(seed: int, make: Callable[[int], History] = history) -> Simulation:
    """The history of a seed, played; an AssertionError shows what it needs to go wrong."""
    told = make(seed)
    why = complaint(told)
    if why:
        told = shrunk(told)
        raise AssertionError(shown(told, complaint(told)))
    return Simulation(told)


def complaint(told: History) -> str:
    """What is wrong with a history, empty when nothing is."""
    try:
        Simulation(told).run()
    except (AssertionError, RuntimeError) as error:
        return str(error)
    return ""


def shrunk(told: History) -> History:
    """The same with one trouble after the other left out, as long as something is wrong with it."""
    for trouble in told.troubles:
        fewer = replace(told, troubles=tuple(t for t in told.troubles if t is not trouble))
        if complaint(fewer):
            told = fewer
    return told


def shown(told: History, why: str) -> str:
    simulation = Simulation(told)
    with pytest.raises((AssertionError, RuntimeError)):
        simulation.run()
    troubles = "".join(f"\n  {trouble}" for trouble in told.troubles)
    lines = "\n".join(simulation.text().splitlines()[-SHOWN:])
    return f"seed {told.seed}: {why}\nwith{troubles or ' no trouble at all'}\nin {told}\n{lines}"


def fingerprints(count: int = 50) -> str:
    """Of so many histories, each with the whole of its journal."""
    prints = [hashlib.sha256(Simulation(history(seed)).run().text().encode()).hexdigest() for seed in range(count)]
    return "\n".join(prints)


def test_the_same_seed_gives_the_same_history() -> None:
    """Byte for byte, in another process with other hashes too."""
    here = fingerprints()
    root = Path(__file__).parents[2]
    script = "from tests.property.test_histories import fingerprints; print(fingerprints())"
    env = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": f"{root}:{root / 'src'}"}
    there = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here


def test_another_seed_gives_another_history() -> None:
    """Ten histories, and hardly two of them alike."""
    assert len(set(fingerprints(10).splitlines())) > 8


class Asked(Simulation):
    """Asked each second what it would do, and again with equal facts that are other objects."""

    def _answer_questions(self) -> None:
        super()._answer_questions()
        loop = self.control.registry.loops.get(KEY) if self.control else None
        if loop is not None:
            facts, fleet, now = loop.ledger.facts, loop.fleet, self.platform.clock.now()
            assert next_step(deepcopy(facts), deepcopy(fleet), now) == next_step(facts, fleet, now)


def test_the_same_facts_give_the_same_decision() -> None:
    """At every second of twenty histories."""
    for seed in range(20):
        Asked(history(seed)).run()
