#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Where the router's CPU time goes: a sampled profile, summed by part.

Runs the router of the benchmark under `perf record` while the load passes
through it. What the kernel does is told apart by system call; sending includes
what loopback does for the receiver in the sender's time.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import procfs
import proxies

# The first that a symbol matches.
ROOMS = [
    ("router: HTTP/2 sessions", r"bandit::http2::|bandit::tls::"),
    ("router: draw, token, match", r"bandit::experiment::|bandit::policies::"),
    ("router: counting", r"bandit::learning::|bandit::stats::"),
    ("router: exchange, backends", r"bandit::proxy::|bandit::upstream::"),
    ("router: event loop (Asio)", r"asio::"),
]
LIBRARIES = [
    ("nghttp2: frames, HPACK, flow control", "libnghttp2"),
    ("libc: memory copies and compares", "libc.so"),
    ("mimalloc", "libmimalloc"),
    ("hashes and MAC", "libsodium|libxxhash"),
]
CALLS = [
    ("kernel: send", r"_sys_sendmsg"),
    ("kernel: receive", r"_sys_recv"),
    ("kernel: epoll", r"epoll"),
]


def part_of(frames):
    """Of a sample: its frames as (symbol, object), the innermost first."""
    symbol, where = frames[0]
    if "kernel" in where:
        for name, pattern in CALLS:
            if any(re.search(pattern, s) for s, _ in frames):
                return name
        return "kernel: the rest"
    for name, pattern in LIBRARIES:
        if re.search(pattern, where):
            return name
    if where.endswith("bandit-router"):
        for name, pattern in ROOMS:
            if re.search(pattern, symbol):
                return name
        return "router: the rest"
    return "other libraries"


def samples(data):
    """Yields the frames of each sample of a `perf.data`."""
    script = subprocess.run(
        ["perf", "script", "-i", data, "-F", "ip,sym,dso"],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True).stdout
    for block in script.split("\n\n"):
        frames = [match.groups() for match in re.finditer(
            r"^\s*[0-9a-f]+ (.*) \((.*)\)$", block, re.MULTILINE)]
        if frames:
            yield frames


def record(router, load, data, seconds):
    """CPU microseconds for each request while the profile was taken."""
    cpu = procfs.cpu_seconds(router.pid)
    with subprocess.Popen(
            ["perf", "record", "-q", "-o", data, "-e", "cpu-clock", "-F",
             "2500", "-g", "-p", str(router.pid), "--", "sleep",
             str(seconds + 2)], stderr=subprocess.PIPE) as perf:
        result = json.loads(subprocess.run(
            load, stdout=subprocess.PIPE, check=True,
            timeout=seconds + 20).stdout)
        used = procfs.cpu_seconds(router.pid) - cpu
        errors = perf.communicate(timeout=60)[1].decode()
    if perf.returncode != 0 or not data.exists():
        raise proxies.Unavailable(
            f"perf record failed (is sampling allowed here?): {errors}")
    if result["errors"]:
        raise SystemExit(f"bench: {result['errors']} requests failed")
    return used / result["requests"] * 1e6


def main():
    parser = argparse.ArgumentParser(
        prog="./dev bench profile", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True,
                        help=argparse.SUPPRESS)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--streams", type=int, default=8,
                        help="of each connection (8)")
    parser.add_argument("--bytes", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    proxies.tool("perf")
    build = options.build.resolve()
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        servers = []
        try:
            servers.append(proxies.start_backend(build, work))
            servers.append(proxies.start_bandit(build, work, servers[0].port))
            router = servers[1]
            cpu_us = record(router, [
                build / "proxy_bench" / "load", "--port", str(router.port),
                "--seconds", str(options.seconds), "--bytes",
                str(options.bytes), "--connections", str(options.connections),
                "--streams", str(options.streams)],
                work / "perf.data", options.seconds)
            parts = collections.Counter(
                part_of(frames) for frames in samples(work / "perf.data"))
        finally:
            for server in servers:
                server.stop()
    total = parts.total()
    print(f"{options.bytes} B, {options.connections}x{options.streams}: "
          f"{cpu_us:.2f} us CPU for each request, {total} samples\n")
    print("| part | share | us |\n|---|---:|---:|")
    for name, count in parts.most_common():
        share = count / total
        print(f"| {name} | {share:.1%} | {share * cpu_us:.2f} |")


if __name__ == "__main__":
    try:
        main()
    except proxies.Unavailable as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
