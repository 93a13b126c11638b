"""The demo: real releases of a real app under real traffic, with every request counted on both sides."""

import asyncio

from crossfade.demo.script import play


def run(*, as_json: bool) -> int:
    """Play it to the end and clean up, also after Ctrl-C. 0 when no request was lost and every step ended as told."""
    return asyncio.run(play(as_json=as_json))
