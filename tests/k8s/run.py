#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Renders and checks everything in k8s/: see docs/kubernetes.md.

What it needs (helm, kustomize, Kubernetes' schemas, promtool) is fetched once
and kept in build/; versions are in tests/interop/versions.toml. Ends with 0 if
all is well, 1 if not, 2 if a program could not be had.
"""

import argparse
import os
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "interop")]

import tools  # noqa: E402

# What ctest takes for skipped.
SKIPPED = 77
MODULES = ["plain_test", "checks_test", "metrics_test", "render_test"]


class Cached(tools.Toolbox):
    """Takes what is there, fetches nothing."""

    def go(self, program):
        version = self.versions["go"]["programs"][program]["version"]
        return self._there(self.cache / "bin" / f"{program}-{version}")

    def python(self, group="python"):
        return self._there(self.cache / f"venv-{group}" / "bin" / "python")

    def debian(self, package, path):
        return self._there(self.cache / "debian" / package / path)

    def _there(self, path):
        if not path.exists():
            raise tools.Missing(f"{path.name} is not there; `./dev k8s` "
                                "fetches it")
        return path


def programs(toolbox):
    return {
        "HELM": toolbox.go("helm"),
        "KUSTOMIZE": toolbox.go("kustomize"),
        "PROMTOOL": toolbox.debian("prometheus", "usr/bin/promtool"),
        "SCHEMA_PYTHON": toolbox.python("kubernetes"),
    }


def main():
    parser = argparse.ArgumentParser(
        prog="./dev k8s check", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--router", type=pathlib.Path, required=True,
                        help=argparse.SUPPRESS)
    parser.add_argument("--cache", type=pathlib.Path, required=True,
                        help=argparse.SUPPRESS)
    parser.add_argument("--only-cached", action="store_true",
                        help="fetch nothing; without the programs, only say "
                        f"so and end with {SKIPPED}")
    parser.add_argument("modules", nargs="*", metavar="MODULE",
                        help="of tests/k8s: " + ", ".join(MODULES))
    options = parser.parse_args()
    os.environ["BANDIT_ROUTER"] = str(options.router.resolve())
    box = Cached if options.only_cached else tools.Toolbox
    try:
        for name, path in programs(box(options.cache.resolve())).items():
            os.environ[name] = str(path)
    except tools.Missing as missing:
        print(f"k8s: {missing}", file=sys.stderr)
        return SKIPPED if options.only_cached else 2
    sys.dont_write_bytecode = True
    suite = unittest.defaultTestLoader.loadTestsFromNames(
        options.modules or MODULES)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
