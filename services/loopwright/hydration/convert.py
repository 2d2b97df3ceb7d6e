"""The messages of hydration to and from the stages' types; the clients of the recommender use the same functions."""

from loopwright.pipeline.convert.items import item_columns_to_proto, item_query_from_proto
from loopwright.pipeline.convert.user import user_context_to_proto, user_query_from_proto

__all__ = ["item_columns_to_proto", "item_query_from_proto", "user_context_to_proto", "user_query_from_proto"]
