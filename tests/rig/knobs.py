"""What of the rig can be turned while it runs: pace, lag, and what goes wrong with which calls."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

# How long AWS takes until its data plane does what its API says. AWS promises no figure; an engine that needs one is
# wrong, so this is a knob and never 0 unless somebody wants it.
LAG = 2.0
TIMES = ("pace", "lag", "task_start", "instance_start", "metrics_after", "invalidation", "quota")


class Kind(StrEnum):
    """How a call goes wrong."""

    REFUSED = "refused"  # the error is the answer, nothing is done
    LOST = "lost"  # it is done, and the connection is cut before the answer
    LATE = "late"  # it is done, and the answer comes `seconds` later
    UNHEARD = "unheard"  # the connection is cut and nothing is done


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Goes wrong with calls of `service` and `operation` (both may have `*`), each with probability `rate`.

    `times`: for so many calls, then never again; None: for as long as it is there. `seconds` are this machine's.
    """

    service: str = "*"
    operation: str = "*"
    kind: Kind = Kind.REFUSED
    rate: float = 1.0
    times: int | None = None
    code: str = "ThrottlingException"
    message: str = "Rate exceeded"
    status: int = 400
    seconds: float = 0.0

    def fits(self, service: str, operation: str) -> bool:
        named = fnmatchcase(service, self.service) and fnmatchcase(operation, self.operation)
        return named and (self.times is None or self.times > 0)


@dataclass
class Knobs:
    """`pace` divides all of AWS's times: at 10, a minute takes 6 s. `lag` is in AWS's seconds, too."""

    pace: float = 1.0
    lag: float = LAG
    task_start: float = 5.0  # from asked for to its first instruction, in AWS's seconds; Fargate takes 20 to 60
    instance_start: float = 20.0  # from asked for until it runs and Auto Scaling has it in service, in AWS's seconds
    metrics_after: float = 5.0  # AWS's seconds between the end of a minute and its figures in CloudWatch
    quota: float = 0.0  # tasks that the account may have at once; 0: as many as there are
    invalidation: float = 30.0  # AWS's seconds until edges have forgotten what was invalidated
    faults: list[Fault] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(7), repr=False)

    def real(self, seconds: float) -> float:
        """So many of AWS's seconds in seconds of this machine."""
        return seconds / self.pace

    def fault(self, service: str, operation: str) -> Fault | None:
        """What goes wrong with this call, if anything does."""
        for at, fault in enumerate(self.faults):
            if fault.fits(service, operation) and self.chance.random() < fault.rate:
                if fault.times is not None:
                    self.faults[at] = replace(fault, times=fault.times - 1)
                return fault
        return None

    def change(self, said: Mapping[str, Any]) -> None:
        """What was said over HTTP; the rest stays. ValueError for what is not a knob, or cannot be turned so far."""
        times = {name: float(value) for name, value in said.items() if name != "faults"}
        unknown = times.keys() - set(TIMES)
        if unknown:
            raise ValueError(f"there is no knob {', '.join(sorted(unknown))}: {', '.join(TIMES)}, faults")
        if times.get("pace", 1) <= 0 or min(times.values(), default=0) < 0:
            raise ValueError("pace is above 0, and no time is negative")
        if "faults" in said:
            self.faults = [Fault(**{**one, "kind": Kind(one.get("kind", Kind.REFUSED))}) for one in said["faults"]]
        for name, value in times.items():
            setattr(self, name, value)
