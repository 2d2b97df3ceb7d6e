"""The JSON schema of bundle documents, generated from the models: `python -m loopwright.bundle.json_schema`.

Editors and other languages' clients read the committed file; a test holds it to the models.
"""

from __future__ import annotations

import json
from pathlib import Path

from loopwright.bundle.model import PolicyBundle

SCHEMA_PATH = Path(__file__).with_name("bundle.schema.json")


def schema_text() -> str:
    """Return the JSON schema (draft 2020-12) as committed."""
    schema = PolicyBundle.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    SCHEMA_PATH.write_text(schema_text(), encoding="utf-8")
