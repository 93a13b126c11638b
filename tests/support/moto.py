"""AWS's tables on this machine, as moto has them, in a thread of the test's own process."""

import logging
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import Lock, Thread
from typing import Any
from uuid import uuid4

import pytest

from crossfade.platforms.aws.clients import Clients

REGION = "ap-northeast-2"


@dataclass(frozen=True)
class Moto:
    """A table for journals, and where it is."""

    name: str
    endpoint: str

    def clients(self, **how: Any) -> Clients:
        return clients(self.endpoint, **how)


@contextmanager
def moto() -> Iterator[str]:
    """The endpoint of an AWS with nothing in it yet: moto is one for the whole process, and forgets when told to."""
    endpoint = _serving()
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST"), timeout=30).close()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_ACCESS_KEY_ID", "test")
        patched.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patched.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patched.delenv("AWS_PROFILE", raising=False)
        yield endpoint


@cache
def _serving() -> str:
    """Begun once, as what it makes for each service takes longer than most tests; it ends with the process."""
    pytest.importorskip("moto.server", reason="moto is not installed: pip install -e '.[dev]'")
    from tests.rig.dispatcher import dispatcher
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application, turn = dispatcher(), Lock()

    def one_by_one(environ: Any, start: Any) -> Any:
        """Moto undoes a refused transaction by putting whole tables back, and what others wrote meanwhile is lost."""
        with turn:
            return application(environ, start)

    made = make_server("127.0.0.1", 0, one_by_one, threaded=True)
    Thread(target=made.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{made.port}"


def clients(endpoint: str, **how: Any) -> Clients:
    """Ours, without reading what each service can do anew."""
    made = Clients(REGION, endpoint=endpoint, **how)
    made._session = session()
    return made


def session() -> Any:
    """A new one for anybody's clients, without reading that anew."""
    from botocore.session import Session
    from tests.rig.dispatcher import models

    made = Session()
    made.register_component("data_loader", models())
    return made


@contextmanager
def journal_table() -> Iterator[Moto]:
    """A table as `infra bootstrap` makes it, empty."""
    with moto() as endpoint:
        table = Moto(f"journal-{uuid4().hex[:8]}", endpoint)
        client = session().create_client("dynamodb", region_name=REGION, endpoint_url=endpoint)
        client.create_table(TableName=table.name, **KEYS)
        yield table


KEYS: dict[str, Any] = {
    "KeySchema": [{"AttributeName": "place", "KeyType": "HASH"}, {"AttributeName": "line", "KeyType": "RANGE"}],
    "AttributeDefinitions": [
        {"AttributeName": "place", "AttributeType": "S"},
        {"AttributeName": "line", "AttributeType": "S"},
    ],
    "BillingMode": "PAY_PER_REQUEST",
}
