import pytest
from pydantic import ValidationError

from loopwright.telemetry import TelemetrySettings


def test_nothing_is_exported_unless_an_endpoint_is_named() -> None:
    assert TelemetrySettings().otlp_endpoint == ""


@pytest.mark.parametrize("values", [{"sample_ratio": 1.1}, {"queue_spans": 0}, {"sampling": 1}])
def test_values_out_of_range_and_unknown_names_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        TelemetrySettings(**values)  # type: ignore[arg-type]
