#!/usr/bin/env bash
# Run the tests; `make test` calls it. Arguments go to one run of pytest. Without any there are two: workers share out
# what one process can do; then, alone on the machine and in a process of its own, what starts a broker, a store or a
# mesh, because its verdicts are of time, too.
set -uo pipefail
cd "$(dirname "$0")/.."

PYTEST=(.venv/bin/python -m pytest)
SERVERS="integration or faults"

if [ $# -gt 0 ]; then
    exec "${PYTEST[@]}" "$@"
fi
status=0
"${PYTEST[@]}" -n logical --maxprocesses 4 --dist loadfile -m "not ($SERVERS)" || status=$?
"${PYTEST[@]}" -m "$SERVERS" || status=$((status ? status : $?))
exit "$status"
