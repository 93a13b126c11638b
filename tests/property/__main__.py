"""More histories than `make test` plays, of any seeds.

`python -m tests.property 20000 30000 --cloud` prints each history that breaks a promise, with what it needs for that,
and how many held. Exit code: 0 all held, 1 some did not.
"""

import argparse
import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from multiprocessing import Pool

from tests.property.history import History, frail, history, used
from tests.property.test_histories import play

TOGETHER = 50  # seeds that a process takes at a time
TOLD_EACH = 1_000


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.property", description=__doc__.splitlines()[0])
    parser.add_argument("first", type=int, metavar="FROM", help="a seed")
    parser.add_argument("end", type=int, metavar="TO", help="the first seed that is left out")
    parser.add_argument("--cloud", action="store_true", help="all on a cloud; default: each where its seed says")
    parser.add_argument(
        "--used", action="store_true", help="of services that are used on: scaled, restarted, taken down"
    )
    parser.add_argument("--frail", action="store_true", help="of releases that end after they are good, as --used")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="default: one a core")
    asked = parser.parse_args(words)
    broken = played = 0
    starts = range(asked.first, asked.end, TOGETHER)
    with Pool(asked.processes, initializer=gc.freeze) as pool:
        make = frail if asked.frail else partial(used if asked.used else history, cloud=asked.cloud or None)
        work = partial(_broken, end=asked.end, make=make)
        for start, told in zip(starts, pool.imap(work, starts), strict=True):
            for why in told:
                print(why, flush=True)
            broken += len(told)
            played = min(start + TOGETHER, asked.end) - asked.first
            if played % TOLD_EACH == 0:
                print(f"{played:,} played, {broken:,} broken", file=sys.stderr, flush=True)
    print(f"{played - broken:,} of {played:,} histories held every promise")
    return 1 if broken else 0


def _broken(start: int, *, end: int, make: Callable[[int], History]) -> list[str]:
    return list(_complaints(range(start, min(start + TOGETHER, end)), make))


def _complaints(seeds: range, make: Callable[[int], History]) -> Iterator[str]:
    for seed in seeds:
        try:
            play(seed, make)
        except AssertionError as error:
            yield str(error)


if __name__ == "__main__":
    sys.exit(main())
