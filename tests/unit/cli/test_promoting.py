import json
from pathlib import Path

import pytest
from tests.unit.cli.conftest import FakeMesh

from loopwright.bundle import canonical_json, default_bundle, parse_bundle, policy_version, with_models, with_values
from loopwright.cli.clients import Bundle
from loopwright.cli.promoting import active_bundle, promote_models, published_bundle, read_models, switch
from loopwright.faults import InvalidRequest, Kind, RemoteFault, UnknownBundle, UnknownSurface

FIRST = default_bundle()
SECOND = with_values(FIRST, {"exploration.explore_position": 7})


def entry(bundle, *, active: bool = False) -> Bundle:  # type: ignore[no-untyped-def]
    return Bundle(policy_version(bundle), "home", active, 0, canonical_json(bundle).decode(), {})


class Policies:
    """A policy service in memory; replicas load what is published after some refusals."""

    def __init__(self, *, pending: int = 0, state: str = "pending") -> None:
        self.known = [entry(FIRST, active=True)]
        self.pending, self.state = pending, state
        self.published: list[str] = []
        self.activated: list[tuple[str, str]] = []

    async def bundles(self, surface: str, timeout_s: float) -> list[Bundle]:
        return self.known

    async def publish(self, document: str, reason: str, timeout_s: float) -> str:
        self.published.append(document)
        return policy_version(published_bundle([Bundle("x", "home", False, 0, document, {})], "x"))

    async def activate(self, surface: str, version: str, previous: str, reason: str, timeout_s: float) -> list[str]:
        if self.pending:
            self.pending -= 1
            raise RemoteFault(
                "ranking-0", kind=Kind.FAILED_PRECONDITION, reason="REPLICA_NOT_READY",
                metadata={"replica": "ranking-0", "state": self.state, "cause": "MODEL_NOT_FINITE"}, retry_after_s=0.01,
            )  # fmt: skip
        self.activated.append((version, previous))
        return ["ranking-0"]

    async def roll_back(self, surface: str, reason: str, timeout_s: float) -> str:
        return self.known[0].version


async def test_an_unpublished_bundle_is_published_and_activated_over_the_active_one() -> None:
    client = Policies()
    done = await switch(client, "home", lambda known: SECOND, reason="")
    assert len(client.published) == 1
    assert client.activated == [(policy_version(SECOND), policy_version(FIRST))]
    assert (done.policy_version, done.previous) == (policy_version(SECOND), policy_version(FIRST))


async def test_a_published_bundle_is_not_published_again() -> None:
    client = Policies()
    client.known = [entry(SECOND), *client.known]
    await switch(client, "home", lambda known: published_bundle(known, policy_version(SECOND)[:8]), reason="")
    assert client.published == [] and len(client.activated) == 1


async def test_replicas_that_still_load_are_waited_for() -> None:
    client, waits = Policies(pending=3), []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    await switch(client, "home", lambda known: SECOND, reason="", sleep=sleep)
    assert waits == [0.01] * 3 and len(client.activated) == 1


@pytest.mark.parametrize("state", ["rejected", "absent"])
async def test_a_replica_that_refused_ends_it_with_its_reason(state: str) -> None:
    with pytest.raises(RemoteFault) as caught:
        await switch(Policies(pending=1, state=state), "home", lambda known: SECOND, reason="")
    assert caught.value.metadata["cause"] == "MODEL_NOT_FINITE"


async def test_waiting_ends_at_the_deadline() -> None:
    with pytest.raises(RemoteFault):
        await switch(Policies(pending=99), "home", lambda known: SECOND, reason="", within_s=0.05)


async def test_models_are_pinned_in_a_copy_of_the_active_bundle() -> None:
    client = Policies()
    done = await promote_models(client, "home", {"two_tower": "a" * 64}, reason="")
    assert done.policy_version == policy_version(with_models(FIRST, two_tower="a" * 64))


def test_a_version_is_named_by_its_first_digits_as_long_as_one_has_them() -> None:
    known = [entry(FIRST, active=True), entry(SECOND)]
    assert published_bundle(known, policy_version(SECOND)[:12]) == SECOND
    for text in ("", "zz"):
        with pytest.raises(UnknownBundle):
            published_bundle(known, text)
    assert active_bundle(known) == FIRST
    with pytest.raises(UnknownSurface):
        active_bundle([])


def test_pins_are_read_as_pairs() -> None:
    assert read_models("two_tower=a, ranker=") == {"two_tower": "a", "ranker": ""}
    for bad in ("tower=a", "ranker", "ranker=a,ranker=b"):
        with pytest.raises(InvalidRequest):
            read_models(bad)


def test_the_commands_switch_list_and_roll_back_on_a_real_policy_service(mesh: FakeMesh, tmp_path: Path) -> None:
    document = tmp_path / "bundle.json"
    document.write_bytes(canonical_json(SECOND))
    done = mesh.run("promote", "--bundle", str(document), "--reason", "another slot", "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert (said["policy_version"], said["previous"]) == (policy_version(SECOND), policy_version(FIRST))
    listed = json.loads(mesh.run("promote", "--json").stdout)
    whole = {fact["version"]: parse_bundle(json.dumps(fact["bundle"])) for fact in listed}
    assert all(policy_version(bundle) == version for version, bundle in whole.items())
    assert [(b["version"], b["active"]) for b in listed] == [
        (policy_version(SECOND), True),
        (policy_version(FIRST), False),
    ]
    assert policy_version(FIRST)[:12] in mesh.run("promote").output
    back = mesh.run("rollback", "--json")
    assert json.loads(back.stdout)["policy_version"] == policy_version(FIRST)
    again = mesh.run("promote", policy_version(SECOND)[:10])
    assert again.exit_code == 0 and policy_version(SECOND)[:12] in again.output


def test_a_refusal_is_printed_with_its_reason_and_exit_code_1(mesh: FakeMesh, tmp_path: Path) -> None:
    pinned = mesh.run("promote", "--models", f"pre_ranker={'a' * 64},ranker={'b' * 64}")
    assert pinned.exit_code == 1
    assert "REPLICA_NOT_READY" in pinned.stderr and "absent" in pinned.stderr
    document = tmp_path / "bundle.yaml"
    document.write_text("surface: home", "utf-8")
    for arguments, reason in (
        (["promote", "--bundle", str(document)], "BUNDLE_INVALID"),
        (["promote", "--bundle", str(tmp_path / "none.yaml")], "refused"),
        (["promote", "ffff"], "UNKNOWN_BUNDLE"),
        (["promote", "ffff", "--models", "ranker="], "say one of"),
        (["rollback"], "NOTHING_TO_ROLL_BACK"),
        (["rollback", "--surface", "shop"], "UNKNOWN_SURFACE"),
    ):
        done = mesh.run(*arguments)
        assert (done.exit_code, reason in done.stderr) == (1, True), (arguments, done.stderr)
