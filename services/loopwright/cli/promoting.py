"""`promote` and `rollback`: the one switch. A bundle is published when it is not yet, then activated once it is loaded.

`switch` and `promote_models` are what the commands do, for other parts of this package to call.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Protocol, TypeVar

import typer
from rich.table import Column, Table

from loopwright.bundle import PolicyBundle, canonical_json, parse_bundle, policy_version, with_models
from loopwright.cli.clients import Bundle, policy_service
from loopwright.cli.mesh_access import DEFAULT_DATA_DIR, AsJson, DataDir, err, live_mesh, out
from loopwright.cli.progress import spinner
from loopwright.faults import Fault, FieldViolation, InvalidRequest, UnknownBundle, UnknownSurface
from loopwright.rpc import Deadline

T = TypeVar("T")

ACTOR = "loopwright promote"
CALL_WITHIN_S = 10.0
LOADED_WITHIN_S = 120.0
"""Longest wait for replicas that still load: opening models and building an index takes seconds here."""

ASK_EVERY_S = 0.5
KINDS = ("two_tower", "pre_ranker", "ranker")


class Policies(Protocol):
    """What this module needs of the policy service; `clients.PolicyClient` has it."""

    async def bundles(self, surface: str, timeout_s: float) -> list[Bundle]:
        """Return the published bundles, newest first."""
        ...

    async def publish(self, document: str, reason: str, timeout_s: float) -> str:
        """Publish and return the version."""
        ...

    async def activate(self, surface: str, version: str, previous: str, reason: str, timeout_s: float) -> list[str]:
        """Activate and return the replicas that had it loaded."""
        ...

    async def roll_back(self, surface: str, reason: str, timeout_s: float) -> str:
        """Roll back and return the version."""
        ...


@dataclass(frozen=True, slots=True)
class Switched:
    """What is active now, what was before, and the replicas that had it loaded."""

    surface: str
    policy_version: str
    previous: str
    replicas: tuple[str, ...]


async def switch(
    client: Policies,
    surface: str,
    choose: Callable[[list[Bundle]], PolicyBundle],
    *,
    reason: str,
    within_s: float = LOADED_WITHIN_S,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Switched:
    """Publish and activate the bundle that `choose` makes of the published ones, newest first.

    Replicas that are still loading are waited for; one that refused ends it.

    Raises:
        RemoteFault: REPLICA_NOT_READY with the replica's cause, BUNDLE_INVALID, EXPECTED_PREVIOUS_MISMATCH when another
            operator switched meanwhile.
        Fault: What `choose` raises.
    """
    deadline = Deadline.after(within_s)
    known = await client.bundles(surface, CALL_WITHIN_S)
    previous = next((bundle.version for bundle in known if bundle.active), "")
    wanted = choose(known)
    version = policy_version(wanted)
    if version not in {bundle.version for bundle in known}:
        version = await client.publish(canonical_json(wanted).decode(), reason, CALL_WITHIN_S)
    while True:
        try:
            replicas = await client.activate(surface, version, previous, reason, CALL_WITHIN_S)
            return Switched(surface, version, previous, tuple(replicas))
        except Fault as fault:
            pending = fault.reason == "REPLICA_NOT_READY" and fault.metadata.get("state") == "pending"
            if not pending or deadline.expired:
                raise
            await sleep(fault.retry_after_s or ASK_EVERY_S)


async def promote_models(client: Policies, surface: str, models: Mapping[str, str], *, reason: str) -> Switched:
    """Activate the active bundle with other model pins; kinds that are not named keep theirs.

    Raises:
        Fault: As `switch`; UnknownSurface when nothing is active there.
    """
    return await switch(client, surface, lambda known: pinning(active_bundle(known), models), reason=reason)


def active_bundle(known: list[Bundle]) -> PolicyBundle:
    """Return the active one.

    Raises:
        UnknownSurface: None is.
    """
    for bundle in known:
        if bundle.active:
            return parse_bundle(bundle.document)
    raise UnknownSurface("no policy is active there")


def published_bundle(known: list[Bundle], version: str) -> PolicyBundle:
    """Return the bundle whose version begins with these digits.

    Raises:
        UnknownBundle: None or several do.
    """
    found = [bundle for bundle in known if bundle.version.startswith(version)]
    if len(found) != 1:
        raise UnknownBundle(f"{len(found)} published bundles have a version that begins with {version!r}")
    return parse_bundle(found[0].document)


def pinning(bundle: PolicyBundle, models: Mapping[str, str]) -> PolicyBundle:
    """Return the bundle with these model versions pinned."""
    return with_models(
        bundle,
        two_tower=models.get("two_tower"),
        pre_ranker=models.get("pre_ranker"),
        ranker=models.get("ranker"),
    )


def read_models(text: str) -> dict[str, str]:
    """Return kind -> version of `two_tower=..,pre_ranker=..,ranker=..`; an empty version unpins.

    Raises:
        InvalidRequest: A kind is unknown or named twice.
    """
    models: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        kind, equals, version = part.partition("=")
        if not equals or kind not in KINDS or kind in models:
            description = f"must be kind=version pairs, each of {', '.join(KINDS)} at most once; not {part!r}"
            raise InvalidRequest(f"--models {description}", violations=[FieldViolation("--models", "pin", description)])
        models[kind] = version
    return models


Surface = Annotated[str, typer.Option(help="Surface to switch.")]
Reason = Annotated[str, typer.Option(help="Why; goes on record.")]


def promote(
    version: Annotated[str, typer.Argument(metavar="POLICY_VERSION", help="A published bundle: its version, or the "
                                                                            "first digits of it.")] = "",
    models: Annotated[str, typer.Option(help="Instead: the active bundle with these pins, "
                                             "two_tower=..,pre_ranker=..,ranker=.. (any of them).")] = "",
    bundle: Annotated[Path | None, typer.Option(help="Instead: the bundle in this YAML or JSON file.")] = None,
    surface: Surface = "home",
    reason: Reason = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Publish a bundle if needed and make it active once every live replica has loaded it.

    Without a bundle the published ones are listed.
    """
    run = live_mesh(data_dir)
    if sum(map(bool, (version, models, bundle))) > 1:
        err.print("say one of POLICY_VERSION, --models and --bundle")
        raise typer.Exit(1)
    target = run.addresses["policy"]

    async def act() -> Switched | None:
        async with policy_service(target, ACTOR) as client:
            if models:
                return await promote_models(client, surface, read_models(models), reason=reason)
            if bundle is not None:
                read = parse_bundle(bundle.read_bytes())
                return await switch(client, surface, lambda known: read, reason=reason)
            if version:
                return await switch(client, surface, lambda known: published_bundle(known, version), reason=reason)
            _list(await client.bundles(surface, CALL_WITHIN_S), as_json)
            return None

    done = _run("waiting for every replica to load the bundle", act)
    if done is not None:
        _tell(done, as_json)


def rollback(
    surface: Surface = "home",
    reason: Reason = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Make the bundle active that was active before the present one; it is still loaded, nobody is waited for."""
    run = live_mesh(data_dir)

    async def act() -> Switched:
        async with policy_service(run.addresses["policy"], ACTOR) as client:
            known = await client.bundles(surface, CALL_WITHIN_S)
            previous = next((bundle.version for bundle in known if bundle.active), "")
            return Switched(surface, await client.roll_back(surface, reason, CALL_WITHIN_S), previous, ())

    _tell(_run("rolling back", act), as_json)


def _run(what: str, act: Callable[[], Awaitable[T]]) -> T:
    async def awaited() -> T:
        return await act()

    try:
        with spinner() as progress:
            progress.add_task(what, total=None)
            return asyncio.run(awaited())
    except Fault as fault:
        about = "".join(f" {name}={value}" for name, value in fault.metadata.items())
        err.print(f"refused: {fault}{about}", highlight=False, markup=False)
        raise typer.Exit(1) from fault
    except OSError as error:
        err.print(f"refused: {error}", highlight=False, markup=False)
        raise typer.Exit(1) from error


def _tell(done: Switched, as_json: bool) -> None:
    if as_json:
        out.print_json(json.dumps({name: getattr(done, name) for name in done.__slots__}))
        return
    before = f" (before: {done.previous[:12]})" if done.previous else ""
    out.print(f"{done.surface}: active is {done.policy_version[:12]}{before}", highlight=False)


def _list(known: list[Bundle], as_json: bool) -> None:
    if as_json:
        facts = [{name: getattr(b, name) for name in ("version", "surface", "active")} for b in known]
        out.print_json(
            json.dumps([fact | {"bundle": json.loads(b.document)} for fact, b in zip(facts, known, strict=True)])
        )
        return
    table = Table(Column("version", no_wrap=True), "surface", "state", "two_tower", "pre_ranker", "ranker", "replicas")
    for bundle in known:
        pins = parse_bundle(bundle.document).models
        waiting = [replica for replica, why in bundle.replicas.items() if why]
        table.add_row(
            bundle.version[:12], bundle.surface, "active" if bundle.active else "published",
            pins.two_tower[:8] or "-", pins.pre_ranker[:8] or "-", pins.ranker[:8] or "-",
            f"not loaded: {', '.join(waiting)}" if waiting else "loaded",
        )  # fmt: skip
    out.print(table)
