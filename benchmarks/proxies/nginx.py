"""nginx: a new upstream in its configuration, and a reload."""

import os
import signal
import time

from benchmarks.proxies.proxy import Peer, replace

CONFIG = """\
daemon off;
pid {place}/nginx.pid;
error_log stderr error;
worker_processes auto;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {place}/body;
  proxy_temp_path {place}/proxy;
  fastcgi_temp_path {place}/fastcgi;
  uwsgi_temp_path {place}/uwsgi;
  scgi_temp_path {place}/scgi;
  upstream app {{ server 127.0.0.1:{origin}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
}}
"""


class Nginx(Peer):
    name = "nginx, reload"
    how = "the upstream in the file, then SIGHUP to the master, which is what `nginx -s reload` sends"
    program = "nginx"

    def configure(self, release: str) -> None:
        text = CONFIG.format(place=self.place, port=self.port, origin=self.origins[release])
        replace(self.place / "nginx.conf", text)

    def command(self) -> list[str]:
        return ["-e", "stderr", "-p", str(self.place), "-c", str(self.place / "nginx.conf")]

    async def switch(self, release: str) -> float:
        self.configure(release)
        now = time.monotonic()
        os.kill(self.pid, signal.SIGHUP)
        return now
