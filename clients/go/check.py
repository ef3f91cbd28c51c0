#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Builds, vets and tests the Go client, with a real router.

Ends with 0 if all is well and 1 if not. Where Go or the modules are not to be
had it says why and ends with 77, by which ctest knows a skipped test; with
--strict that is a failure, and the newest gRPC that `./dev interop` uses is
tried too, and the generated stubs are compared with the .proto files.
"""

import argparse
import filecmp
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "interop"))

import tools  # noqa: E402

SKIPPED = 77
MODULE_SECONDS = 120
TEST_SECONDS = 600


class Unavailable(Exception):
    """Something is not to be had here; the message says what and why."""


def arguments():
    parser = argparse.ArgumentParser(
        prog="./dev clients go", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--router", type=pathlib.Path, required=True,
                        help="a bandit-router")
    parser.add_argument("--strict", action="store_true",
                        help="nothing may be missing, and more is tried")
    parser.add_argument("--cache", type=pathlib.Path,
                        default=ROOT / "build" / "interop",
                        help="of the programs that are fetched for --strict")
    return parser.parse_args()


def minimum():
    text = (HERE / "go.mod").read_text(encoding="utf-8")
    return re.search(r"^go (\S+)$", text, re.M).group(1)


def version(go):
    done = subprocess.run([go, "env", "GOVERSION"], capture_output=True,
                          text=True, check=False, env=environment())
    numbers = re.match(r"go(\d+)\.(\d+)", done.stdout)
    return tuple(map(int, numbers.groups())) if numbers else (0, 0)


def environment(**more):
    # The compiler that was found, and no download of another.
    return {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false",
            **more}


def find_go():
    """The Go of PATH, else Debian's, if new enough."""
    wanted = tuple(map(int, minimum().split(".")[:2]))
    places = [shutil.which("go"), "/usr/lib/go/bin/go",
              "/usr/lib/go-1.19/bin/go"]
    found = [go for go in places if go and os.access(go, os.X_OK)]
    for go in found:
        if version(go) >= wanted:
            return go
    raise Unavailable(
        f"no Go {minimum()} or newer ({', '.join(found) or 'none at all'}): "
        "./dev setup go")


def run(go, *words, seconds=TEST_SECONDS, **more):
    """True if it ends well; what it says goes through."""
    print("--", pathlib.Path(go).name, *words, flush=True)
    done = subprocess.run([go, *words], cwd=HERE, check=False,
                          timeout=seconds, env=environment(**more))
    return done.returncode == 0


def have_modules(go):
    try:
        done = subprocess.run(
            [go, "mod", "download"], cwd=HERE, capture_output=True, text=True,
            timeout=MODULE_SECONDS, check=False, env=environment())
    except subprocess.TimeoutExpired as error:
        raise Unavailable(
            f"the modules did not come within {MODULE_SECONDS} s") from error
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        raise Unavailable(f"the modules are not to be had: {said[-1][:300]}")


def well_formatted(go):
    gofmt = pathlib.Path(go).resolve().with_name("gofmt")
    done = subprocess.run([gofmt, "-l", "."], cwd=HERE, capture_output=True,
                          text=True, check=True)
    # Generated code has the format of its generator.
    wrong = [f for f in done.stdout.split() if not f.endswith(".pb.go")]
    if wrong:
        print("not as gofmt has it:", *wrong)
    return not wrong


def test(go, options, *words):
    race = "-race" if shutil.which(os.environ.get("CC", "gcc")) else None
    if race is None:
        print("-- no C compiler, so without the race detector")
    flags = [race] if race else []
    return run(
        go, "test", *flags, "-count=1", *words, "./...",
        BANDIT_ROUTER=str(options.router.resolve()),
        BANDIT_VECTORS=str(ROOT / "tests" / "vectors" / "client.json"))


def test_newest(options):
    """With the compiler and the gRPC of versions.toml."""
    toolbox = tools.Toolbox(options.cache.resolve())
    go = str(toolbox.compiler())
    grpc = toolbox.versions["go"]["programs"]["interop_client"]["version"]
    with tempfile.TemporaryDirectory() as folder:
        for name in ("go.mod", "go.sum"):
            shutil.copy(HERE / name, folder)
        modfile = f"-modfile={folder}/go.mod"
        return run(go, "get", modfile, f"google.golang.org/grpc@{grpc}",
                   seconds=MODULE_SECONDS) and test(go, options, modfile)


def stubs_are_current(options):
    if shutil.which("protoc") is None:
        raise Unavailable("protoc: ./dev setup build")
    with tempfile.TemporaryDirectory() as folder:
        # The generators ask for a newer Go than the client does.
        go = tools.Toolbox(options.cache.resolve()).compiler()
        path = f"{pathlib.Path(go).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            [HERE / "generate", folder], check=False, timeout=TEST_SECONDS,
            env=environment(PATH=path))
        if done.returncode != 0:
            return False
        made = sorted(pathlib.Path(folder).rglob("*.pb.go"))
        stale = [file.relative_to(folder) for file in made
                 if not same(file, HERE / file.relative_to(folder))]
    if stale or not made:
        print("not as the .proto files have it; run clients/go/generate:",
              *stale)
    return bool(made) and not stale


def same(one, other):
    return other.exists() and filecmp.cmp(one, other, shallow=False)


def check(options):
    go = find_go()
    have_modules(go)
    good = (run(go, "mod", "verify") and well_formatted(go)
            and run(go, "vet", "./...") and test(go, options))
    if good and options.strict:
        good = stubs_are_current(options) and test_newest(options)
    return good


def main():
    options = arguments()
    try:
        return 0 if check(options) else 1
    except (Unavailable, tools.Missing) as missing:
        print(f"clients/go: {'' if options.strict else 'skipped: '}{missing}")
        return 1 if options.strict else SKIPPED


if __name__ == "__main__":
    sys.exit(main())
