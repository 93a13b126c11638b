"""`python -m feedback --port 8000`"""

import argparse
import os

import uvicorn

from feedback.app import build
from feedback.store import Store


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m feedback", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    arguments = parser.parse_args()

    store = Store.from_environment()
    if store.schema_version() == 0:
        store.migrate()  # a new database; one that exists is changed by the migrate hook only
    uvicorn.run(
        build(store),
        host=arguments.host,
        port=arguments.port,
        lifespan="off",
        access_log=False,
        log_level="warning",
        ws="none",
        timeout_keep_alive=75,  # longer than the balancer keeps an idle connection: it closes first, never we
    )


if __name__ == "__main__":
    main()
