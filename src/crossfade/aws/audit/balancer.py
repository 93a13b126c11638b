"""What an Application Load Balancer does to connections that stay open.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html#connection-idle-timeout
"""

import re

LONGEST_IDLE = 4000.0  # seconds of silence after which it closes any connection
SHORT_IDLE = 60.0  # what it does when nobody said anything else
_STREAMS = re.compile(r"/(?:\w+[-.])?(?:wss?|websockets?|socket\.io|sockjs|cable|hubs?|sse|subscriptions)(?:/|\*|$)")


def opens_streams(path: str) -> bool:
    """True for paths under which frameworks open WebSockets and event streams: /ws/, /socket.io/*, /cable."""
    return _STREAMS.search(path) is not None
