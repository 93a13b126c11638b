"""The AWS CLI of an instance: its words as a call of botocore's. https://docs.aws.amazon.com/cli/latest/reference/"""

import json
from functools import cache
from typing import Any

import botocore.session


class Cli:
    """`run` asks `endpoint` as anybody does."""

    def __init__(self) -> None:
        self.endpoint = ""
        self._session = botocore.session.Session()
        self._client = cache(self._make)

    def run(self, *, service: str, operation: str, region: str, parameters: dict[str, str]) -> Any:
        given = {"".join(word.title() for word in name.split("-")): _value(text) for name, text in parameters.items()}
        if "MetricName" in given:  # one metric, said in words: only the CLI has that
            pairs = dict(one.partition("=")[::2] for one in given.get("Dimensions", "").split(",") if one)
            one = {
                "MetricName": given["MetricName"],
                "Value": float(given["Value"]),
                "Unit": given.get("Unit", "None"),
                "Dimensions": [{"Name": name, "Value": value} for name, value in pairs.items()],
            }
            given = {"Namespace": given["Namespace"], "MetricData": [one]}
        found = getattr(self._client(service, region), operation.replace("-", "_"))(**given)
        found.pop("ResponseMetadata", None)
        return found

    def _make(self, service: str, region: str) -> Any:
        keys = {"aws_access_key_id": "host", "aws_secret_access_key": "host"}
        return self._session.create_client(service, region, endpoint_url=self.endpoint, **keys)


def _value(text: str) -> Any:
    return json.loads(text) if text.startswith(("{", "[")) else text
