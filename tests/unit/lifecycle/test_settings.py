import pytest
from pydantic import ValidationError

from loopwright.lifecycle import ServiceSettings


class DemoSettings(ServiceSettings, service="demo"):
    batch_bytes: int = 5


class OtherSettings(ServiceSettings, service="other"):
    pass


def test_a_replica_is_named_after_its_service() -> None:
    assert DemoSettings().replica == "demo-0"
    assert OtherSettings().replica == "other-0"
    assert DemoSettings(replica="demo-7").replica == "demo-7"


def test_the_environment_is_read_under_the_services_own_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPWRIGHT_DEMO_KAFKA_BOOTSTRAP", "kafka:1")
    monkeypatch.setenv("LOOPWRIGHT_DEMO_REPLICA", "demo-3")
    monkeypatch.setenv("LOOPWRIGHT_DEMO_BATCH_BYTES", "9")
    monkeypatch.setenv("LOOPWRIGHT_DEMO_LOG__FETCH_WAIT_S", "0.5")
    settings = DemoSettings()
    assert (settings.kafka_bootstrap, settings.replica, settings.batch_bytes) == ("kafka:1", "demo-3", 9)
    assert settings.log.fetch_wait_s == 0.5
    assert OtherSettings().kafka_bootstrap == "127.0.0.1:9092"


def test_settings_do_not_change_and_know_their_fields() -> None:
    settings = DemoSettings()
    with pytest.raises(ValidationError):
        settings.replica = "x"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        DemoSettings(nonsense=1)  # type: ignore[call-arg]


def test_every_field_says_what_it_is() -> None:
    assert [name for name, field in ServiceSettings.model_fields.items() if not field.description] == []
