"""Generate `shared/loopwright/api` from `protos/`; `make proto` and, with `--check`, `make lint` call it.

In: every `.proto` below `protos/`, and the baseline, the contracts as they were last recorded; nothing is written when
they break it. Out: `*_pb2.py`, `*_pb2.pyi` and, for files with a service, `*_pb2_grpc.py` with stubs for `grpc.aio`;
the new baseline. With `--check` all is made in a temporary folder and compared with what is committed.
"""

from __future__ import annotations

import argparse
import difflib
import re
import shutil
import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
TARGET = ROOT / "shared" / "loopwright" / "api"
BASELINE = PROTOS / "baseline.binpb"

# The stubs give each method's context its own parameters, which no servicer can state: a context is the same for all.
_CONTEXT = re.compile(r"_aio\.ServicerContext\[.*\],$", re.MULTILINE)

# The vendored validation rules are generated below our own package: protoc would name them `buf.validate`, a top-level
# package that is not ours to claim. The file's name in the descriptor pool stays `buf/validate/validate.proto`.
_VENDORED_IMPORT = re.compile(r"^from buf\.validate import", re.MULTILINE)


def proto_files() -> list[str]:
    """Return the paths of all protos, relative to `protos/`, in sorted order."""
    return sorted(path.relative_to(PROTOS).as_posix() for path in PROTOS.rglob("*.proto"))


def has_service(name: str) -> bool:
    """Say whether the proto of this name declares a service."""
    return re.search(r"^service\s+\w+", (PROTOS / name).read_text("utf-8"), re.MULTILINE) is not None


def run_protoc(out: Path, names: list[str], *, grpc: bool) -> None:
    """Run protoc for the named files.

    Raises:
        SystemExit: protoc refused a file; its message is already on stderr.
    """
    well_known = resources.files("grpc_tools") / "_proto"
    args = ["protoc", f"-I{PROTOS}", f"-I{well_known}"]
    if grpc:
        plugin = Path(sys.executable).with_name("protoc-gen-mypy_grpc")
        args += [f"--grpc_python_out={out}", f"--plugin=protoc-gen-mypy_grpc={plugin}"]
        args += [f"--mypy_grpc_out=only_async,quiet:{out}"]
    else:
        args += [f"--python_out={out}", f"--pyi_out={out}"]
    if names and protoc.main([*args, *names]) != 0:
        raise SystemExit("protoc failed")


def adapted(text: str) -> str:
    """Return generated source with the vendored package's import and the servicer contexts' types adapted."""
    text = _VENDORED_IMPORT.sub("from loopwright.api.buf.validate import", text)
    if _CONTEXT.search(text):
        text = _CONTEXT.sub("_aio.ServicerContext[_Any, _Any],", text)
        text = text.replace(
            "from grpc import aio as _aio\n", "from grpc import aio as _aio\nfrom typing import Any as _Any\n"
        )
    return text


def docstring_of(package: Path, root: Path) -> str:
    """Return the content of a generated package's `__init__.py`."""
    dotted = ".".join(("loopwright", "api", *package.relative_to(root).parts))
    return f'"""Generated from protos/ by scripts/generate_protos.py: package `{dotted}`."""\n'


def generate(target: Path) -> None:
    """Write the whole generated package into `target`, which must not exist."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch)
        names = proto_files()
        run_protoc(out, names, grpc=False)
        run_protoc(out, [name for name in names if has_service(name)], grpc=True)
        api = out / "loopwright" / "api"
        api.mkdir(parents=True, exist_ok=True)
        if (out / "buf").exists():
            shutil.move(out / "buf", api / "buf")
        for path in sorted(api.rglob("*.py*")):
            path.write_text(adapted(path.read_text("utf-8")), "utf-8")
        for package in [api, *(path for path in api.rglob("*") if path.is_dir())]:
            (package / "__init__.py").write_text(docstring_of(package, api), "utf-8")
        shutil.copytree(api, target)


def contents(root: Path) -> dict[str, str]:
    """Return path -> text of every generated source below `root`."""
    found = (path for path in root.rglob("*.py*") if path.suffix in {".py", ".pyi"})
    return {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in found}


def differences(committed: dict[str, str], fresh: dict[str, str]) -> list[str]:
    """Return readable differences between the committed and the freshly generated tree; empty when equal."""
    lines: list[str] = []
    for name in sorted(committed.keys() | fresh.keys()):
        old, new = committed.get(name), fresh.get(name)
        if old is None:
            lines.append(f"missing: {name}")
        elif new is None:
            lines.append(f"has no proto any more: {name}")
        elif old != new:
            diff = difflib.unified_diff(old.splitlines(), new.splitlines(), name, name, lineterm="", n=0)
            lines += [line[:160] for line in list(diff)[:8]]
    return lines


def buf(*arguments: str) -> bool:
    """Run buf on the committed protos and say whether it was content; its message is already on the terminal."""
    command = [str(Path(sys.executable).with_name("buf")), *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def record(target: Path) -> None:
    """Write the image of the protos, without comments and places in files.

    Raises:
        SystemExit: buf refused a file.
    """
    if not buf("build", "--exclude-source-info", "--output", str(target)):
        raise SystemExit("buf failed")


def stale(fresh: Path, image: Path) -> list[str]:
    """Return what of the committed code and baseline is not that of the protos; empty when all is."""
    found = differences(contents(TARGET), contents(fresh))
    if not BASELINE.exists() or BASELINE.read_bytes() != image.read_bytes():
        found.append(f"{BASELINE.relative_to(ROOT)} is not the image of the protos")
    return found


def main() -> int:
    """Generate, or with `--check` compare; return the exit code."""
    parser = argparse.ArgumentParser(description="Generate shared/loopwright/api from protos/.")
    parser.add_argument("--check", action="store_true", help="compare instead of writing; exit 1 on a difference")
    check: bool = parser.parse_args().check
    if not check and BASELINE.exists() and not buf("breaking", "--against", str(BASELINE)):
        print("a contract is broken; nothing was written", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as scratch:
        fresh, image = Path(scratch) / "api", Path(scratch) / BASELINE.name
        generate(fresh)
        record(image)
        if check:
            found = stale(fresh, image)
            if found:
                print("\n".join(["generated files are stale; run `make proto`", *found]), file=sys.stderr)
            return 1 if found else 0
        if TARGET.exists():
            shutil.rmtree(TARGET)
        shutil.copytree(fresh, TARGET)
        shutil.copy(image, BASELINE)
    print(f"generated {len(proto_files())} protos into {TARGET.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
