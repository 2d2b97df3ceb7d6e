import json

import pytest

from loopwright.bundle import MAX_DOCUMENT_BYTES, canonical_json, default_bundle, default_document, parse_bundle
from loopwright.bundle.document import violations_of
from loopwright.faults import BundleInvalid


def changed(path: str, value: object) -> str:
    data = json.loads(canonical_json(default_bundle()))
    *parents, name = path.split(".")
    node = data
    for parent in parents:
        node = node[parent]
    node[name] = value
    return json.dumps(data)


def told(document: str | bytes) -> list[str]:
    return [f"{entry.field}: {entry.description}" for entry in violations_of(document)]


def test_yaml_and_json_of_the_same_bundle_parse_to_the_same_bundle() -> None:
    assert parse_bundle(canonical_json(default_bundle())) == parse_bundle(default_document())


def test_a_yaml_flow_mapping_is_not_mistaken_for_json() -> None:
    assert told("{surface: home}")[0] == "schema: is required"


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("exploration.slice_rate", 1.5, "exploration.slice_rate: must be at most 1"),
        ("exploration.slice_rate", -0.1, "exploration.slice_rate: must be at least 0"),
        ("exploration.slice_rate", float("nan"), "exploration.slice_rate: must be finite"),
        ("exploration.slice_rate", "0.1", "exploration.slice_rate: must be a number"),
        ("exploration.slice_rate", True, "exploration.slice_rate: must be a number"),
        ("ranking.best_n", 1.5, "ranking.best_n: must be a whole number"),
        ("ranking.best_n", 501, "ranking.best_n: must be at most retrieval.max_candidates"),
        ("retrieval.fresh_days", 0, "retrieval.fresh_days: must be above 0"),
        ("retrieval.sources", {}, "retrieval.sources: must name at least one source"),
        ("retrieval.sources.fresh", {"quota": 1, "weight": 1}, "retrieval.sources.fresh.budget_ms: is required"),
        ("objective.weights", {"engage": 0}, "objective.weights: must give at least one head a weight other than 0"),
        ("objective.weights", {}, "objective.weights: must give at least one head a weight other than 0"),
        ("constraints.novelty", 3, "constraints.novelty: is not a known field"),
        ("deadlines_ms.rank", 121, "deadlines_ms.rank: must be at most deadlines_ms.total"),
        ("models.ranker", "a" * 64, "models.pre_ranker: must be pinned too: pre_ranker and ranker go together"),
        ("models.pre_ranker", "a" * 64, "models.ranker: must be pinned too: pre_ranker and ranker go together"),
        ("models.two_tower", "latest", "models.two_tower: must match ^([0-9a-f]{64})?$"),
        ("features.item", ["a.v1", "b.v1", "a.v1"], "features.item[2]: must not be listed twice"),
        ("features.user", ["a"], r"features.user[0]: must match ^[a-z][a-z0-9_]*\.v[1-9][0-9]*$"),
        ("staleness.on_stale", "drop", "staleness.on_stale: must be 'flag'"),
        ("experiments", ["x"], "experiments: must be empty"),
        ("surface", "Home Page", "surface: must match ^[a-z][a-z0-9_]{0,31}$"),
        ("schema", 2, "schema: must be 1"),
        ("ranking", [], "ranking: must be a mapping"),
    ],
)
def test_a_broken_rule_is_told_with_its_field_and_its_bound(path: str, value: object, expected: str) -> None:
    assert told(changed(path, value)) == [expected]


def test_every_violation_is_reported_at_once() -> None:
    document = changed("exploration", {"slice_rate": 2, "explore_position": -1})
    assert len(told(document)) == 2


def test_an_unknown_source_is_refused_by_its_path() -> None:
    assert told(changed("retrieval.sources.gossip", {"quota": 1, "weight": 1.0, "budget_ms": 1}))[0].startswith(
        "retrieval.sources.gossip: must be one of two_tower, co_visitation"
    )


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("surface: a\nsurface: b", "document: line 2: duplicate key 'surface'"),
        ('{"surface": "a", "surface": "b"}', "document: duplicate key 'surface'"),
        ("models: {ranker: '', ranker: ''}", "document: line 1: duplicate key 'ranker'"),
        ("a: &x 1\nb: *x", "document: line 1: anchors and aliases are not allowed"),
        ("[" * 50, "document: line 1: nested deeper than 16"),
        ("1: x", "document: line 1: keys must be texts"),
        (b"\xff\xfe", "document: must be UTF-8"),
        ("", "document: must be a mapping"),
        ("- a", "document: must be a mapping"),
        ("a: b: c", "document: line 1: mapping values are not allowed here"),
    ],
)
def test_what_is_not_a_plain_document_is_refused_with_the_line(document: str | bytes, expected: str) -> None:
    assert told(document) == [expected]


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system [ls]", "!!python/name:os.system", "!custom 1"])
def test_tags_never_make_objects(tag: str) -> None:
    assert "could not determine a constructor" in told(f"surface: {tag}")[0]


def test_a_document_over_the_size_cap_is_refused_before_it_is_read() -> None:
    assert told("#" * (MAX_DOCUMENT_BYTES + 1)) == [f"document: must be at most {MAX_DOCUMENT_BYTES} bytes"]


def test_deep_json_is_refused_without_exhausting_the_stack() -> None:
    assert told('{"a":' * 40_000)[0].startswith("document: ")


def test_an_exponent_without_a_dot_is_a_number() -> None:
    document = default_document().replace("slice_rate: 0.01", "slice_rate: 1e-2")
    assert parse_bundle(document).exploration.slice_rate == 0.01


def test_the_fault_says_the_first_violations_and_carries_them_all() -> None:
    with pytest.raises(BundleInvalid) as caught:
        parse_bundle("surface: home")
    assert "schema: is required" in caught.value.message
    assert "more" in caught.value.message
    assert len(caught.value.violations) > 8
