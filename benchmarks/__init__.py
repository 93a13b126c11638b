"""What crossfade promises in numbers, beside real peers: `python -m benchmarks` measures all and writes the page."""
