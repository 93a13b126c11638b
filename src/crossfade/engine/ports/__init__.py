"""Ports: what the engine needs of the world. Every adapter passes the contract suite of its port in `tests/contract`.

Shaped so that one machine and AWS both fit: targets are registered and report their state, calls may be slow, may be
repeated, and may have done their work although they failed; every act carries the fencing token of the lease it is
done under, and an adapter refuses one that is older than a token it has seen (`StaleTokenError`).
"""
