#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""clang-tidy over what the release build compiles, with -Wthread-safety.

One pass gives clang-tidy's checks and clang's own warnings, which GCC's build
cannot see. A file that was clean is not checked again until something that it
includes, its flags or the rules change: the cache is keyed by the preprocessed
text. Files changed last come first, and --seconds bounds the whole: what is
left then is said, not failed. --deep adds the static analyzer, which costs
more than all the rest.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME")
                     or pathlib.Path.home() / ".cache") / "bandit-tidy"
ARGUMENTS = ["--quiet", "--extra-arg=-Wthread-safety",
             "--extra-arg=-Wno-unknown-warning-option"]
DEEP = ["--checks=clang-analyzer-*"]


def git(*arguments):
    return subprocess.run(["git", *arguments], cwd=ROOT, text=True,
                          stdout=subprocess.PIPE, check=False).stdout.split()


def sources(database, only_changed):
    """Path -> compile command, of our own files, last changed first."""
    commands = {}
    for entry in json.loads((database / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if path.is_relative_to(ROOT):
            name = str(path.relative_to(ROOT))
            commands[name] = (entry["directory"], entry["command"])
    order = git("diff", "--name-only", "HEAD")
    if only_changed:
        # Without it nothing would differ, and nothing be checked.
        if not git("rev-parse", "--verify", "--quiet", "main"):
            sys.exit("clang-tidy: --changed compares with the branch `main`, "
                     "which is not here: git branch main origin/main")
        order += git("diff", "--name-only", "main...HEAD")
    else:
        order += git("log", "--name-only", "--format=") + [*commands]
    own = set(git("ls-files", "--cached", "--others", "--exclude-standard",
                  "*.cc"))
    return {name: commands[name] for name in dict.fromkeys(order)
            if name in commands and name in own}


def rules(name):
    """The nearest .clang-tidy above a file."""
    for folder in (ROOT / name).parents:
        if (folder / ".clang-tidy").exists():
            return (folder / ".clang-tidy").read_bytes()
    return b""


def key(name, directory, command, extra):
    """Changes with all that the verdict on a file depends on."""
    flags, skip = [], False
    for word in shlex.split(command)[1:]:
        if skip or word in ("-MD", "-c"):
            skip = False
        elif word in ("-o", "-MT", "-MF"):
            skip = True
        else:
            flags.append(word)
    text = subprocess.run(["clang++-14", "-E", "-C", *flags], cwd=directory,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=False).stdout
    # A clone elsewhere has the same verdict.
    text = text.replace(str(ROOT).encode(), b".")
    digest = hashlib.sha256()
    for part in (" ".join(extra).encode(), rules(name), name.encode(), text):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def check(name, compile_command, database, deadline, arguments):
    """(verdict, output, seconds); a verdict is clean, cached, bad or late."""
    start = time.monotonic()
    if start > deadline:
        return "late", "", 0
    stamp = CACHE / key(name, *compile_command, arguments)
    if stamp.exists():
        return "cached", "", time.monotonic() - start
    run = subprocess.run(
        ["clang-tidy-14", *arguments, "-p", database, ROOT / name],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        check=False)
    if run.returncode == 0:
        stamp.touch()
    return ("clean" if run.returncode == 0 else "bad", run.stdout,
            time.monotonic() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", type=pathlib.Path,
                        default=ROOT / "build/release")
    parser.add_argument("--changed", action="store_true")
    parser.add_argument("--deep", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=float("inf"))
    options = parser.parse_args()
    CACHE.mkdir(parents=True, exist_ok=True)
    files = sources(options.database, options.changed)
    deadline = time.monotonic() + options.seconds
    arguments = ARGUMENTS + (DEEP if options.deep else [])
    counts = dict.fromkeys(("clean", "cached", "bad", "late"), 0)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        work = {pool.submit(check, name, command, options.database, deadline,
                            arguments): name
                for name, command in files.items()}
        for done in concurrent.futures.as_completed(work):
            verdict, output, seconds = done.result()
            counts[verdict] += 1
            if verdict in ("clean", "bad"):
                print(f"[{sum(counts.values())}/{len(files)}] {verdict} "
                      f"{seconds:.1f} s {work[done]}", flush=True)
            if output:
                print(output, flush=True)
    print(f"clang-tidy: {len(files)} files, {counts['cached']} of them clean "
          f"before, {counts['bad']} with findings")
    if counts["late"]:
        print(f"clang-tidy: {counts['late']} files, those changed longest ago, "
              f"NOT checked within {options.seconds:g} s")
    return 1 if counts["bad"] else 0


if __name__ == "__main__":
    sys.exit(main())
