import os

from loopwright.localmesh.development_keys import PUBLISHED, environments, variables_on_published_keys
from loopwright.localmesh.mesh import own_record
from loopwright.localmesh.process import ProcessRecord
from loopwright.localmesh.run_file import RunFile


def test_a_service_without_a_key_of_its_own_runs_on_the_published_one() -> None:
    bare = {"recommender": {}, "ingest": {}, "exposure": {}}
    assert variables_on_published_keys(bare) == [variable for variable, _ in PUBLISHED.values()]
    own = {"recommender": {"LOOPWRIGHT_RECOMMENDER_SUBJECT_KEY": "mine"}, "policy": {}}
    assert variables_on_published_keys(own) == []
    variable, published = PUBLISHED["exposure"]
    assert variables_on_published_keys({"exposure": {variable: published}}) == [variable]


def test_one_replica_on_the_published_key_is_enough_to_name_it() -> None:
    variable, _ = PUBLISHED["exposure"]
    assert variables_on_published_keys({"exposure-0": {variable: "mine"}, "exposure-1": {}}) == [variable]
    assert variables_on_published_keys({"exposure-0": {variable: "mine"}, "exposure-1": {variable: "mine"}}) == []


def test_the_environment_of_live_processes_is_read_and_gone_ones_are_left_out() -> None:
    run = RunFile(own_record("supervisor"), (own_record("policy"), ProcessRecord("ranking", 2**22 - 1, 1.0)))
    found = environments(run)
    assert set(found) == {"policy"}
    assert found["policy"].get("PATH") == os.environ.get("PATH")
