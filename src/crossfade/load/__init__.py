"""Traffic that proves it: clients that count every request they lose, and when they saw which release."""

from crossfade.load.report import Cause, Count, LoadReport, Loss, Mode, Span
from crossfade.load.traffic import Traffic

__all__ = ["Cause", "Count", "LoadReport", "Loss", "Mode", "Span", "Traffic"]
