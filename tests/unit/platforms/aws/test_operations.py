"""Every call of AWS's API that is written here is one that botocore knows, with parameters by their right names."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import botocore.session
from botocore import xform_name

import crossfade.platforms.aws

HERE = Path(crossfade.platforms.aws.__file__).parent


@dataclass(frozen=True)
class Written:
    """One call in the code. `whole`: no parameter comes from elsewhere."""

    where: str
    service: str
    operation: str
    names: frozenset[str]
    whole: bool

    def __str__(self) -> str:
        return f"{self.where} {self.service} {self.operation}"


def _written() -> Iterator[Written]:
    for path in sorted(HERE.rglob("*.py")):
        text = path.read_text()
        if ".call(" not in text and ".all(" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            texts = [one.value for one in node.args[:2] if isinstance(one, ast.Constant)]
            if node.func.attr in {"call", "all"} and len(texts) == 2 and all(isinstance(one, str) for one in texts):
                names = frozenset(one.arg for one in node.keywords if one.arg)
                whole = all(one.arg for one in node.keywords)
                where = f"{path.relative_to(HERE)}:{node.lineno}"
                yield Written(where, str(texts[0]), str(texts[1]), names, whole)


@cache
def calls() -> tuple[Written, ...]:
    return tuple(_written())


def test_all_that_is_asked_of_aws_is_seen_here() -> None:
    """A way of calling that this test does not find would not be checked."""
    assert len(calls()) > 40
    assert {call.service for call in calls()} >= {"application-autoscaling", "ecs", "elbv2", "ecr", "rds", "s3"}


def test_each_call_is_one_of_aws() -> None:
    """Known names, and where all are written here, none missing that AWS must have."""
    session = botocore.session.Session()
    for call in calls():
        model = session.get_service_model(call.service)
        names = {xform_name(name): name for name in model.operation_names}
        assert call.operation in names, call
        shape = model.operation_model(names[call.operation]).input_shape
        known = set(shape.members) if shape else set()
        assert call.names <= known, call
        if call.whole:
            assert set(shape.required_members if shape else ()) <= call.names, call
