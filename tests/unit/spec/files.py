"""Files that several tests read, and words that no message may contain."""

# The file of the design, with every key once.
FULL = """\
app: feedback
services:
  web:
    source: .
    build: python -m pip install -r requirements.txt -t vendor
    command: python -m app --port $PORT
    port: 8080
    replicas: 2
    health: {path: /health/deep, interval: 30s, timeout: 5s, healthy: 2, unhealthy: 3, codes: "200"}
    drain: 30s
    grace: 10s
    timeout: 60s
    idle_timeout: 1h
    sticky: {cookie: sessionid, ttl: 1d}
    routes: [{path: /api/*}, {host: api.example.com}]
    preview: {header: X-Crossfade-Preview, port: 8081}
    depends_on: [db-api]
    env: {LOG_LEVEL: info, VERSION: 1.10, COUNTRY: NO, DEBUG: true, MODE: 0755, EMPTY: ""}
    secrets: [DATABASE_URL]
    resources: {cpu: 0.5, memory: 512M}
    hooks: {migrate: python -m app.migrate, smoke: ./smoke.sh, drain: ./drain.sh}
    deploy:
      strategy: canary
      steps: [10, 50%, 100]
      bake: 5m
      keep_previous: 1h
      min_healthy: 50
      max_surge: 50%
      warmup: 300s
      checkpoints: [50, 100]
      approve: [50]
      rollback_on: {error_rate: 0.5%, p95: 500ms, min_requests: 200, unhealthy: 1, worse_than_previous: 2.0}
      inconclusive: hold
      crash_loop: 4
      timeout: 10m
      retain: 7
  db-api:
    image: ghcr.io/acme/db-api:1.4
    routes: [{path: /db/*}]
listen: {http: 8000, https: 8443, host: 127.0.0.1}
tls: {certificate: tls/fullchain.pem, key: tls/privkey.pem, redirect: false}
access_log: true
environments:
  local: {platform: local}
  prod: {platform: aws, balancer: nginx, services: {web: {replicas: 4, deploy: {bake: 1h}}}}
"""

# As little as possible.
SMALL = """\
app: shop
services:
  web:
    source: .
    command: python -m shop --port $PORT
"""

# Words of the libraries underneath, which nobody who writes a file should meet.
FOREIGN = ("Input should", "valid dict", "Value error", "pydantic", "Extra inputs", "Field required", "another value")
