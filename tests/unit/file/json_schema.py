"""As much of a JSON Schema validator as the file's schema needs; an unknown keyword fails the test at hand."""

import re
from typing import Any

Schema = Any
_NOTES = {"$schema", "$defs", "title", "description", "examples", "default"}
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def accepts(schema: Schema, value: Any, root: Schema = None) -> bool:
    """True when the schema allows the value."""
    root = schema if root is None else root
    if isinstance(schema, bool):
        return schema
    unknown = schema.keys() - _NOTES - _KEYWORDS.keys() - {"then"}
    assert not unknown, f"a keyword this validator does not know: {unknown}"
    return all(_KEYWORDS[key](rule, value, schema, root) for key, rule in schema.items() if key in _KEYWORDS)


def _is(name: str, value: Any) -> bool:
    return isinstance(value, _TYPES[name]) and (isinstance(value, bool) == (name == "boolean"))


def _type(rule: Any, value: Any, _schema: Schema, _root: Schema) -> bool:
    return any(_is(name, value) for name in ([rule] if isinstance(rule, str) else rule))


def _ref(rule: str, value: Any, _schema: Schema, root: Schema) -> bool:
    return accepts(root["$defs"][rule.removeprefix("#/$defs/")], value, root)


def _properties(rule: Schema, value: Any, _schema: Schema, root: Schema) -> bool:
    return not isinstance(value, dict) or all(
        accepts(rule[key], value[key], root) for key in value.keys() & rule.keys()
    )


def _others(rule: Schema, value: Any, schema: Schema, root: Schema) -> bool:
    known = schema.get("properties", {})
    return not isinstance(value, dict) or all(
        accepts(rule, item, root) for key, item in value.items() if key not in known
    )


def _names(rule: Schema, value: Any, _schema: Schema, root: Schema) -> bool:
    return not isinstance(value, dict) or all(accepts(rule, key, root) for key in value)


def _if(rule: Schema, value: Any, schema: Schema, root: Schema) -> bool:
    return not accepts(rule, value, root) or accepts(schema["then"], value, root)


_KEYWORDS: dict[str, Any] = {
    "type": _type,
    "$ref": _ref,
    "properties": _properties,
    "additionalProperties": _others,
    "propertyNames": _names,
    "enum": lambda rule, value, *_: value in rule,
    "pattern": lambda rule, value, *_: not isinstance(value, str) or re.search(rule, value) is not None,
    "minimum": lambda rule, value, *_: not _is("number", value) or value >= rule,
    "maximum": lambda rule, value, *_: not _is("number", value) or value <= rule,
    "exclusiveMinimum": lambda rule, value, *_: not _is("number", value) or value > rule,
    "minItems": lambda rule, value, *_: not isinstance(value, list) or len(value) >= rule,
    "items": lambda rule, value, _, root: (
        not isinstance(value, list) or all(accepts(rule, item, root) for item in value)
    ),
    "required": lambda rule, value, *_: not isinstance(value, dict) or all(key in value for key in rule),
    "anyOf": lambda rule, value, _, root: any(accepts(one, value, root) for one in rule),
    "oneOf": lambda rule, value, _, root: sum(accepts(one, value, root) for one in rule) == 1,
    "not": lambda rule, value, _, root: not accepts(rule, value, root),
    "if": _if,
}
