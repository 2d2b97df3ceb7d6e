import pytest

from loopwright.bundle import default_bundle, policy_version, with_models, with_values
from loopwright.faults import BundleInvalid

A, B = "a" * 64, "b" * 64


def test_the_default_bundle_is_for_home_pins_nothing_and_explores() -> None:
    bundle = default_bundle()
    assert (bundle.surface, bundle.models.pinned(), bundle.models.ranked) == ("home", (), False)
    assert bundle.exploration.slice_rate == 0.01
    assert bundle.exploration.explore_position == 5
    assert bundle.constraints.creator_cap > 0
    assert bundle.constraints.topic_cap > 0
    assert bundle.diversity.mmr_lambda < 1


def test_models_left_out_stay_pinned_and_empty_unpins() -> None:
    both = with_models(default_bundle(), two_tower=A, pre_ranker=B, ranker=B)
    assert with_models(both, two_tower=B).models.pinned() == (("two_tower", B), ("pre_ranker", B), ("ranker", B))
    assert with_models(both, pre_ranker="", ranker="").models.pinned() == (("two_tower", A),)


def test_pinning_a_model_is_another_version() -> None:
    assert policy_version(with_models(default_bundle(), two_tower=A)) != policy_version(default_bundle())


def test_half_a_pair_of_rankers_is_refused() -> None:
    with pytest.raises(BundleInvalid, match=r"models\.pre_ranker: must be pinned too"):
        with_models(default_bundle(), ranker=A)


def test_a_changed_value_leaves_the_original_alone() -> None:
    bundle = default_bundle()
    assert with_values(bundle, {"exploration.explore_position": 7}).exploration.explore_position == 7
    assert bundle.exploration.explore_position == 5


@pytest.mark.parametrize("path", ["exploration.rate", "nowhere.at_all", "surface.name", "x"])
def test_a_path_that_leads_nowhere_is_refused(path: str) -> None:
    with pytest.raises(BundleInvalid, match="is not a known field"):
        with_values(default_bundle(), {path: 1})
