"""Small applications for the generator, each different in what a test is about."""

from typing import Any

from crossfade.file.model import App


def app(services: dict[str, Any] | None = None, *, jobs: dict[str, Any] | None = None, **cloud: Any) -> App:
    """`shop` in prod on AWS, one service on Fargate unless said otherwise."""
    web = {"image": "acme/web", "resources": {"cpu": 0.5, "memory": "1G"}}
    given = {
        name: {**web, **({"routes": [{"path": f"/{name}/*"}]} if index else {}), **of}
        for index, (name, of) in enumerate((services or {"web": {}}).items())
    }
    return App.model_validate(
        {
            "app": "shop",
            "environment": "prod",
            "platform": "aws",
            "services": given,
            "jobs": jobs or {},
            "cloud": cloud,
        }
    )


def on_hosts(service: dict[str, Any] | None = None, **cloud: Any) -> App:
    """The same as processes on hosts, brought by CodeDeploy."""
    web = {"source": ".", "image": None, "command": "node server.js", "port": 3001}
    pipeline = {"by": "codedeploy", "repository": "acme/shop"} | cloud.pop("pipeline", {})
    compute = {"kind": "autoscaling", "processes": 2} | cloud.pop("compute", {})
    return app({"web": {**web, **(service or {})}}, compute=compute, pipeline=pipeline, **cloud)
