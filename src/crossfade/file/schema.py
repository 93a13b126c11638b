"""The JSON Schema of the file, for editors: completion, help on hover, and red lines under what `check` refuses."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import CoreSchema

from crossfade.file.model import File

_RUNS = {
    "oneOf": [
        {"required": ["source", "command"], "properties": {"image": False, "static": False}},
        {"required": ["source", "static"], "properties": {"image": False, "command": False, "kind": False}},
        {"required": ["image"], "properties": {"source": False, "build": False, "static": False}},
    ]
}


class _Editors(GenerateJsonSchema):
    """Draft 2020-12 without the titles pydantic makes up from names."""

    def generate(self, schema: CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        return {"$schema": self.schema_dialect, **super().generate(schema, mode)}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the signature is pydantic's
        return False


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `crossfade.yaml`.

    It accepts every notation the loader does. What needs two places of the file, such as two services with one route,
    only `crossfade check` can tell. A file without environments must say what each service runs; with them it may be
    said there.
    """
    made: dict[str, Any] = File.model_json_schema(schema_generator=_Editors)
    made["title"] = "crossfade.yaml"
    for part in (made, *made["$defs"].values()):
        _accept_what_the_loader_does(part)
    listen = made["$defs"]["Listen"]
    port = {"type": "integer", "minimum": 1, "maximum": 65535}
    made["$defs"]["Listen"] = {"description": listen.pop("description"), "anyOf": [port, listen]}
    for short, pattern in (("Image", r"^\S+$"), ("Build", r"\S"), ("Static", r"^[^/]")):
        part = made["$defs"][short]
        text = {"type": "string", "pattern": pattern}
        made["$defs"][short] = {"description": part.pop("description"), "anyOf": [text, part]}
    made["if"] = {"not": {"required": ["environments"]}}
    made["then"] = {"properties": {"services": {"additionalProperties": _RUNS}}}
    return made


def _accept_what_the_loader_does(part: JsonSchemaValue) -> None:
    """A key that may be left out may stand without a value too; names must match, not only those that happen to."""
    required = part.get("required", ())
    for name, field in part["properties"].items():
        if "patternProperties" in field:
            ((pattern, item),) = field.pop("patternProperties").items()
            field |= {"propertyNames": {"pattern": pattern}, "additionalProperties": item}
        if name not in required:
            part["properties"][name] = _or_null(field)


def _or_null(field: JsonSchemaValue) -> JsonSchemaValue:
    if "enum" in field:
        return {**field, "type": ["string", "null"], "enum": [*field["enum"], None]}
    if "type" in field:
        return {**field, "type": [field["type"], "null"]}
    if "$ref" in field:
        rest = {key: value for key, value in field.items() if key != "$ref"}
        return {**rest, "anyOf": [{"$ref": field["$ref"]}, {"type": "null"}]}
    return {**field, "anyOf": [*(form for form in field["anyOf"] if form != {"type": "null"}), {"type": "null"}]}
