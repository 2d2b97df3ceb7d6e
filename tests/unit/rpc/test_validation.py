from __future__ import annotations

from types import SimpleNamespace

from loopwright.rpc.validation import request_types, violations, warm


def test_a_broken_rule_is_named_with_its_field(echo: SimpleNamespace) -> None:
    found = violations(echo.Request(text="", items=[{"item_id": 1}, {"item_id": 0}]))
    assert {(v.field, v.rule) for v in found} == {("text", "string.min_len"), ("items[1].item_id", "uint64.gt")}
    assert all(v.description for v in found)


def test_a_valid_message_has_none(echo: SimpleNamespace) -> None:
    assert violations(echo.Request(text="x")) == ()


def test_descriptions_do_not_repeat_values(echo: SimpleNamespace) -> None:
    secret = "4711471147114711"
    request = echo.Request(text="", items=[{"item_id": 0}])
    request.items[0].item_id = 0
    assert all(secret not in v.description for v in violations(request))


def test_a_service_knows_its_request_types_and_they_can_be_warmed(echo: SimpleNamespace) -> None:
    found = request_types(echo.SERVICE)
    assert [kind.DESCRIPTOR.name for kind in found] == ["EchoRequest"] * 4
    warm(found)
