"""A filter that is made only for the few requests or answers that need it, for a script costs more than all else."""

from typing import Any, Literal

from crossfade.platforms.local.balancers.envoy.clusters import Json, typed


def seldom(name: str, action: str, execute: Json, *any_of: Json, **more: Any) -> Json:
    """The filter of this name. It executes what `action` names where one of `any_of`, which are predicates, holds."""
    chosen = {**typed("extensions.filters.http.composite.v3.ExecuteFilterAction"), **execute}
    matcher = {
        "predicate": {"or_matcher": {"predicate": list(any_of)}},
        "on_match": {"action": {"name": action, "typed_config": chosen}},
    }
    config = {
        **typed("extensions.common.matching.v3.ExtensionWithMatcher"),
        "extension_config": {
            "name": "envoy.filters.http.composite",
            "typed_config": {**typed("extensions.filters.http.composite.v3.Composite")},
        },
        "xds_matcher": {"matcher_list": {"matchers": [matcher]}},
    }
    return {"name": name, **more, "typed_config": config}


def has(side: Literal["request", "response"], header: str, value: Json) -> Json:
    """The predicate: this header of a request, or of its answer, matches."""
    source = {
        "name": f"envoy.matching.inputs.{side}_headers",
        "typed_config": {**typed(f"type.matcher.v3.Http{side.title()}HeaderMatchInput"), "header_name": header},
    }
    return {"single_predicate": {"input": source, "value_match": value}}
