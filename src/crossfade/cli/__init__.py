"""The command line: a module a group of verbs, loaded only when one of them is asked for."""

import gc

# A verb loads tens of thousands of objects that stay, and is gone before garbage matters: looking for it every 700 of
# them is a fifth of what `crossfade deploy` needs to begin. What follows a rollout for hours still collects at times.
gc.set_threshold(100_000, 10, 10)
