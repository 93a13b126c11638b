"""A web app of pages with a script of their release's own, and of sessions that live in the process.

`/` is the page, `/assets/app.RELEASE.js` the script of this release; any other path gets the page, as sites of one page
have it. POST `/session` begins one, a GET below it waits a moment and says its release; one that is unknown is a 400.
"""

import os
import secrets
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RELEASE = os.environ["CROSSFADE_RELEASE"]
SCRIPT = f"/assets/app.{RELEASE}.js"
WAITS = 0.2  # seconds that a poll takes

sessions: set[str] = set()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.startswith("/session/"):
            time.sleep(WAITS)
            known = self.path.rpartition("/")[2] in sessions
            self.answer(200 if known else 400, "text/plain", RELEASE)
        elif self.path == SCRIPT:
            self.answer(200, "text/javascript", RELEASE)
        else:
            self.answer(200, "text/html", f"{RELEASE} {SCRIPT}")

    def do_POST(self) -> None:
        sessions.add(name := secrets.token_hex(8))
        self.answer(200, "text/plain", name)

    def answer(self, code: int, kind: str, text: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None: ...


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


if __name__ == "__main__":
    Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
