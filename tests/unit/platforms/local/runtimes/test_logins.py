"""Images of a registry that asks who one is: Debian's docker-registry on loopback, with a password."""

import base64
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.token_fence import TokenFence
from tests.adapters.until import until
from tests.contract.runtime_kits import DockerImages, docker_is_missing

from crossfade.core.errors import WrongInputError
from crossfade.core.service import Service
from crossfade.platforms.local.runtimes.docker.runtime import DockerRuntime

# bcrypt of "geheim", made by htpasswd -nbB
HTPASSWD = "shop:$2y$05$Inl5uV.XBaH407FXFIAqR.5kOWr52tW5u6B5Lrr.M5kTVrb/rx9ui\n"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """Its name, host and port; it ends with the test."""
    if why := docker_is_missing() or ("" if shutil.which("docker-registry") else "no docker-registry (Debian has it)"):
        pytest.skip(why)
    with socket.create_server(("127.0.0.1", 0)) as free:
        name = f"127.0.0.1:{free.getsockname()[1]}"
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    config = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "registry")}},
        "http": {"addr": name},
        "auth": {"htpasswd": {"realm": "shop", "path": str(tmp_path / "htpasswd")}},
        "log": {"accesslog": {"disabled": True}, "level": "error"},
    }
    (tmp_path / "registry.json").write_text(json.dumps(config))  # JSON is YAML
    server = subprocess.Popen(
        ["docker-registry", "serve", str(tmp_path / "registry.json")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield name
    server.kill()
    server.wait()


def logged_in(folder: Path, registry: str) -> dict[str, str]:
    """What `docker login` leaves, and the environment of a shell that has it."""
    folder.mkdir()
    token = base64.b64encode(b"shop:geheim").decode()
    (folder / "config.json").write_text(json.dumps({"auths": {registry: {"auth": token}}}))
    return {"DOCKER_CONFIG": str(folder)}


async def test_the_login_of_who_deploys_opens_the_registry(registry: str, tmp_path: Path) -> None:
    """Without one the image is refused, with the way out; after `docker login` the same controller pulls it."""
    import docker

    client: Any = docker.from_env()
    images, name = DockerImages(), f"{registry}/acme/web"
    runtime = DockerRuntime(tmp_path / "state", TokenFence())
    service = Service(app="shop", name="web", runtime="docker", image=f"{name}:1")
    try:
        made = client.images.get(images.add("one"))
        made.tag(name, "1")

        async def pushed() -> bool:
            auth = {"username": "shop", "password": "geheim"}
            return "error" not in str(client.images.push(name, tag="1", auth_config=auth))

        assert await until(pushed)
        client.images.remove(f"{name}:1", force=True)
        with pytest.raises(WrongInputError, match=rf"could not be pulled(.|\n)*docker login {registry}"):
            await runtime.build(service, {"DOCKER_CONFIG": str(tmp_path / "nobody")})
        artifact = await runtime.build(service, logged_in(tmp_path / "docker", registry))
        assert artifact.digest.startswith(f"{name}@sha256:")
        again = await runtime.build(service, {"DOCKER_CONFIG": str(tmp_path / "docker")})
        assert replace(again, notes=()) == artifact
        assert again.notes == ()
    finally:
        await runtime.close()
        images.remove()
        client.close()
