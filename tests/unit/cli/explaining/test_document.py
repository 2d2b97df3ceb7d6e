import json

from loopwright.cli.clients import Explained
from loopwright.cli.explaining.document import decision_document, proof_document, sample_document
from loopwright.localmesh.proofs import Proven
from loopwright.localmesh.verify import Link, Proof
from loopwright.pipeline.types import Versions


def test_a_decision_is_one_json_object_with_every_stage(explained: Explained) -> None:
    document = json.loads(json.dumps(decision_document(explained)))
    record = explained.record
    assert document["decision_id"] == record.decision_id.hex() and document["full"]
    assert [s["count"] for s in document["sources"]] == [s.count for s in record.sources]
    assert (document["candidates"], document["kept_by_cut"]) == (60, 40)
    assert [p["p_shown"] for p in document["slate"]] == [p.p_shown for p in record.slate]
    assert [p["position"] for p in document["slate"]] == list(range(1, 21))
    assert all(p["item"].startswith("item-") and p["sources"] for p in document["slate"])
    assert len(document["mutations"]) == len(record.mutations)
    assert set(document["propensity"]) == {"rho", "n", "m", "s"}
    assert document["timings_us"] == {"retrieve": 2000, "decide": 700}
    assert {g["group"] for g in document["slate"][0]["features"]} == set(record.item_groups)


def test_a_fallback_slate_says_that_nothing_was_hydrated_or_scored(stood_in: Explained) -> None:
    document = json.loads(json.dumps(decision_document(stood_in)))
    assert [(s["source"], s["count"]) for s in document["sources"]] == [("fallback", 60)]
    assert {(d["reason"], d["stage"]) for d in document["degradations"]} == {
        ("TIMEOUT", "hydrate_items"),
        ("FALLBACK", "decide"),
    }
    first = document["slate"][0]
    assert first["scores"].keys() == {"fused"} and first["sources"][0]["source"] == "fallback"
    assert {(g["mask"], g["age_s"], len(g["columns"])) for g in first["features"]} == {("NOT_ANSWERED", None, 0)}


def test_no_external_id_of_a_user_is_printed(explained: Explained) -> None:
    assert explained.record.request.sealed_external_id == "user-5"
    assert "user-5" not in json.dumps(decision_document(explained))


def test_proofs_name_their_broken_links() -> None:
    unseen = Link("order", True, "gone", skipped=True)
    proof = Proof(b"\x01" * 16, True, (Link("seed", True, "x"), unseen, Link("slate", False, "other")))
    document = proof_document(proof)
    assert (document["holds"], document["broken"]) == (False, ["slate"])
    assert document["links"] == [
        {"name": "seed", "holds": True, "skipped": False, "detail": ""},
        {"name": "order", "holds": True, "skipped": True, "detail": "gone"},
        {"name": "slate", "holds": False, "skipped": False, "detail": "other"},
    ]
    sample = sample_document(Proven(9, (proof,), (Versions("p" * 64, ranker_version="r" * 64),)))
    assert (sample["eligible"], sample["sampled"], sample["proven"]) == (9, 1, 0)
    assert (sample["broken_links"], sample["broken_decisions"]) == ({"slate": 1}, ["01" * 16])
