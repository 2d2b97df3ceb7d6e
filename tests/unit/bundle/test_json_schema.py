import json

import jsonschema
import yaml

from loopwright.bundle import default_document
from loopwright.bundle.json_schema import SCHEMA_PATH, schema_text


def test_the_committed_schema_is_the_models() -> None:
    assert SCHEMA_PATH.read_text("utf-8") == schema_text(), "run python -m loopwright.bundle.json_schema"


def test_the_schema_is_valid_and_accepts_the_default_bundle() -> None:
    schema = json.loads(schema_text())
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    validator.validate(yaml.safe_load(default_document()))


def test_the_schema_refuses_a_field_that_is_not_known_and_a_number_out_of_bounds() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(schema_text()))
    for section, field, value in (("exploration", "novelty", 1), ("exploration", "slice_rate", 1.5)):
        document = yaml.safe_load(default_document())
        document[section][field] = value
        assert not validator.is_valid(document)
