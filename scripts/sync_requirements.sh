#!/usr/bin/env bash
# Make the environment VIRTUAL_ENV hold one hashed lock of requirements/ and nothing else; set-up and images call it.
# Usage: scripts/sync_requirements.sh LOCK [arguments of `uv pip sync`], e.g. `trainer --compile-bytecode`.
# LOOPWRIGHT_TORCH=cpu (or another value of uv's --torch-backend) takes the lock's version of torch from PyTorch's own
# index, without the CUDA packages. Its builds have other hashes than the lock's: torch alone is then not hash-checked.
set -euo pipefail
cd "$(dirname "$0")/.."
UV=${UV:-uv}
lock=requirements/$1.txt
shift

sync() { # sync LOCK ARGUMENTS...
    local file=$1
    shift
    "$UV" pip sync --require-hashes --build-constraints requirements/build.txt "$@" "$file"
}

version=$(sed -nE 's/^torch==([^ ;]+).*/\1/p' "$lock")
if [ -z "${LOOPWRIGHT_TORCH:-}" ] || [ -z "$version" ]; then
    sync "$lock" "$@"
    exit
fi

rest=$(mktemp)
trap 'rm -f "$rest"' EXIT
awk '/^[a-z0-9]/ { kept = !/^((torch|triton)==|(nvidia|cuda)-)/ } kept' "$lock" >"$rest"
sync "$rest" "$@"
"$UV" pip install --torch-backend "$LOOPWRIGHT_TORCH" "torch==$version"
