"""Latencies in fixed logarithmic buckets: about a thousand numbers, however many requests."""

from collections.abc import Mapping
from dataclasses import dataclass, field

# Every power of two of microseconds is cut into 32 buckets, so a bucket is at most 1/32 = 3 % wide: 1 ms falls into
# 992..1023 us, 1 s into 0.983..1.015 s. Below 64 us each microsecond has its own. 2**36 us (19 h) is the end.
STEPS = 32
LINEAR = 2 * STEPS
BUCKETS = 1024
LONGEST = 2**36 - 1


def bucket(microseconds: int) -> int:
    """The number of the bucket that counts this latency."""
    if microseconds < LINEAR:
        return max(microseconds, 0)
    shift = min(microseconds, LONGEST).bit_length() - 6
    return shift * STEPS + (min(microseconds, LONGEST) >> shift)


def highest(number: int) -> int:
    """The longest latency, in microseconds, that the bucket of this number counts."""
    if number < LINEAR:
        return number
    shift = number // STEPS - 1
    return ((number - shift * STEPS + 1) << shift) - 1


@dataclass(frozen=True, slots=True)
class Latency:
    """Counts by bucket number. Two of them add up to the one of both, so processes can measure apart."""

    buckets: Mapping[int, int] = field(default_factory=dict)

    def percentile_ms(self, percent: float) -> float | None:
        """The latency in ms that `percent` of the requests kept within, 3 % too high at most; None without requests."""
        total = sum(self.buckets.values())
        passed = 0
        for number in sorted(self.buckets):
            passed += self.buckets[number]
            if passed * 100 >= total * percent:
                return highest(number) / 1000
        return None

    def __add__(self, other: "Latency") -> "Latency":
        numbers = self.buckets.keys() | other.buckets.keys()
        return Latency({n: self.buckets.get(n, 0) + other.buckets.get(n, 0) for n in sorted(numbers)})
