#!/usr/bin/env bash
# Make .venv, the Kafka jars and the demo's data set; `make setup` calls it. Needs python3 >= 3.11 with its headers and a
# C++ compiler (for hnswlib, which has no wheel) and, once, a package index. A second run with unchanged locks does
# nothing, offline.
set -euo pipefail
cd "$(dirname "$0")/.."

VENV=.venv
CACHE=${LOOPWRIGHT_CACHE_DIR:-.cache}
STAMP=$VENV/.loopwright-setup
export HNSWLIB_NO_NATIVE=1 # compile for any CPU of this kind, not for this machine's
export PIP_DISABLE_PIP_VERSION_CHECK=1

INPUTS=(pyproject.toml requirements/all.txt requirements/build.txt scripts/setup.sh scripts/sync_requirements.sh
    services/loopwright/localmesh/kafka_jars.lock services/loopwright/localmesh/dataset.lock)

fingerprint() { # the content of everything set-up depends on, the place of the environment and the choice of torch included
    { pwd && echo "${LOOPWRIGHT_TORCH:-}" && cat "${INPUTS[@]}"; } | cksum
}

if [ -x "$VENV/bin/loopwright" ] && [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$(fingerprint)" ] &&
    "$VENV/bin/python" -m loopwright.localmesh.provision --check >/dev/null; then
    exit 0
fi

find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "set-up needs Python 3.11 or newer; set PYTHON=/path/to/python3" >&2
    return 1
}

find_uv() { # uv from the PATH, else from an earlier run, else installed with pip beside the caches
    local own=$CACHE/uv
    if command -v uv >/dev/null && uv --version >/dev/null 2>&1; then
        command -v uv
    elif [ -x "$own/bin/uv" ]; then
        echo "$own/bin/uv"
    else
        echo "installing uv into $own" >&2
        if ! "$python" -m venv "$own" >&2; then # a Python without ensurepip
            "$python" -m pip install --quiet --require-hashes --target "$own" -r requirements/bootstrap.txt >&2
        else
            "$own/bin/pip" install --quiet --require-hashes -r requirements/bootstrap.txt >&2
        fi
        echo "$own/bin/uv"
    fi
}

command -v c++ >/dev/null || command -v g++ >/dev/null || {
    echo "set-up needs a C++ compiler (c++ or g++): hnswlib has no wheel" >&2
    exit 1
}
python=$(find_python)
include=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
[ -f "$include/Python.h" ] || {
    echo "set-up needs the headers of $python ($include/Python.h; Debian: python3-dev): hnswlib has no wheel" >&2
    exit 1
}
mkdir -p "$CACHE"
uv=$(find_uv)

rm -f "$STAMP"
[ -x "$VENV/bin/python" ] || "$uv" venv --clear --quiet --python "$python" "$VENV"
export VIRTUAL_ENV=$PWD/$VENV
echo "installing the locked requirements (6 GB on disk, 5 of them torch; LOOPWRIGHT_TORCH=cpu takes its CPU build)"
# Compiled here once: a dozen processes start per mesh, and where PYTHONDONTWRITEBYTECODE is set each would compile all it
# imports again (3.3 s of CPU instead of 1.1 s for exposure, measured).
UV=$uv scripts/sync_requirements.sh all --quiet --compile-bytecode
"$uv" pip install --quiet --offline --no-deps --no-build-isolation --editable .
"$VENV/bin/python" -m compileall -q services shared
"$VENV/bin/python" -m loopwright.localmesh.provision
fingerprint >"$STAMP"
echo "set up: $VENV"
