import re
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from loopwright.eventlog import LogSettings
from loopwright.lifecycle import ServiceSettings
from loopwright.rpc import BreakerSettings, ChannelSettings, RetrySettings, RpcSettings
from loopwright.telemetry import TelemetrySettings

DOCS = Path(__file__).parents[3] / "docs"
SECTIONS: dict[str, type[BaseModel]] = {
    "Every service": ServiceSettings,
    "`log`": LogSettings,
    "`rpc`": RpcSettings,
    "`channels`": ChannelSettings,
    "`breakers`": BreakerSettings,
    "`retries`": RetrySettings,
}


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


def test_a_variable_of_a_nested_setting_leaves_the_others_as_the_service_has_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Listening(ServiceSettings, service="listening"):
        rpc: RpcSettings = RpcSettings(port=7199)

    monkeypatch.setenv("LOOPWRIGHT_LISTENING_RPC__MAX_IN_FLIGHT", "3")
    settings = Listening()
    assert (settings.rpc.port, settings.rpc.max_in_flight) == (7199, 3)


def test_settings_do_not_change_and_know_their_fields() -> None:
    settings = DemoSettings()
    with pytest.raises(ValidationError):
        settings.replica = "x"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        DemoSettings(nonsense=1)  # type: ignore[call-arg]


def test_every_field_says_what_it_is() -> None:
    assert [name for name, field in ServiceSettings.model_fields.items() if not field.description] == []


def section(heading: str) -> dict[str, tuple[str, str]]:
    """Return name -> default and meaning of the table below a heading of docs/settings.md."""
    [text] = re.findall(rf"^## {heading}.*?$(.*?)(?=^## |\Z)", (DOCS / "settings.md").read_text("utf-8"), re.M | re.S)
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*) \|$", text, re.M)
    return {name: (default, meaning.replace("\\<", "<")) for name, default, meaning in rows}


def shown(default: object) -> str:
    """Return a default as the page writes it; a group of settings has its own table."""
    if isinstance(default, BaseModel):
        return ""
    if isinstance(default, float):
        return f"{default:g}"
    if isinstance(default, str):
        return f"`{default}`" if default else "empty"
    return "none" if default is None else str(default).lower()


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_page_of_settings_states_each_with_its_default_and_description_and_no_others(heading: str) -> None:
    told, fields = section(heading), SECTIONS[heading].model_fields
    assert list(told) == list(fields)
    for name, field in fields.items():
        default, meaning = told[name]
        assert default == shown(field.default), name
        assert meaning.startswith(str(field.description)), name


def test_the_page_on_traces_names_each_of_their_settings() -> None:
    text = (DOCS / "observing.md").read_text("utf-8")
    assert [name for name in TelemetrySettings.model_fields if f"`{name.upper()}`" not in text] == []
