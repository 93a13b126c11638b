"""Pure decisions: what there is and what is wanted go in, the next actions come out.

The loop asks `next`, which asks `decide` of a rollout and `keep` of a service between rollouts. Who gets requests is
decided in `routing`, whether a release is good in `verdict`.
"""
