from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.exposure.tokens import Claims, KeyRing, mint, verify
from loopwright.faults import TokenInvalid

RING = KeyRing(1, {1: b"first key"})
CLAIMS = Claims(b"d" * 16, b"s" * 16, 2**64 - 1, 7, 1_700_000_000, "home")

claims = st.builds(
    Claims,
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=16, max_size=16),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True),
)


@given(claims)
def test_a_token_proves_exactly_what_it_was_minted_for(made):
    assert verify(mint(made, RING), RING) == made


@given(made=claims, place=st.integers(0, 400), bit=st.integers(0, 7))
def test_a_token_with_any_bit_changed_is_refused(made, place, bit):
    raw = bytearray(_raw(mint(made, RING)))
    raw[place % len(raw)] ^= 1 << bit
    with pytest.raises(TokenInvalid):
        verify(_text(bytes(raw)), RING)


@pytest.mark.parametrize("text", ["", "a", "AAAA", "?" * 90, "é" * 90, "A" * 512])
def test_text_that_is_no_token_is_refused(text):
    with pytest.raises(TokenInvalid):
        verify(text, RING)


def test_a_token_is_text_for_urls_of_modest_length():
    token = mint(CLAIMS, RING)
    assert len(token) < 110
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_a_token_can_be_written_in_one_way_only():
    token = mint(CLAIMS, RING)
    spare_bits = {token[:-1] + c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"}
    assert [t for t in [*spare_bits, token + "=", token + "\n"] if t != token and _accepted(t)] == []


def test_a_retired_key_still_verifies_and_an_unknown_one_does_not():
    older = mint(CLAIMS, RING)
    assert verify(older, KeyRing(2, {2: b"second key", 1: b"first key"})) == CLAIMS
    with pytest.raises(TokenInvalid):
        verify(older, KeyRing(2, {2: b"second key"}))


def test_the_same_key_under_another_id_does_not_verify():
    with pytest.raises(TokenInvalid):
        verify(mint(CLAIMS, RING), KeyRing(2, {2: b"first key"}))


@pytest.mark.parametrize(("signing", "keys"), [(1, {}), (0, {0: b"k"}), (256, {256: b"k"}), (1, {1: b""})])
def test_a_ring_without_a_usable_signing_key_is_refused(signing, keys):
    with pytest.raises(ValueError, match="token keys"):
        KeyRing(signing, keys)


def _raw(token: str) -> bytes:
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _accepted(token: str) -> bool:
    try:
        verify(token, RING)
    except TokenInvalid:
        return False
    return True
