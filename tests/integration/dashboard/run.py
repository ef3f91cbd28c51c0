#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the dashboard's bundle, compares it, and tries it in Chromium.

  build          dashboard/dist from dashboard/src
  check          types, and that dashboard/dist is what the source gives
  test [FILE]    the page in Chromium against the real router
  shots          the pictures of docs/images

npm fetches what dashboard/package-lock.json names, into dashboard/node_modules.
Ends with 0, 1 if something is wrong, 2 if a program cannot be had; with --skip
with 77 instead of 2, which ctest takes for skipped.
"""

import argparse
import filecmp
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
SOURCE = ROOT / "dashboard"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FETCH_SECONDS = 120
SKIPPED = 77


class Missing(Exception):
    """A program cannot be had here; the message says which, and the mend."""


def node(*arguments, **environment):
    """The exit code of Node in the dashboard's folder."""
    return subprocess.run(
        ["node", *map(str, arguments)], cwd=SOURCE, check=False,
        env={**os.environ, **environment},
    ).returncode


def fetch():
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise Missing(f"no {program} here: run ./dev setup node")
    lock = SOURCE / "package-lock.json"
    stamp = SOURCE / "node_modules" / ".fetched"
    if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
        return
    try:
        # No scripts: none of these packages has one that it needs.
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund",
             "--fetch-retries=1"],
            cwd=SOURCE, capture_output=True, text=True, check=False,
            timeout=FETCH_SECONDS)
    except subprocess.TimeoutExpired:
        raise Missing(f"npm ci took more than {FETCH_SECONDS} s: is there a "
                      "network?") from None
    if done.returncode != 0:
        raise Missing("npm ci: " + " ".join(
            done.stderr.strip().splitlines()[:2])[:300])
    stamp.write_bytes(lock.read_bytes())


def build():
    return node("build.mjs")


def check():
    if node("node_modules/typescript/bin/tsc", "--noEmit") != 0:
        return 1
    with tempfile.TemporaryDirectory() as folder:
        if node("build.mjs", "--out", folder) != 0:
            return 1
        names = sorted(p.name for p in (SOURCE / "dist").iterdir())
        fresh = sorted(p.name for p in pathlib.Path(folder).iterdir())
        _, differ, _ = filecmp.cmpfiles(folder, SOURCE / "dist", fresh,
                                        shallow=False)
    if names != fresh or differ:
        print(f"dashboard/dist is not what the source gives ({names} {fresh} "
              f"{differ}): run ./dev dashboard build and commit it",
              file=sys.stderr)
        return 1
    print("dashboard/dist is what the source gives")
    return node("--test", "test/unit.test.mjs")


def in_browser(router, *arguments):
    if not os.path.exists(CHROMIUM):
        raise Missing(f"no {CHROMIUM}: run ./dev setup dashboard, or set "
                      "CHROMIUM")
    return node(*arguments, BANDIT_ROUTER=router)


def main():
    parser = argparse.ArgumentParser(
        prog="./dev dashboard", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--router", type=os.path.abspath,
                        default=ROOT / "build/release/bandit-router",
                        help=argparse.SUPPRESS)
    parser.add_argument("--skip", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("what", choices=["build", "check", "test", "shots"])
    parser.add_argument("file", nargs="?", choices=["page", "acts"],
                        help="only these tests")
    options = parser.parse_args()
    router = str(options.router)
    try:
        fetch()
        if options.what == "build":
            return build()
        if options.what == "check":
            return check()
        if options.what == "shots":
            return in_browser(router, "test/shots.mjs", ROOT / "docs/images")
        # One after the other: each has a router, models and a browser.
        files = [options.file] if options.file else ["page", "acts"]
        return max([in_browser(router, "--test", f"test/{name}.test.mjs")
                    for name in files])
    except Missing as missing:
        print(f"{'skipped: ' if options.skip else ''}{missing}",
              file=sys.stderr)
        return SKIPPED if options.skip else 2


if __name__ == "__main__":
    sys.exit(main())
