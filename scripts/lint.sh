#!/usr/bin/env bash
# Run every static check, all of them even after a failure; exit 1 if one failed. Usage: scripts/lint.sh PATH...
set -uo pipefail
cd "$(dirname "$0")/.."
BIN=.venv/bin
failed=()

check() { # check NAME COMMAND...
    local name=$1
    shift
    echo "-- $name"
    "$@" || failed+=("$name")
}

check "ruff" "$BIN/ruff" check "$@"
check "ruff format" "$BIN/ruff" format --check "$@"
check "mypy" "$BIN/mypy"
check "buf" "$BIN/buf" lint
check "contracts" "$BIN/buf" breaking --against protos/baseline.binpb
check "import contracts" env PYTHONPATH=services:shared "$BIN/lint-imports" --no-cache
check "generated files" "$BIN/python" scripts/generate_protos.py --check
check "structure" "$BIN/python" -m pytest -q -p no:cacheprovider tests/architecture

if [ ${#failed[@]} -gt 0 ]; then
    printf 'lint failed: %s\n' "${failed[@]}" >&2
    exit 1
fi
echo "lint passed"
