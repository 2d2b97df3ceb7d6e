"""`FrozenMap`: the read-only mapping inside bundles, sorted by key so that every walk over it has one order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import GenericAlias
from typing import Any, TypeVar

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

K = TypeVar("K")
V = TypeVar("V")


class FrozenMap(Mapping[K, V]):
    """A mapping that cannot change and can be hashed; iterates in the order of its keys."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[K, V]) -> None:
        self._items: dict[K, V] = dict(sorted(items.items(), key=lambda entry: str(entry[0])))

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(tuple(self._items.items()))

    def __repr__(self) -> str:
        return f"FrozenMap({self._items!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate as a dict of the type's arguments, then freeze; serialise as a dict."""
        plain = handler.generate_schema(GenericAlias(dict, source.__args__))
        return core_schema.no_info_after_validator_function(
            cls, plain, serialization=core_schema.plain_serializer_function_ser_schema(_dump)
        )


def _dump(value: FrozenMap[str, Any]) -> dict[str, Any]:
    return {str(k): v.model_dump(by_alias=True) if hasattr(v, "model_dump") else v for k, v in value.items()}
