"""The command line: a module a group of verbs, loaded only when one of them is asked for."""

import gc

# Modules, the file and a plan are kept, and the process is gone before garbage matters: looking for it after every 700
# objects, as Python does, is a fifth of what `crossfade deploy` needs to begin, and a third of the bill of a plan with
# 16,000 resources. Here, because the imports of `main` count too. What follows a rollout for hours collects at times.
gc.set_threshold(100_000, 10, 10)
