#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the Python client's wheel and tests what it installs.

With what PyPI has: the wheel and the sdist are built, the wheel is installed
into a clean environment with the grpcio and tritonclient that tests/interop's
versions.toml names, all tests run there against a real router, none skipped,
and mypy reads the package strictly. (ctest runs the same tests with Debian's
grpcio, from the source.)
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "interop"))

import tools  # noqa: E402

SECONDS = 600


def run(*words, **more):
    """Fails with CalledProcessError; what it says goes through."""
    print("--", *(pathlib.Path(words[0]).name, *words[1:]), flush=True)
    subprocess.run([str(word) for word in words], check=True, timeout=SECONDS,
                   **more)


def build(python, folder):
    """The wheel; what is in it is looked at, too."""
    # Without an environment of its own: setuptools is in this one.
    run(python, "-m", "build", "--no-isolation", "--outdir", folder, HERE)
    (wheel,) = folder.glob("*.whl")
    (_,) = folder.glob("*.tar.gz")
    names = subprocess.run(
        [python, "-m", "zipfile", "-l", wheel], check=True, text=True,
        capture_output=True).stdout
    for wanted in ("bandit_router/py.typed", "bandit_router/client.py",
                   "bandit_router/_proto/feedback_pb2.pyi"):
        if wanted not in names:
            sys.exit(f"clients/python: {wanted} is not in the wheel")
    return wheel


def test(python, installed, router):
    environment = {
        **os.environ, "PYTHONPATH": str(installed),
        "BANDIT_ROUTER": str(router.resolve()),
    }
    for file in sorted((HERE / "tests").glob("*_test.py")):
        print("--", file.name, flush=True)
        done = subprocess.run(
            [python, "-B", file], env=environment, check=False, text=True,
            stderr=subprocess.PIPE, timeout=SECONDS)
        sys.stderr.write(done.stderr)
        if done.returncode != 0 or re.search(r"OK \(.*skipped", done.stderr):
            sys.exit(f"clients/python: {file.name} failed, or skipped a test")


def main():
    parser = argparse.ArgumentParser(
        prog="./dev clients python", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--router", type=pathlib.Path, required=True,
                        help="a bandit-router")
    parser.add_argument("--cache", type=pathlib.Path,
                        default=ROOT / "build" / "interop",
                        help="of what is fetched")
    options = parser.parse_args()
    try:
        python = tools.Toolbox(options.cache.resolve()).python("client_python")
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            wheel = build(python, folder)
            installed = folder / "installed"
            run(python, "-m", "pip", "install", "-q", "--no-deps", "--target",
                installed, wheel)
            run(python, "-m", "mypy", "--cache-dir", folder / "mypy", cwd=HERE)
            test(python, installed, options.router)
    except tools.Missing as missing:
        sys.exit(f"clients/python: {missing}")
    except subprocess.CalledProcessError as failed:
        sys.exit(f"clients/python: {failed}")
    print("clients/python: ok")


if __name__ == "__main__":
    main()
