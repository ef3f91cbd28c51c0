# SPDX-License-Identifier: Apache-2.0
"""Clean Debian roots, and programs run in them: what a container would be,
where there is no container engine. Needs root, debootstrap and unshare.
"""

import os
import pathlib
import shutil
import subprocess
import sys

SUITE = "bookworm"
MIRROR = "http://deb.debian.org/debian"
SOURCES = f"""\
deb {MIRROR} {SUITE} main
deb {MIRROR} {SUITE}-updates main
deb {MIRROR}-security {SUITE}-security main
"""
# As debian:12-slim has it: no manuals, no translations.
SLIM = """\
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/locale/*
# These roots are thrown away.
force-unsafe-io
"""
APT = """\
APT::Install-Recommends "false";
Dir::Cache::Archives "/apt-cache/";
"""
# What a container's mounts are to its programs. $1: the root. The rest: what
# else to mount, `host=inside`, then `--`, then the program.
INSIDE = r"""
set -e
root=$1; shift
# Devices of its own: a program that runs as root and writes to /dev/null by
# another name than it thinks must not take away the machine's.
devices() {
  mount -t proc proc "$root/proc"
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  mknod -m 666 "$root/dev/null" c 1 3
  mknod -m 666 "$root/dev/zero" c 1 5
  mknod -m 666 "$root/dev/full" c 1 7
  mknod -m 666 "$root/dev/random" c 1 8
  mknod -m 666 "$root/dev/urandom" c 1 9
  ln -s /proc/self/fd "$root/dev/fd"
  mkdir -m 1777 "$root/dev/shm"
}
if [ "$READ_ONLY" = 1 ]; then
  mount --bind "$root" "$root"
  mount -o remount,bind,ro "$root"
  mount -t tmpfs -o mode=1777 tmpfs "$root/var/lib/bandit-router"
fi
devices
while [ "$1" != -- ]; do
  mount --bind "${1%%=*}" "$root/${1#*=}"
  shift
done
shift
exec chroot "$@"
"""


class Failed(Exception):
    """A program in a root failed; the message has its last lines."""


class Root:
    """A folder with a Debian in it."""

    def __init__(self, path, mounts=()):
        self.path = pathlib.Path(path).resolve()
        self.mounts = list(mounts)  # `host=inside`.

    def command(self, words, user=None, where="/", environment=None,
                read_only=False):
        """The words for subprocess that run these inside. `user`: numbers
        uid:gid. The environment is a clean one and what is given."""
        variables = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
                     "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8",
                     **(environment or {})}
        chroot = ["--userspec", user] if user else []
        return [
            "unshare", "--mount", "--pid", "--fork", "--kill-child", "--",
            "env", f"READ_ONLY={int(read_only)}",
            "sh", "-c", INSIDE, "inside", str(self.path), *self.mounts, "--",
            *chroot, str(self.path), "/usr/bin/env", "-i", "-C", where,
            *(f"{k}={v}" for k, v in variables.items()), *map(str, words)]

    def run(self, words, log=None, seconds=3600, **options):
        """Runs it; what it says goes to `log`, a file, too. Fails with
        Failed."""
        done = subprocess.run(
            self.command(words, **options), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=seconds, check=False,
            errors="replace")
        if log:
            with open(log, "a", encoding="utf-8") as file:
                file.write(f"$ {' '.join(map(str, words))}\n{done.stdout}\n")
        if done.returncode != 0:
            last = "\n".join(done.stdout.strip().splitlines()[-15:])
            raise Failed(f"{' '.join(map(str, words))[:120]}: exit code "
                         f"{done.returncode}\n{last}")
        return done.stdout

    def fails(self, words, **options):
        """Whether it ends with another code than 0."""
        try:
            self.run(words, **options)
        except Failed:
            return True
        return False

    def install(self, *packages, **options):
        self.run(["apt-get", "update", "-q"], **options)
        self.run(["apt-get", "install", "-q", "-y", *packages], **options)

    def inside(self, path):
        """The path, seen from outside."""
        return self.path / str(path).lstrip("/")


class Roots:
    """Makes roots below one cache folder."""

    def __init__(self, cache):
        if os.geteuid() != 0:
            raise Failed("clean Debian roots need root; run this with sudo")
        self.cache = pathlib.Path(cache).resolve()
        self.cache.mkdir(parents=True, exist_ok=True)

    def base(self):
        """A fresh debootstrap, made once."""
        path = self.cache / "debian"
        stamp = path / "etc" / "bandit-root"
        if not stamp.exists():
            say(f"debootstrap {SUITE}")
            shutil.rmtree(path, ignore_errors=True)
            subprocess.run(
                ["debootstrap", "--variant=minbase", SUITE, path, MIRROR],
                check=True, stdout=subprocess.DEVNULL)
            dress(path)
            stamp.write_text("complete\n")
        return path

    def fresh(self, name, mounts=()):
        """A copy of the base."""
        base = self.base()
        path = self.cache / name
        if path.exists():
            subprocess.run(["rm", "-rf", "--one-file-system", path], check=True)
        subprocess.run(["cp", "-a", "--reflink=auto", base, path], check=True)
        archives = self.cache / "apt"
        archives.mkdir(exist_ok=True)
        (archives / "partial").mkdir(exist_ok=True)
        (path / "apt-cache").mkdir()
        for file in ("/etc/resolv.conf", "/etc/hosts"):
            shutil.copy(file, path / file.lstrip("/"))
        for mount in mounts:
            (path / mount.partition("=/")[2]).mkdir(parents=True, exist_ok=True)
        return Root(path, [f"{archives}=/apt-cache", *mounts])


def dress(path):
    """What debian:12-slim has beside a minimal debootstrap."""
    (path / "etc/apt/sources.list").write_text(SOURCES)
    (path / "etc/apt/apt.conf.d/bandit").write_text(APT)
    (path / "etc/dpkg/dpkg.cfg.d/slim").write_text(SLIM)
    # No service is started by an installation.
    policy = path / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    for folder in ("doc", "man", "locale"):
        shutil.rmtree(path / "usr/share" / folder)
        (path / "usr/share" / folder).mkdir()


def megabytes(path):
    done = subprocess.run(["du", "-sxm", path], capture_output=True, text=True,
                          check=True)
    return int(done.stdout.split()[0])


def say(text):
    print(f"-- {text}", file=sys.stderr, flush=True)
