"""The hydration stages of the request path; the servicer calls it, in one process the pipeline calls it itself."""

from __future__ import annotations

from collections.abc import Callable

from loopwright.bundle import PolicyBundle
from loopwright.faults import BundleNotLoaded
from loopwright.hydration.items import ItemSide
from loopwright.hydration.users import UserSide
from loopwright.pipeline.types import ItemColumns, ItemQuery, UserContext, UserQuery
from loopwright.rpc import Deadline


class Hydrator:
    """Implements `UserContextStage` and `ItemColumnStage`."""

    def __init__(self, users: UserSide, items: ItemSide, bundles: Callable[[str], PolicyBundle | None]) -> None:
        """Take both sides and the look-up of published bundles by version."""
        self._users = users
        self._items = items
        self._bundles = bundles

    async def user_context(self, query: UserQuery, deadline: Deadline) -> UserContext:
        """Return the user's columns, guards and history as of `query.now_ms`.

        Raises:
            BundleNotLoaded: The policy version is not known here.
            InvalidRequest: The groups are not groups of users.
        """
        self._require(query.policy_version)
        return await self._users.context(query, deadline)

    async def item_columns(self, query: ItemQuery, deadline: Deadline) -> ItemColumns:
        """Return columns in the query's order.

        Raises:
            BundleNotLoaded: The policy version is not known here.
            InvalidRequest: The groups are not groups of items or crosses, or the cross context is malformed.
        """
        self._require(query.policy_version)
        return await self._items.columns(query, deadline)

    def _require(self, version: str) -> None:
        if self._bundles(version) is None:
            raise BundleNotLoaded(metadata={"policy_version": version})
