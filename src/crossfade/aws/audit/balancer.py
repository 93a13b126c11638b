"""Paths of streams: connections behind them stay open, so that a load balancer's idle timeout matters."""

import re

_STREAMS = re.compile(r"/(?:\w+[-.])?(?:wss?|websockets?|socket\.io|sockjs|cable|hubs?|sse|subscriptions)(?:/|\*|$)")


def opens_streams(path: str) -> bool:
    """True for paths under which frameworks open WebSockets and event streams: /ws/, /socket.io/*, /cable."""
    return _STREAMS.search(path) is not None
