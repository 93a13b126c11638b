"""Terraform as it is on this machine: found with its provider, or the test skips and says why."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

PROVIDER = "registry.terraform.io/hashicorp/aws"
# Where packages of providers are put: Terraform's implied mirrors, and what a machine's owner names.
# https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
PLACES = ("~/.terraform.d/plugins", "~/.local/share/terraform/plugins", "/usr/local/share/terraform/plugins")
ROOTS = ("/opt", "/usr/share", "/usr/local/share", "/var/lib", "/srv")

SAID = "plan.txt"  # what it wrote while it planned, warnings among it

_WHERE = "TF_REATTACH_PROVIDERS="

# Keys that are none and no calls home: with these in a provider block, a plan needs no network.
OFFLINE = {
    "access_key": "test",
    "secret_key": "test",
    "skip_credentials_validation": True,
    "skip_metadata_api_check": True,
    "skip_region_validation": True,
    "skip_requesting_account_id": True,
}


@dataclass(frozen=True)
class Terraform:
    """One installation. `config` is a CLI configuration that finds the provider without a network.

    `served` says where a provider runs already, as TF_REATTACH_PROVIDERS.
    """

    binary: str
    config: Path
    served: str = ""

    def run(
        self, folder: Path, *arguments: str, env: Mapping[str, str] | None = None, timeout: float = 300, ok: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """One call in a folder. Unless `ok` is False, a failure is the test's failure, with all that was written."""
        done = subprocess.run(
            [self.binary, *arguments],
            cwd=folder,
            env=self.environment() | dict(env or {}),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if ok and done.returncode:
            pytest.fail(f"terraform {' '.join(arguments)} in {folder}:\n{done.stdout}\n{done.stderr}", pytrace=False)
        return done

    def environment(self) -> dict[str, str]:
        """Variables for a call: this configuration, and no credentials of whoever runs the tests."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
        return kept | {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"} | self.variables

    @property
    def variables(self) -> dict[str, str]:
        """By which whoever runs it finds its provider, and loses no time."""
        return {
            "TF_CLI_CONFIG_FILE": str(self.config),
            "TF_CLI_ARGS_apply": "-parallelism=60",  # most of an apply is waiting, here too
            "GOGC": "400",  # the provider's schema is large: a third of a plan's time is collecting garbage
            "AWS_EC2_METADATA_DISABLED": "true",
            **({"TF_REATTACH_PROVIDERS": self.served} if self.served else {}),
        }

    def init(self, folder: Path, *, backend: bool = False) -> None:
        self.run(folder, "init", "-input=false", "-no-color", f"-backend={str(backend).lower()}")

    def plan(self, folder: Path, *arguments: str) -> dict[str, Any]:
        """A plan of a folder that was initialised, as `show -json` has it. Nothing is asked of AWS."""
        offline(folder)
        said = self.run(folder, "plan", "-input=false", "-no-color", "-lock=false", "-out=plan.bin", *arguments)
        (folder / SAID).write_text(said.stdout, encoding="utf-8")
        return dict(json.loads(self.run(folder, "show", "-json", "plan.bin").stdout))


@contextmanager
def served(terraform: Terraform, env: Mapping[str, str] = MappingProxyType({})) -> Iterator[Terraform]:
    """The same Terraform, with one provider process for all its calls instead of one or more for each.

    It reaches AWS by variables of its own. Starting it is most of what a call takes: the tests of all modules need 23 s
    of a core in place of 144.
    https://developer.hashicorp.com/terraform/plugin/debugging#starting-a-provider-in-debug-mode
    """
    binary = _provider()
    if binary is None:
        yield terraform
        return
    # The kernel ends it with this process, however that ends.
    command = ["setpriv", "--pdeathsig", "KILL", str(binary), "-debug"]
    with (
        tempfile.TemporaryDirectory(prefix="cf-") as folder,  # for the socket that it leaves when it is killed
        subprocess.Popen(
            command,
            env=terraform.environment() | {"TMPDIR": folder, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as provider,
    ):
        try:
            assert provider.stdout is not None
            said = (line.strip() for line in provider.stdout)
            where = next((line for line in said if line.startswith(_WHERE)), "")
            yield replace(terraform, served=where.removeprefix(_WHERE).strip("'"))
        finally:
            provider.kill()


def _provider() -> Path | None:
    """The provider's program, when the mirror has exactly one unpacked."""
    mirror = _mirror()
    found = list((mirror / PROVIDER).glob("*/*/terraform-provider-aws*")) if mirror else []
    return found[0] if len(found) == 1 and shutil.which("setpriv") else None


def offline(folder: Path) -> None:
    """Lay files over an environment's own so that it plans without AWS: dummy keys, and state in a file."""
    aliases = [None, "global"] if '"global"' in (folder / "providers.tf").read_text() else [None]
    providers = [OFFLINE | ({"alias": alias} if alias else {}) for alias in aliases]
    (folder / "offline_override.tf.json").write_text(
        json.dumps({"provider": {"aws": providers}, "terraform": {"backend": {"local": {}}}})
    )


@cache
def _mirror() -> Path | None:
    """The folder that has registry.terraform.io in it."""
    named = [os.environ.get("CROSSFADE_TF_MIRROR"), os.environ.get("TF_PLUGIN_CACHE_DIR")]
    likely = [Path(place).expanduser() for place in (*filter(None, named), *PLACES)]
    for root in (*likely, *_below(ROOTS)):
        if (root / PROVIDER).is_dir():
            return root
    return None


def _below(roots: tuple[str, ...]) -> Iterator[Path]:
    for root in roots:
        for pattern in ("*", "*/*"):
            yield from (path for path in Path(root).glob(pattern) if path.is_dir())


def find_terraform(scratch: Path) -> Terraform:
    """The installation, with a configuration written into `scratch`; skips the test when something is missing."""
    binary = shutil.which("terraform") or shutil.which("tofu")
    if binary is None:
        pytest.skip("terraform is not installed")
    mirror = _mirror()
    if mirror is None:
        pytest.skip("no local mirror of terraform's aws provider; name its folder in CROSSFADE_TF_MIRROR")
    config = scratch / "terraform.rc"
    found = f'filesystem_mirror {{\n    path = "{mirror}"\n  }}'
    config.write_text(f"disable_checkpoint = true\n\nprovider_installation {{\n  {found}\n}}\n")
    return Terraform(binary, config)
