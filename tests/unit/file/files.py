"""Files that several tests read, and words that no message may contain."""

# The file of the design, with every key once.
FULL = """\
app: feedback
services:
  web:
    source: .
    build: python -m pip install -r requirements.txt -t vendor
    cache: [vendor, ~/.cache/pip]
    built_from: [crossfade.yaml]
    also: [crossfade.yaml]
    command: python -m app --port $PORT
    port: 8080
    listen_on: port
    protocol: http
    replicas: 2
    health:
      path: /health/deep
      interval: 30s
      timeout: 5s
      healthy: 2
      unhealthy: 3
      codes: "200"
      host: www.example.com
      headers: {X-Forwarded-Proto: https}
      body: ok
    drain: 30s
    grace: 10s
    timeout: 60s
    idle_timeout: 1h
    sticky: {cookie: sessionid, ttl: 1d, release: false}
    routes: [{path: /api/*}, {host: api.example.com}]
    headers: {hsts: 1y, frame: deny, nosniff: true, Referrer-Policy: same-origin}
    preview: {header: X-Crossfade-Preview, port: 8081, host: 10.0.0.7}
    depends_on: [db-api]
    was: site
    env: {LOG_LEVEL: info, VERSION: 1.10, COUNTRY: NO, DEBUG: true, MODE: 0755, EMPTY: ""}
    volumes: [uploads:media, "data.2:var/data"]
    env_file: [{path: web.env, required: false}]
    secrets: [DATABASE_URL]
    resources: {cpu: 0.5, memory: 1G}
    scale: {min: 2, max: 10, cpu: 70%, memory: 80%, requests: 1000, out_after: 60s, in_after: 300s}
    hooks: {migrate: python -m app.migrate, schema: python -m app.schema, smoke: ./smoke.sh, drain: ./drain.sh}
    deploy:
      strategy: canary
      steps: [10, 50%, 100]
      step: 20%
      bake: 5m
      keep_previous: 1h
      keep_assets: 15s
      min_healthy: 50
      max_surge: 50%
      warmup: 300s
      checkpoints: [50, 100]
      approve: [50]
      rollback_on:
        baseline: none
        error_rate: 0.5%
        p95: 500ms
        min_requests: 200
        unhealthy: 1
        worse_than_previous: 2.0
      inconclusive: hold
      crash_loop: 4
      timeout: 10m
      retain: 7
  db-api:
    image: {name: ghcr.io/acme/db-api:1.4, credentials: DATABASE_URL}
    entrypoint: [docker-entrypoint.sh, -v]
    user: "1000:1000"
    working_dir: /app
    cap_drop: [ALL]
    cap_add: [NET_BIND_SERVICE]
    read_only: true
    tmpfs: [/run, "/tmp:size=64m"]
    stop_signal: SIGQUIT
    extra_hosts: {mail: 10.0.0.5, host: host-gateway}
    shm_size: 256M
    ulimits: {nofile: 65536, core: {soft: 0, hard: -1}}
    routes: [{path: /db/*}]
    preview: {port: 8082}
    resources: {cpu: 0.25, memory: 512M}
    health: {port: 9090}
stores:
  postgres:
    image: {name: "postgres:16"}
    entrypoint: [docker-entrypoint.sh]
    command: [postgres, -c, max_connections=200]
    volumes: [pg:/var/lib/postgresql/data]
    env: {POSTGRES_DB: shop, VERSION: 1.10}
    secrets: [POSTGRES_PASSWORD]
    health: {command: pg_isready -U postgres, interval: 2s, timeout: 5m}
    backup: {command: pg_dump shop, restore: psql shop, keep: 3, schedule: 0 3 * * *, timezone: Asia/Seoul}
    port: 5432
    grace: 2m
    shm_size: 256M
    user: 999:999
    working_dir: /tmp
    cap_drop: [NET_RAW]
    cap_add: [SYS_NICE]
    read_only: true
    tmpfs: [/run]
    stop_signal: SIGINT
    extra_hosts: {mail: 10.0.0.5}
    ulimits: {nofile: 65536}
    env_file: [{path: .env.store, required: false}]
    resources: {cpu: 2, memory: 2G}
    depends_on: [queue]
  queue: {image: "rabbitmq:4", volumes: [queue:/var/lib/rabbitmq]}
listen: {http: 8000, https: 8443, host: 127.0.0.1, trusted_proxies: [loopback, 203.0.113.7], proxy_protocol: true}
tls: {certificate: tls/fullchain.pem, key: tls/privkey.pem, redirect: true, redirect_except: [/health]}
network: shop_default
notify: {ops: {secret: OPS_WEBHOOK, on: [failed, trouble]}}
access_log: true
redirects: {old.example.com: example.com}
cloud:
  region: ap-northeast-2
  account: "123456789012"
  zones: [a, c]
  timezone: Asia/Seoul
  network:
    cidr: 10.0.0.0/16
    public: [10.0.1.0/24, 10.0.2.0/24]
    private: [10.0.11.0/24, 10.0.12.0/24]
    database: [10.0.21.0/24, 10.0.22.0/24]
    nat: per-zone
    nat_instance: t4g.nano
    endpoints: [s3, ecr, logs]
    open_ports: [{port: 22, to: [203.0.113.0/24]}]
    flow_logs: true
  compute:
    kind: fargate
    architecture: arm
    spot: 50%
    instance: t3.medium
    disk: 20G
    processes: 4
    proxy:
      balance: least_conn
      max_fails: 2
      fail_timeout: 30s
      keepalive: 32
      health: /nginx-health
      health_timeout: 2s
      websockets: /ws/
      websocket_timeout: 7d
      fresh: {/static/: 30d}
    warmup: 300s
    metrics:
      namespace: Feedback/Application
      disks: [/, /opt]
      every: 60s
      names: {cpu_usage_idle: CPU_IDLE}
      logs: {access: /var/log/nginx/access.log}
    insights: true
    checks: {web: "wget -qO- http://localhost:3000/health"}
    read_only: true
  load_balancer:
    tls_policy: ELBSecurityPolicy-TLS13-1-2-2021-06
    algorithm: least_outstanding_requests
    visitors: [0.0.0.0/0]
    logs: true
    protect: true
  database:
    engine: postgres
    version: 17
    host: false
    instance: db.t4g.small
    snapshot: true
    storage: 50G
    max_storage: 100G
    multi_az: true
    backups: 7d
    backup_window: 03:00-04:00
    maintenance_window: mon 04:00-05:00
    parameters: {log_statement: all, max_connections: 100}
    replica: db.t4g.micro
    tls: true
    public: false
    protect: true
  cache:
    engine: redis
    version: 7.1
    node: cache.t4g.small
    shards: 2
    cluster: true
    replicas: 1
    snapshots: 5d
    snapshot_window: 04:00-05:00
    policy: volatile-lru
  buckets:
    files:
      versioned: true
      expire_old: 30d
      moves: [{after: 30d, to: standard-ia}, {after: 90d, to: glacier-ir}]
      expire: 365d
      cors: [https://example.com]
      cors_methods: [GET, PUT]
      cors_kept: 10m
      services: [web]
  site:
    folder: build
    build: npm run build
    app: true
    fresh: {html: 5m, assets: 365d, images: 7d}
    expire_old: 30d
    api: true
    everywhere: false
  domain:
    name: example.com
    api: api.example.com
    zone: existing
    zone_id: Z0123456789ABCDEFGHIJ
    ttl: 60s
    move: {old: 203.0.113.10, share: 10%}
  certificate: managed
  registry: {keep: 10, expire: 30d, immutable: true, scan: true}
  secrets: {DATABASE_URL: {name: feedback/db/url, rotate: 90d}}
  logs: {keep: 30d}
  alarms: [{on: cache-hit-rate, limit: 80, stays: 10m, severity: warning}]
  notify: {critical: [oncall@example.com, "+821012345678"], warning: [team@example.com]}
  dashboard: true
  tracing: true
  budget: {monthly: 100, forecast: 80%, actual: 100%, counts: environment}
  targets:
    availability: 99.95%
    errors: 1%
    mean: 200ms
    p95: 500ms
    health_check: 100ms
    requests: 1000
    deploy: 3m
    rollback: 5m
    recovery: 1h
    data_loss: 24h
  guards: {cloudtrail: true, guardduty: true}
  accept:
    - id: CF-NET-001
      where: cloud.network.open_ports.0
      reason: the office alone
      until: 2027-03-31
  pipeline:
    by: codepipeline
    test: pytest -q
    setup: {python: "3.13", node: "22", java: "21"}
    repository: acme/feedback
    host: gitlab
    branch: main
    approve: true
    size: medium
    strategy: hybrid
    lifecycle:
      application_stop: 300s
      before_install: 300s
      after_install: 600s
      application_start: 300s
      validate_service: 300s
    checks: {tries: 10, every: 5s, then: /api/version, namespace: Feedback/Deployment}
  deployer:
    github: acme/feedback
    gitlab: acme/feedback
    branch: main
    principals: ["arn:aws:iam::123456789012:role/release"]
    provider: existing
  state: {bucket: acme-terraform-state, lock: table, table: acme-terraform-lock}
  tags: {Team: feedback}
  usage:
    instances: {web: 3}
    hours: 730
    lcu: 1
    egress: 100G
    nat: 50G
    between_zones: 10G
    logs: 20G
    metrics: 10
    buckets: {files: 50G}
    bucket_writes: 100000
    bucket_reads: 1000000
    cdn: 1T
    dns: 1000000
    images: 5G
    builds: 600
    db_backups: 50G
    secret_calls: 10000
    units: {lambda.requests-1m: 3}
    traces: 1000000
    other: [{name: LLM API, monthly: 150}]
environments:
  local: {platform: local}
  prod:
    platform: aws
    balancer: nginx
    stores: null
    redirects: null
    services:
      web:
        volumes: null
        headers: null
        replicas: 4
        health: {host: null, headers: null, body: null}
        deploy: {bake: 1h, keep_assets: null}
      db-api:
        entrypoint: null
        user: null
        working_dir: null
        cap_drop: null
        cap_add: null
        read_only: null
        tmpfs: null
        stop_signal: null
        extra_hosts: null
        shm_size: null
        ulimits: null
        health: {port: null}
"""

# What no service that gets requests can have, or none that runs a command.
WORKERS = """\
app: feedback
services:
  site:
    source: .
    build: npm run build
    static: {folder: dist, fallback: index.html, immutable: [/assets/*]}
  mailer:
    kind: worker
    image: ghcr.io/acme/mailer:1.4
    health: {command: ./alive.sh}
    scale:
      schedule:
        night: {schedule: 0 1 * * *, timezone: Asia/Seoul, min: 1, max: 1}
        sale: {at: 2026-12-01T19:50, min: 8, max: 20}
  clock:
    kind: worker
    image: ghcr.io/acme/mailer:1.4
    health: {after: 20s}
    deploy: {strategy: recreate}
jobs:
  digest:
    service: mailer
    command: python -m mailer.digest
    schedule: 0 7 * * MON-FRI
    timezone: Asia/Seoul
    overlap: queue
    missed: skip
    timeout: 1h
cloud: {usage: {jobs: {digest: 5m}}}
"""

# On servers of one's own.
ON_HOSTS = """\
app: shop
services:
  web:
    source: .
    command: python -m shop --port $PORT
    sticky: {own: visit}
platform: hosts
hosts: [deploy@a.example.com, "deploy@b.example.com:2222"]
ssh: {key: ~/.ssh/deploy, known_hosts: deploy/known_hosts, timeout: 5s, crossfade: ~/.crossfade/bin/crossfade}
outside: {url: "https://{host}/health", codes: "200", passes: 5, timeout: 30s}
"""

# Hosts that AWS has, and that stay, behind a CDN.
ON_SERVERS = """\
app: shop
services:
  web:
    source: .
    command: python -m shop --port $PORT
    port: 8000
    replicas: 2
platform: aws
ssh: {key: ~/.ssh/deploy}
cloud:
  compute:
    kind: hosts
    address: private
    user: deploy
    keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDmQm1dS5n6v0n3G1fZ8jvXo0nqk0i0Qm7v4s3pXQ2aB deploy]
  database: {engine: mysql, version: 8.4, host: true, instance: t3.small, dumps: written}
  buckets: {built: {}, written: {}}
  cdn: {bucket: built, files: {/static/*: 365d}, never: [/api/*], keep: 24h, everywhere: true}
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
