"""Takes what clients saw and did: verifies tokens, recognises repeats, appends facts; the servicer calls it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from loopwright.domain.enums import ActionKind
from loopwright.domain.ids import event_id
from loopwright.eventlog import ACTIONS, IMPRESSIONS, Event, Worth
from loopwright.eventlog.envelope import HasNow
from loopwright.exposure.appender import Appender
from loopwright.exposure.convert import action_event, viewed_event
from loopwright.exposure.known_ids import KnownIds
from loopwright.exposure.reports import Act, Receipt, View, Viewed
from loopwright.exposure.tokens import Claims, KeyRing, verify
from loopwright.faults import FieldViolation, InvalidRequest, TokenInvalid
from loopwright.rpc import Deadline

LIKED = frozenset({ActionKind.LIKE, ActionKind.SHARE, ActionKind.PURCHASE, ActionKind.APPLY, ActionKind.COMPLETE})
"""Kinds that count as satisfaction; a rating through a slate carries no scale, so it does not."""


class Feedback:
    """One per process; appends through the outbox like the ledger."""

    def __init__(self, appender: Appender, ring: KeyRing, clock: HasNow, known: KnownIds) -> None:
        """Take the durable log, the token keys, the mesh clock and the memory of event ids."""
        self._appender = appender
        self._ring = ring
        self._clock = clock
        self._known = known

    async def report_views(self, client_event_id: str, views: Sequence[View], deadline: Deadline) -> Receipt:
        """Append one ItemsViewed fact for a report.

        Raises:
            TokenInvalid: A token is not ours.
            InvalidRequest: The tokens are of more than one decision.
            AppendTimeout, LogUnavailable, OutboxFull: The report is not durable.
        """
        now = self._clock.now_ms()
        viewed = self._viewed(views)
        first = viewed[0].claims
        late = any(_expired(v.claims, now) for v in viewed)
        identity = event_id(first.decision_id, first.subject, "ITEMS_VIEWED", client_event_id)
        if identity in self._known:
            return Receipt(duplicate=True, late=late)
        event = viewed_event(identity, client_event_id, viewed, late, now, self._clock)
        await self._appender.append(IMPRESSIONS, first.subject, event, deadline=deadline, worth=Worth.EVIDENCE)
        self._known.add(identity)
        return Receipt(duplicate=False, late=late)

    async def report_acts(self, acts: Sequence[Act], deadline: Deadline) -> list[Receipt]:
        """Append one ActionTaken fact for each act that is not known yet; one receipt an act, in order.

        Raises:
            TokenInvalid: A token is not ours; nothing is appended.
            InvalidRequest: An act is in the future; nothing is appended.
            AppendTimeout, LogUnavailable, OutboxFull: At least one act is not durable; repeat the batch.
        """
        now = self._clock.now_ms()
        receipts: list[Receipt] = []
        fresh: dict[bytes, tuple[bytes, Event]] = {}
        for place, act in enumerate(acts):
            claims = self._claims(act.token, f"actions[{place}].exposure_token")
            when = now if act.occurred_at_ms is None else act.occurred_at_ms
            if when > now:
                raise _broken(f"actions[{place}].occurred_at", "timestamp.lte_now", "must not be in the future")
            late = _expired(claims, now)
            identity = event_id(claims.decision_id, claims.subject, claims.item_id, int(act.kind), act.client_event_id)
            duplicate = identity in self._known or identity in fresh
            receipts.append(Receipt(duplicate, late))
            if not duplicate:
                liked = act.kind in LIKED
                fresh[identity] = (
                    claims.subject,
                    action_event(identity, act, claims, when, late=late, liked=liked, clock=self._clock),
                )
        if fresh:
            entries = list(fresh.values())
            await self._appender.append_many(ACTIONS, entries, deadline=deadline, worth=Worth.EVIDENCE)
        for identity in fresh:
            self._known.add(identity)
        return receipts

    def _viewed(self, views: Sequence[View]) -> list[Viewed]:
        """Return the report's items in order, an item named twice merged: viewed in sum, seen if ever."""
        merged: dict[int, Viewed] = {}
        for place, view in enumerate(views):
            field = f"impressions[{place}].exposure_token"
            claims = self._claims(view.token, field)
            first = next(iter(merged.values())).claims if merged else claims
            if (claims.decision_id, claims.subject) != (first.decision_id, first.subject):
                raise _broken(field, "same_decision", "all tokens of a report must be of one decision")
            known = merged.get(claims.item_id)
            merged[claims.item_id] = (
                Viewed(claims, view.view_ms, view.seen)
                if known is None
                else replace(known, view_ms=known.view_ms + view.view_ms, seen=known.seen or view.seen)
            )
        return list(merged.values())

    def _claims(self, token: str, field: str) -> Claims:
        try:
            return verify(token, self._ring)
        except TokenInvalid as error:
            violation = FieldViolation(field, "exposure_token", "is not a token of this mesh")
            raise TokenInvalid(violations=[violation]) from error


def _expired(claims: Claims, now_ms: int) -> bool:
    return now_ms > claims.expires_at_s * 1000


def _broken(field: str, rule: str, description: str) -> InvalidRequest:
    return InvalidRequest(f"{field}: {description}", violations=[FieldViolation(field, rule, description)])
