"""Says hello, and which release says it. Told to end, it answers what it has and goes."""

import os
import signal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Greeter(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        text = f"{os.environ['GREETING']} from {os.environ['CROSSFADE_RELEASE']}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Its balancer keeps a log of requests."""


def leave(*_: object) -> None:
    raise SystemExit


signal.signal(signal.SIGTERM, leave)
server = ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Greeter)
server.daemon_threads = False
server.serve_forever()
