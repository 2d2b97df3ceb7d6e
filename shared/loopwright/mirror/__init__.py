"""Item rows in the process: a columnar table kept current from `item_rows`, for hydration and retrieval."""

from loopwright.mirror.items import ItemMirror

__all__ = ["ItemMirror"]
