"""The only writer of rollouts.

`loop` goes round: `observe` looks, the strategies decide, `scribe` writes it down, `perform` does it through `ports`.
"""
