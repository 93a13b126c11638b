import json
import subprocess
import tempfile
import unicodedata
from base64 import b64decode
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.terraform import Terraform

from crossfade.aws.terraform.hcl import Block, Expression, block, value

NAMES = st.from_regex(r"[a-z][a-z_]{0,12}", fullmatch=True)
PLAIN = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=12),
    st.integers(-1000, 1000),
    st.booleans(),
    st.just(Expression("module.vpc.vpc_id")),
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=6,
)
ATTRIBUTES = st.dictionaries(NAMES, VALUES, max_size=5)


def blocks(children: st.SearchStrategy[list[Block]]) -> st.SearchStrategy[Block]:
    def made(kind: str, label: str, attributes: dict[str, Any], children: list[Block]) -> Block:
        return Block(kind, (label,), (*attributes.items(), *children))

    return st.builds(made, NAMES, NAMES, ATTRIBUTES, children)


BLOCKS = st.recursive(blocks(st.just([])), lambda inner: blocks(st.lists(inner, max_size=2)), max_leaves=4)


@settings(max_examples=20)
@given(st.lists(BLOCKS, min_size=1, max_size=6))
def test_terraform_would_format_nothing(terraform: Terraform, made: list[Block]) -> None:
    """Whatever is written is already as `terraform fmt` leaves it."""
    text = "\n".join(map(str, made))
    done = subprocess.run(
        [terraform.binary, "fmt", "-"],
        input=text,
        env=terraform.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == text


def test_text_of_the_file_is_no_template() -> None:
    """What looks like a template in a value stays text: a password of ${x} is no expression."""
    assert value('${aws_secret} %{if} "q"\n') == r'"$${aws_secret} %%{if} \"q\"\n"'


ANYTHING = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@settings(max_examples=15)
@given(st.dictionaries(ANYTHING, ANYTHING, min_size=8, max_size=30))
def test_terraform_reads_keys_and_values_as_they_were(terraform: Terraform, given: dict[str, str]) -> None:
    """Whatever stands in the file is text to Terraform, as a key too: nothing of it is evaluated."""
    given |= {'${file("/etc/hostname")}': "%{ if true }", "for": "in", "é": "b\b\f\x7f", 'a"b': "$${x}"}
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "main.tf").write_text(f"locals {{\n  given = {value(given, '  ')}\n}}\n")
        done = subprocess.run(
            [terraform.binary, "console"],
            cwd=scratch,
            env=terraform.environment(),
            input="base64encode(jsonencode(local.given))",
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    # Terraform keeps text in Unicode's composed form.
    assert json.loads(b64decode(done.stdout)) == {_composed(key): _composed(text) for key, text in given.items()}


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def test_what_is_none_is_not_written() -> None:
    """An attribute without a value is left out, and a module's source stands apart."""
    made = str(block("module", "vpc", source="../vpc", name="shop", nat=None))
    assert made == 'module "vpc" {\n  source = "../vpc"\n\n  name = "shop"\n}\n'
