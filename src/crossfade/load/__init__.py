"""Traffic that proves it: clients that count every request they lose, and when they saw which release."""

from crossfade.load.generator import LoadGenerator
from crossfade.load.report import Cause, Count, LoadReport, Loss, Mode, Span

__all__ = ["Cause", "Count", "LoadGenerator", "LoadReport", "Loss", "Mode", "Span"]
