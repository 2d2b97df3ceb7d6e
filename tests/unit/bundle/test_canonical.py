import hashlib
import json

from hypothesis import given
from hypothesis import strategies as st

from loopwright.bundle import (
    canonical_json,
    default_bundle,
    default_document,
    parse_bundle,
    policy_version,
    with_values,
)

UNIT = st.floats(0, 1, allow_nan=False)


def test_the_version_is_the_hash_of_the_canonical_bytes() -> None:
    bundle = default_bundle()
    assert policy_version(bundle) == hashlib.sha256(canonical_json(bundle)).hexdigest()


def test_keys_are_sorted_and_nothing_is_padded() -> None:
    text = canonical_json(default_bundle()).decode()
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))


def test_order_comments_and_whole_floats_of_the_document_do_not_change_the_version() -> None:
    document = default_document()
    other = "# another comment\n" + document.replace("ips_clip: 20.0", "ips_clip: 20").replace(
        "{engage: 1.0, satisfied: 0.5}", "{satisfied: 0.5, engage: 1}"
    )
    assert other != document
    assert policy_version(parse_bundle(other)) == policy_version(parse_bundle(document))


def test_minus_zero_is_zero() -> None:
    zero, minus = (with_values(default_bundle(), {"exploration.slice_rate": value}) for value in (0.0, -0.0))
    assert canonical_json(zero) == canonical_json(minus)


def test_the_order_of_feature_groups_is_part_of_the_version() -> None:
    bundle = default_bundle()
    turned = with_values(bundle, {"features.user": list(reversed(bundle.features.user))})
    assert policy_version(turned) != policy_version(bundle)


@given(rate=UNIT, weight=st.floats(-1e6, 1e6), quota=st.integers(1, 2000))
def test_canonical_bytes_parse_back_to_the_same_bundle_and_version(rate: float, weight: float, quota: int) -> None:
    changes = {
        "exploration.slice_rate": rate,
        "objective.weights": {"engage": weight, "satisfied": 1.0},
        "retrieval.sources.fresh.quota": quota,
    }
    bundle = with_values(default_bundle(), changes)
    again = parse_bundle(canonical_json(bundle))
    assert again == bundle
    assert canonical_json(again) == canonical_json(bundle)


@given(first=UNIT, second=UNIT)
def test_two_bundles_share_a_version_exactly_when_they_are_equal(first: float, second: float) -> None:
    one, other = (with_values(default_bundle(), {"funnel.rate": rate}) for rate in (first, second))
    assert (policy_version(one) == policy_version(other)) == (first == second)
