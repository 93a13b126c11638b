"""How often throughput is measured."""

from benchmarks.throughput import FEWEST, enough


def test_rounds_end_once_all_ratios_are_known_well_enough() -> None:
    """And not by chance: the first ones may be alike, or one ratio's rounds and not the other's."""
    alike, apart = [0.9, 0.91] * FEWEST, [0.6, 0.9] * FEWEST
    assert enough([alike, alike])
    assert not enough([alike, apart])
    assert not enough([alike[: FEWEST - 1], alike])
