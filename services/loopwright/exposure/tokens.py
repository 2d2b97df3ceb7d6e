"""Exposure tokens: minted into a slate, presented with feedback, verified with no look-up."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from loopwright.faults import TokenInvalid

_HEAD = struct.Struct(">BB16s16sQIIB")
_FORMAT = 1
_MAC_BYTES = 16  # RFC 2104, section 5: a truncated MAC keeps at least half of the hash and 80 bits
_CONTEXT = b"loopwright exposure token"
MAX_KEY_ID = 255


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token proves: this decision showed this item to this user at this position.

    Attributes:
        decision_id: 16 bytes.
        subject: 16 bytes.
        item_id: uint64.
        position: Absolute position in the session.
        expires_at_s: Mesh time in seconds after which feedback counts as late.
        surface: Surface of the slate.
    """

    decision_id: bytes
    subject: bytes
    item_id: int
    position: int
    expires_at_s: int
    surface: str


class KeyRing:
    """The signing key and those that only verify, by key id of 1 to 255."""

    def __init__(self, signing_id: int, keys: Mapping[int, bytes]) -> None:
        """Take the keys; `signing_id` names the one that signs.

        Raises:
            ValueError: A key id is out of range, a key is empty, or the signing key is missing.
        """
        if signing_id not in keys or any(not 1 <= i <= MAX_KEY_ID or not key for i, key in keys.items()):
            raise ValueError("token keys need ids of 1 to 255, and the signing key among them")
        self.signing_id = signing_id
        # What a key and the context do to the hash is done once; a slate has twenty tokens.
        self._begun = {key_id: hmac.new(key, _CONTEXT, hashlib.sha256) for key_id, key in keys.items()}

    def mac(self, key_id: int, signed: bytes) -> bytes:
        """Return the 16-byte HMAC-SHA256 of the bytes.

        Raises:
            TokenInvalid: The ring has no such key.
        """
        begun = self._begun.get(key_id)
        if begun is None:
            raise TokenInvalid()
        mac = begun.copy()
        mac.update(signed)
        return mac.digest()[:_MAC_BYTES]


def mint(claims: Claims, ring: KeyRing) -> str:
    """Return the token of the claims: URL-safe text of about 95 characters."""
    [token] = mint_slate(
        claims.decision_id,
        claims.subject,
        claims.surface,
        claims.expires_at_s,
        [(claims.item_id, claims.position)],
        ring,
    )
    return token


def mint_slate(
    decision_id: bytes,
    subject: bytes,
    surface: str,
    expires_at_s: int,
    places: Iterable[tuple[int, int]],
    ring: KeyRing,
) -> list[str]:
    """Return the tokens of a slate's places, each an item id and its position; the rest as in `Claims`."""
    key_id, named = ring.signing_id, surface.encode()
    tokens = []
    for item_id, position in places:
        head = _HEAD.pack(_FORMAT, key_id, decision_id, subject, item_id, position, expires_at_s, len(named))
        signed = head + named
        tokens.append(base64.urlsafe_b64encode(signed + ring.mac(key_id, signed)).rstrip(b"=").decode())
    return tokens


def verify(token: str, ring: KeyRing) -> Claims:
    """Return what the token proves; expiry is the caller's matter.

    Raises:
        TokenInvalid: The token is malformed or was not minted under a key of the ring.
    """
    raw = _decoded(token)
    if len(raw) < _HEAD.size + _MAC_BYTES:
        raise TokenInvalid()
    signed, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    form, key_id, decision_id, subject, item_id, position, expires_at_s, length = _HEAD.unpack_from(signed)
    genuine = hmac.compare_digest(ring.mac(key_id, signed), mac)
    if not genuine or form != _FORMAT or len(signed) != _HEAD.size + length:
        raise TokenInvalid()
    return Claims(decision_id, subject, item_id, position, expires_at_s, signed[_HEAD.size :].decode())


def _decoded(token: str) -> bytes:
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise TokenInvalid() from error
    # The spare bits of the last character would let one token be written in several ways.
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != token:
        raise TokenInvalid()
    return raw
