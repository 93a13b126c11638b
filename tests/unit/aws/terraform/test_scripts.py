"""What hosts run when they start: rendered by Terraform, read by bash and nginx."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.support.terraform import Terraform

from crossfade.aws.terraform.modules import FOLDER

PROXY = {
    "listen": 80,
    "balance": "least_conn",
    "max_fails": 2,
    "fail_timeout": 30,
    "keepalive": 32,
    "idle_timeout": 3600,
    "app": "/health/deep",
    "health": "/health",
    "health_timeout": 2,
    "websockets": "/ws/",
    "websocket_timeout": 604800,
    "fresh": {"/static/": 2592000},
    "ports": [3001, 3002],
    "folder": "/opt/shop",
}
HOST = {
    "name": "shop-prod",
    "region": "us-east-1",
    "folder": "/opt/shop",
    "image": "",
    "image_tag": "1",
    "command": "'node server.js --name '\\''it'\\'' --port $PORT'",  # a word of bash, as all that is quoted
    "container_port": 8080,
    "ports": [3001, 3002],
    "nginx": "# nginx\n",
    "start_app": "#!/bin/bash\n",
    "environment": {"MOTTO": "'it'\\''s'"},
    "secrets": {"TOKEN": "aws secretsmanager get-secret-value --secret-id 'shop' --query SecretString --output text"},
    "agent_parameter": "AmazonCloudWatch-shop-prod",
    "agent_reads": ["/var/log/nginx", "/opt/shop's/logs"],
    "log_group": "/shop-prod/hosts",
    "revisions": "",
    "by_release": False,
}
DATABASE = {
    "name": "shop-prod-database",
    "region": "us-east-1",
    "secret": "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop",
    "volume": "vol0",
    "image": "public.ecr.aws/docker/library/mysql:8.0",
    "port": 3306,
    "inside": 3306,
    "data": "/var/lib/mysql",
    "prefix": "MYSQL",
    "postgres": False,
    "database": "shop",
    "options": "--require-secure-transport=ON",
}


def rendered(terraform: Terraform, scratch: Path, template: str, **values: Any) -> str:
    """A template of a module, as `templatefile` makes it."""
    (scratch / "values.json").write_text(json.dumps(values))
    asked = f'jsonencode(templatefile("{FOLDER / template}", jsondecode(file("values.json"))))'
    done = subprocess.run(
        [terraform.binary, "console"],
        cwd=scratch,
        env=terraform.environment(),
        input=asked,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return str(json.loads(json.loads(done.stdout)))


@pytest.mark.parametrize(
    ("template", "values"),
    [
        ("compute/asg/start-app.sh.tftpl", HOST),
        ("compute/asg/start-app.sh.tftpl", HOST | {"by_release": True}),
        ("compute/asg/user_data.sh.tftpl", HOST),
        ("compute/asg/user_data.sh.tftpl", HOST | {"revisions": "shop-prod-revisions-1"}),
        ("compute/asg/user_data.sh.tftpl", HOST | {"image": "registry/shop", "nginx": ""}),
        ("compute/asg/user_data.sh.tftpl", HOST | {"image": "registry/shop", "command": "", "agent_parameter": ""}),
        ("database/host/user_data.sh.tftpl", DATABASE),
        ("database/host/user_data.sh.tftpl", DATABASE | {"postgres": True, "prefix": "POSTGRES"}),
    ],
    ids=[
        "start",
        "start-of-a-release",
        "processes",
        "revisions",
        "containers",
        "containers-behind-nginx",
        "mysql",
        "postgres",
    ],
)
def test_a_script_is_one_that_bash_reads(
    terraform: Terraform, tmp_path: Path, template: str, values: dict[str, Any]
) -> None:
    """What a host starts with has no mistake that bash would only find there, and nothing of the template is left."""
    script = rendered(terraform, tmp_path, template, **values)
    assert script.startswith("#!/bin/bash\n")
    assert "%{" not in script
    assert subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False).stderr == ""


def test_values_survive_the_shell(terraform: Terraform, tmp_path: Path) -> None:
    """A process gets its command and its variables exactly as the file has them, quotes included."""
    start = rendered(terraform, tmp_path, "compute/asg/start-app.sh.tftpl", **HOST)
    start = "\n".join(line for line in start.splitlines() if "secretsmanager" not in line and line != "export TOKEN")
    probe = start.replace("node server.js", 'printf "%s\\n" "$MOTTO"')
    path = {"PORT": "3001", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["bash", "-c", probe], env=path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["it's", "--name", "it", "--port", "3001"]


def test_a_host_s_command_is_the_files(terraform: Terraform, tmp_path: Path) -> None:
    """Also of processes whose release a deploy says, until the first one does: between its lines it is all there is."""
    script = rendered(terraform, tmp_path, "compute/asg/user_data.sh.tftpl", **(HOST | {"revisions": "shop-1"}))
    own = script.partition("/etc/app/release.sh <<'RELEASE'\n")[2].partition("\nRELEASE\n")[0]
    said = f'{own.splitlines()[-1]}\nprintf %s "$COMMAND"'
    done = subprocess.run(["bash", "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout == "node server.js --name 'it' --port $PORT"


def test_no_text_of_the_file_becomes_the_script(terraform: Terraform, tmp_path: Path) -> None:
    """Lines that would end a here-document stay inside of the files they are meant for."""
    escaping = "x\nSTART\nNGINX\nUNIT\ntouch /tmp/taken\n"
    changed = {"start_app": escaping, "nginx": escaping}
    script = rendered(terraform, tmp_path, "compute/asg/user_data.sh.tftpl", **(HOST | changed))
    assert "touch /tmp/taken" not in script
    written = [line for line in script.splitlines() if line.startswith("base64 -d >")]
    for line in written:
        target = tmp_path / "written"
        shown = line.replace(line.split()[3], str(target))
        subprocess.run(["bash", "-c", shown], check=True)
        assert target.read_text() == escaping
    assert len(written) == 2


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"balance": "round_robin", "keepalive": 0, "health": "", "websockets": "", "health_timeout": 0},
        {"folder": ""},
        {"app": """/health;{return"200"}$uri'\\"""},
    ],
)
def test_nginx_takes_its_configuration(terraform: Terraform, tmp_path: Path, changed: dict[str, Any]) -> None:
    """`nginx -t` accepts what a host's nginx is given, with everything and with nothing of it."""
    text = rendered(terraform, tmp_path, "compute/asg/nginx.conf.tftpl", **(PROXY | {"listen": 18080} | changed))
    whole = f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{text}}}\n"
    (tmp_path / "nginx.conf").write_text(whole)
    done = subprocess.run(["nginx", "-t", "-c", tmp_path / "nginx.conf"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
