"""What an instance knows of itself, and how a command of it says no."""

import os
from dataclasses import dataclass, field
from pathlib import Path


class Refusal(Exception):  # noqa: N818  it is an answer
    """A command that fails: `code`, and what it says."""

    def __init__(self, said: str, code: int = 1) -> None:
        super().__init__(said)
        self.said, self.code = said, code


@dataclass(frozen=True, kw_only=True)
class Facts:
    """As the metadata service tells them; `endpoint_port` is where AWS is to be found, at its own 127.0.0.1."""

    id: str
    region: str
    zone: str
    address: str
    user_data: str
    endpoint_port: int
    tags: dict[str, str] = field(default_factory=dict)

    def environment(self, path: Path) -> dict[str, str]:
        """Of what runs here."""
        keys = {"AWS_ACCESS_KEY_ID": "host", "AWS_SECRET_ACCESS_KEY": "host", "AWS_REGION": self.region}
        return {
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "PATH": f"{path}:{os.environ.get('PATH', '/usr/bin:/bin')}",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.endpoint_port}",
            **keys,
        }
