#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the image without a container engine, and starts it.

Each stage of the Containerfile is a clean Debian made by debootstrap, in which
its steps are run as they stand. The last one is then started as its USER,
with a read-only root, and asked. Needs root. `--ccache` shares a compiler
cache with the build; without it everything is compiled.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

import containerfile  # noqa: E402
import roots  # noqa: E402
import service  # noqa: E402


class Builder:
    def __init__(self, cache, arguments, mounts):
        self.roots = roots.Roots(cache)
        self.log = self.roots.cache / "image.log"
        self.log.write_text("")
        self.given = arguments
        self.mounts = mounts
        self.made = {}  # Roots, by the names of their stages.

    def build(self, stages):
        """The last stage's root, user and entry point."""
        for stage in stages:
            roots.say(f"stage {stage.name}, from {stage.base}")
            last = self.stage(stage)
        return last

    def stage(self, stage):
        root = self.roots.fresh(f"stage-{stage.name}", self.mounts)
        self.made[stage.name] = root
        state = {"where": "/", "user": None, "arguments": {}}
        found = {}
        for step in stage.steps:
            roots.say(f"  line {step.line}: {step.word} {step.text[:60]}")
            if step.word == "RUN":
                root.run(["/bin/sh", "-c", step.text], log=self.log,
                         where=state["where"], user=state["user"],
                         environment=state["arguments"])
            elif step.word == "COPY":
                self.copy(root, containerfile.copy_of(step), state["where"])
            elif step.word == "WORKDIR":
                state["where"] = step.text
                root.inside(step.text).mkdir(parents=True, exist_ok=True)
            elif step.word == "ARG":
                name, _, value = step.text.partition("=")
                state["arguments"][name] = self.given.get(name, value)
            elif step.word == "USER":
                state["user"] = step.text
            found[step.word] = step.text
        return root, state["user"], found

    def copy(self, root, copy, where):
        target = root.inside(os.path.join(where, copy.target))
        if copy.stage:
            source = self.made[copy.stage]
            for pattern in copy.sources:
                files = sorted(source.path.glob(pattern.lstrip("/")))
                if not files:
                    raise roots.Failed(f"COPY: no {pattern} in {copy.stage}")
                target.mkdir(parents=True, exist_ok=True)
                for file in files:
                    shutil.copy2(file, target)
            return
        ignore = containerfile.Ignore((ROOT / ".dockerignore").read_text())
        for source in copy.sources:
            for file in context_files(ROOT / source):
                name = file.relative_to(ROOT).as_posix()
                if ignore.leaves_out(name):
                    continue
                inner = file.relative_to(ROOT / source).as_posix()
                to = target / (file.name if inner == "." else inner)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, to)


def context_files(start):
    """Files that git knows: what is only built here is no source."""
    done = subprocess.run(
        ["git", "-C", ROOT, "-c", f"safe.directory={ROOT}", "ls-files", "-z",
         "--cached", "--others", "--exclude-standard", "--", start],
        capture_output=True, check=True)
    paths = (ROOT / name.decode() for name in done.stdout.split(b"\0") if name)
    return sorted(p for p in paths if p.is_file())


def examine(root, user, found):
    """What must hold of the image."""
    assert user == "65532:65532", user
    entry = containerfile.words(found["ENTRYPOINT"])
    said = root.run([*entry, "--version"], user=user)
    assert said.startswith("bandit-router "), said
    root.run(["banditctl", "--help"], user=user)
    assert root.fails(["touch", "/usr/bin/x"], user=user), "may write"
    for tool in ("g++", "cmake", "git", "python3"):
        assert root.fails(["which", tool]), f"{tool} is in the image"
    said = service.serves(root, user, "/etc/bandit-router/router.yaml",
                          read_only=True)
    assert "stopped" in said, said


def main():
    parser = argparse.ArgumentParser(
        prog="./dev k8s image", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=pathlib.Path, required=True,
                        help=argparse.SUPPRESS)
    parser.add_argument("--ccache", type=pathlib.Path, metavar="FOLDER",
                        help="the compiler cache to share")
    parser.add_argument("--jobs", default="2", help="of the compiler")
    options = parser.parse_args()
    mounts = []
    if options.ccache:
        mounts.append(f"{options.ccache.resolve()}=/root/.cache/ccache")
    stages = containerfile.stages((ROOT / "Containerfile").read_text())
    builder = Builder(options.cache, {"JOBS": options.jobs}, mounts)
    try:
        root, user, found = builder.build(stages)
        roots.say("starting it")
        examine(root, user, found)
    except (roots.Failed, containerfile.Unknown, AssertionError) as error:
        print(f"image: {error}\n(all of it: {builder.log})", file=sys.stderr)
        return 1
    print(f"image: built, served a request with a read-only root as {user}; "
          f"{roots.megabytes(root.path)} MB unpacked")
    return 0


if __name__ == "__main__":
    sys.exit(main())
