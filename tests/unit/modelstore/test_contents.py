import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loopwright.modelstore.contents import Contents, contents_hash

IDS = np.arange(1, 9, dtype=np.uint64)
CODES = np.arange(8)
CONTENT = np.random.default_rng(1).normal(size=(8, 3)).astype(np.float32)


@given(st.permutations(range(8)), st.integers(1, 8))
def test_the_epoch_depends_neither_on_order_nor_on_batches_nor_on_what_was_there_before(
    order: list[int], batch: int
) -> None:
    contents = Contents("v")
    contents.put(IDS[:4], CODES[:4], CONTENT[:4] + 1)
    for start in range(0, 8, batch):
        part = np.array(order[start : start + batch])
        contents.put(IDS[part], CODES[part], CONTENT[part])
    assert contents.epoch() == contents_hash("v", IDS, CODES, CONTENT)
    assert len(contents) == 8


def test_every_part_of_the_input_is_in_the_epoch() -> None:
    changed = CONTENT.copy()
    changed[3, 1] += 1e-3
    epochs = {
        contents_hash("v", IDS, CODES, CONTENT),
        contents_hash("w", IDS, CODES, CONTENT),
        contents_hash("v", IDS + np.uint64(1), CODES, CONTENT),
        contents_hash("v", IDS, CODES[::-1], CONTENT),
        contents_hash("v", IDS, CODES, changed),
        contents_hash("v", IDS[:7], CODES[:7], CONTENT[:7]),
    }
    assert len(epochs) == 6
