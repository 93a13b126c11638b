"""A fence that knows one newest token, the same for every service."""

from crossfade.core.errors import StaleTokenError


class TokenFence:
    def __init__(self, newest: int = 1) -> None:
        self.newest = newest

    async def check(self, service: str, token: int) -> None:
        if token < self.newest:
            raise StaleTokenError(f"Token {token} for {service} is older than {self.newest}.")
