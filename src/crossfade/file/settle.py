"""From the file's words to the plain services that strategies, runtimes and balancers work with."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from crossfade.adapters import DEFAULT_BALANCER, ON_AWS
from crossfade.core import service as core
from crossfade.core import store as core_store
from crossfade.core.job import Job as CoreJob
from crossfade.file.growth import growth
from crossfade.file.model import App, Service
from crossfade.file.parts.deploy import Deploy
from crossfade.file.parts.health import code_ranges
from crossfade.file.parts.image import Build, is_remote
from crossfade.file.parts.job import Job
from crossfade.file.parts.kind import asks_others
from crossfade.file.parts.store import Store
from crossfade.file.parts.variables.origin import origins, texts
from crossfade.file.parts.web.headers import written
from crossfade.file.parts.web.listen import OWN, ranges
from crossfade.paths import from_folder

RUNS_FOR = 5.0  # seconds after which a worker is healthy that says nothing of it


def settle(app: App, folder: Path) -> tuple[core.Service, ...]:
    """Every service of an application, each after those it depends on.

    `folder` is where the file stands: relative paths in it are meant from there, and are absolute in the result.
    """
    listener = _listener(app, folder)
    if app.platform == "aws" and app.over_ssh:
        return tuple(_on_server(app, name, listener, folder) for name in app.deploy_order)
    services = tuple(_service(app, name, listener, folder) for name in app.deploy_order)
    return (*services, *_site(app, folder))


def _site(app: App, folder: Path) -> Iterator[core.Service]:
    """The site goes out after the services that it asks, as one more of them. Its switch is one change, and final."""
    site = app.cloud.site if app.has_site else None
    if site is None:
        return
    fresh = site.fresh
    yield core.Service(
        app=app.name,
        name=core.SITE,
        environment=app.environment,
        runtime=core.SITE,
        source=str(folder),
        build=site.build or "",
        drain=0.0,
        routes=(),
        listener=core.Listener(http=None),
        strategy=core.Strategy(keep_previous=0.0, rollback_on=core.RollbackOn(error_rate=None, min_requests=0)),
        depends_on=app.deploy_order,
        site=core.Site(folder=site.folder, html=fresh.html, assets=fresh.assets, images=fresh.images),
    )


def _on_server(app: App, name: str, listener: core.Listener, folder: Path) -> core.Service:
    """As each host behind the load balancer runs it: its processes, behind the balancer of its own controller."""
    service = _service(app, name, listener, folder)
    door = replace(listener, host=OWN, http=service.port, https=None)
    # The load balancer asks the door at the service's port; the processes have others, which the controller chooses.
    return replace(service, environment="", replicas=app.cloud.compute.processes, listener=door)


def _service(app: App, name: str, listener: core.Listener, folder: Path) -> core.Service:
    service = app.services[name]
    return core.Service(
        app=app.name,
        name=name,
        environment=app.environment if app.platform == "aws" else "",
        runtime=ON_AWS.get(app.cloud.compute.kind, service.runtime) if app.platform == "aws" else service.runtime,
        kind=service.kind,
        source=str(from_folder(folder, service.source).resolve()) if service.source else "",
        image=(service.image.name or "") if service.image else "",
        login=_login(app, service),
        build=service.build or "",
        also=_also(service, folder),
        cache=service.cache,
        built_from=tuple(sorted(service.built_from)),
        command=service.command if service.command and service.image is None else "",
        static=_static(service),
        container=_container(service, folder),
        port=service.port,
        listen_on=service.listen_on,
        replicas=service.replicas,
        health=_health(service),
        drain=service.drain if service.kind == "web" else 0.0,
        grace=service.grace,
        timeout=service.timeout,
        idle_timeout=service.idle_timeout,
        sticky=_sticky(service),
        routes=tuple(core.Rule(host=route.host or "*", path=route.path) for route in service.routes),
        protocol=service.protocol,
        headers=tuple(written(name, value) for name, value in service.headers.items()),
        preview=core.Preview(header=service.preview.header, port=service.preview.port, host=service.preview.host),
        listener=listener,
        names=_names(app),
        volumes=tuple(_volume(volume, folder) for volume in service.volumes),
        env=tuple(sorted(texts(service.env).items())),
        told=tuple(sorted(origins(service.env))),
        secrets=tuple(service.secrets),
        resources=core.Resources(cpu=service.resources.cpu, memory=service.resources.memory),
        hooks=core.Hooks(
            migrate=service.hooks.migrate or "",
            schema=str(service.hooks.schema_ or ""),
            smoke=service.hooks.smoke or "",
            drain=service.hooks.drain or "",
        ),
        snapshot=_snapshot(app, service),
        dumped=_dumped(app, service),
        strategy=_strategy(app, service),
        retain=service.deploy.retain,
        depends_on=service.depends_on,
        was=service.was or "",
        scale=growth(app, service),
        jobs=tuple(_job(key, job) for key, job in sorted(app.jobs.items()) if app.service_of(job) == name),
    )


def settle_stores(app: App, folder: Path) -> tuple[core_store.Store, ...]:
    """Every store of an application, each after those that it depends on; `folder` as in `settle`."""
    return tuple(_store(app, name, folder) for name in app.store_order)


def _store(app: App, name: str, folder: Path) -> core_store.Store:
    store = app.stores[name]
    service = core.Service(
        app=app.name,
        name=name,
        runtime="docker",
        kind="worker",
        image=store.image.name or "",
        container=_container(store, folder),
        resources=core.Resources(cpu=store.resources.cpu, memory=store.resources.memory),
        volumes=tuple(_volume(volume, folder) for volume in store.volumes),
        env=tuple(sorted(store.env.items())),
        secrets=tuple(store.secrets),
        health=core.HealthCheck(
            command=str(store.health.command) if store.health else "",
            interval=store.health.interval if store.health else 1.0,
        ),
        grace=store.grace,
        names=core.Names(containers=True, join=app.network or ""),
    )
    backup = store.backup
    return core_store.Store(
        service=service,
        port=store.port.here if store.port else None,
        inside=store.port.inside if store.port else None,
        patience=store.health.timeout if store.health else 60.0,
        backup=str(backup.command) if backup else "",
        restore=str(backup.restore or "") if backup else "",
        keep=backup.keep if backup else 7,
        schedule=(backup.schedule or "") if backup else "",
        timezone=backup.timezone if backup else "UTC",
    )


def _names(app: App) -> core.Names:
    """Names of services lead to the balancer: those of processes to any, those of containers to Envoy, which alone can
    wait at an address that is not there yet.
    """
    parts = app.services.values()
    join = app.network or ""
    contained = bool(app.stores) or any(service.runtime == "docker" for service in parts)
    nameless = contained and app.balancer != DEFAULT_BALANCER
    if app.platform == "aws" or len(parts) < 2 or nameless:  # noqa: PLR2004  nobody to call
        return core.Names(containers=bool(app.stores), join=join)
    web = {name: service for name, service in app.services.items() if service.kind == "web"}
    return core.Names(
        peers=tuple(core.Peer(name=name, port=web[name].port) for name in sorted(web)),
        processes=any(service.runtime == "process" for service in parts),
        containers=contained,
        join=join,
    )


def _container(service: Service | Store, folder: Path) -> core.Container:
    if service.image is None:
        return core.Container()
    command = service.command
    return core.Container(
        entrypoint=service.entrypoint or (),
        command=() if command is None else command.words or ("/bin/sh", "-c", str(command)),
        build=_build(service.image.build, folder) if service.image.build else None,
        user=service.user or "",
        working_dir=service.working_dir or "",
        cap_drop=service.cap_drop,
        cap_add=service.cap_add,
        read_only=service.read_only,
        tmpfs=service.tmpfs,
        stop_signal=service.stop_signal or "",
        extra_hosts=service.extra_hosts,
        shm_size=service.shm_size,
        ulimits=service.ulimits,
    )


def _also(service: Service, folder: Path) -> tuple[str, ...]:
    """Absolute; folders end with a slash, for where they are may be gone when a release starts again."""
    places = {(folder / one).resolve() for one in service.also}
    return tuple(sorted(f"{place}/" if place.is_dir() else str(place) for place in places))


def _static(service: Service) -> core.Static | None:
    static = service.static
    if static is None:
        return None
    return core.Static(folder=static.folder, fallback=static.fallback or "", immutable=static.immutable)


def _sticky(service: Service) -> core.Sticky | None:
    sticky = service.sticky
    return core.Sticky(cookie=sticky.cookie, ttl=sticky.ttl, release=sticky.release, own=sticky.own) if sticky else None


def _volume(volume: core.Volume, folder: Path) -> core.Volume:
    return volume if volume.named else replace(volume, source=_as_written(folder, volume.source))


def _build(build: Build, folder: Path) -> core.Build:
    return core.Build(
        context=build.context if is_remote(build.context) else str(from_folder(folder, build.context).resolve()),
        dockerfile=build.dockerfile or "",
        target=build.target or "",
        args=tuple(sorted(build.args.items())),
    )


def _job(name: str, job: Job) -> CoreJob:
    return CoreJob(
        name=name,
        schedule=" ".join(job.schedule.split()),
        command=str(job.command or ""),
        timezone=job.timezone,
        overlap=job.overlap,
        missed=job.missed,
        timeout=job.timeout,
    )


def _health(service: Service) -> core.HealthCheck:
    health, asks = service.health, service.kind == "web" or service.health.command is not None
    return core.HealthCheck(
        after=None if asks else RUNS_FOR if health.after is None else health.after,
        command=str(health.command or ""),
        path=health.path,
        interval=health.interval,
        timeout=health.timeout,
        healthy=health.healthy,
        unhealthy=health.unhealthy,
        codes=code_ranges(health.codes),
        host=health.host or "",
        headers=tuple(sorted(health.headers.items())),
        body=health.body or "",
        h2c=service.protocol == "h2c" and health.port is None,
        port=health.port if health.port != service.port else None,
    )


def _login(app: App, service: Service) -> str:
    """What the secret is called in Secrets Manager; on this machine Docker has logins of its own."""
    variable = service.image.credentials if service.image and app.platform == "aws" else None
    if variable is None:
        return ""
    return app.cloud.secrets[variable].name or f"{app.name}/{app.environment}/{variable}"


def _snapshot(app: App, service: Service) -> str:
    """The database that RDS has of the environment, where it is to be kept as it was before a migration."""
    database = app.cloud.database if app.platform == "aws" else None
    asked = database is not None and database.snapshot and service.hooks.migrate
    return f"{app.name}-{app.environment}" if asked else ""


def _dumped(app: App, service: Service) -> bool:
    database = app.cloud.database if app.platform == "aws" else None
    return database is not None and database.dumps is not None and service.hooks.migrate is not None


def _strategy(app: App, service: Service) -> core.Strategy:
    deploy, pages = service.deploy, service.kind == "web"
    pages = pages and asks_others(app.platform, app.balancer, app.cloud.compute.kind)
    return core.Strategy(
        name=deploy.strategy,
        steps=deploy.traffic_steps,
        checkpoints=deploy.capacity_steps,
        bake=deploy.bake,
        keep_previous=deploy.keep_previous if service.kind == "web" else 0.0,  # they would go on taking jobs
        keep_assets=deploy.keep_assets if pages else 0.0,
        min_healthy=deploy.min_healthy,
        max_surge=deploy.max_surge,
        warmup=deploy.warmup,
        approve=deploy.approve,
        timeout=deploy.timeout,
        rollback_on=_rollback_on(deploy),
    )


def _rollback_on(deploy: Deploy) -> core.RollbackOn:
    when = deploy.rollback_on
    return core.RollbackOn(
        error_rate=when.error_rate / 100,
        p95_ms=None if when.p95 is None else when.p95 * 1000,
        judged_alone=when.baseline == "none",
        worse_than_previous=when.worse_than_previous,
        min_requests=when.min_requests,
        unhealthy=when.unhealthy,
        crash_loop=deploy.crash_loop,
        inconclusive=deploy.inconclusive,
    )


def _listener(app: App, folder: Path) -> core.Listener:
    tls, listen = None, app.listen
    if app.tls is not None:
        tls = core.Tls(
            certificate=_as_written(folder, app.tls.certificate),
            key=_as_written(folder, app.tls.key),
            redirect=app.tls.redirect,
            redirect_except=app.tls.redirect_except,
        )
    return core.Listener(
        host=listen.host,
        http=listen.http,
        https=listen.https,
        tls=tls,
        access_log=app.access_log,
        trusted_proxies=ranges(listen.trusted_proxies),
        proxy_protocol=listen.proxy_protocol,
        redirects=tuple(sorted(app.redirects.items())),
    )


def _as_written(folder: Path, path: str) -> str:
    """Absolute, and no link followed: a renewal gives the name another target, and a release keeps the name."""
    return os.path.abspath(from_folder(folder, path))  # noqa: PTH100  Path.resolve would follow links
