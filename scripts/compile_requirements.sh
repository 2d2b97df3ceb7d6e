#!/usr/bin/env bash
# Compile pyproject.toml's extras into hashed locks for every platform and Python >= 3.11; needs a package index.
# Usage: scripts/compile_requirements.sh [extra arguments of `uv pip compile`, e.g. --upgrade]
set -euo pipefail
cd "$(dirname "$0")/.."
UV=${UV:-uv}

# No header, annotations or index address: the files state versions and hashes, nothing about where they were made.
compile() { # compile OUTPUT INPUT ARGUMENTS...
    local output=$1 input=$2
    shift 2
    "$UV" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --no-emit-find-links --no-emit-package loopwright \
        "$@" --output-file "requirements/$output" "$input"
}

# First of all the union: what a service has alone is a part of it, version by version.
compile all.txt pyproject.toml --extra localmesh --extra dev "$@"
set -- "$@" --constraint requirements/all.txt
compile base.txt pyproject.toml "$@"
for service in recommender retrieval hydration ranking policy exposure ingest projector trainer monitor simulator cli; do
    compile "$service.txt" pyproject.toml --extra "$service" "$@"
done
compile localmesh.txt pyproject.toml --extra localmesh "$@"
compile dev.txt pyproject.toml --extra dev "$@"
compile build.txt requirements/build.in "$@"
compile bootstrap.txt requirements/bootstrap.in "$@"

if grep -nE '(https?|ssh)://|--(extra-)?index-url|--find-links' requirements/*.txt; then
    echo "a lock names an address" >&2
    exit 1
fi
