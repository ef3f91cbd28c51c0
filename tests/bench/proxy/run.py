#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The proxy benchmark: this router beside its peers, in one run.

All proxies stand in front of the same backend, one worker each, and get the
same load in turn; rounds are repeated with the order rotated, and a figure is
the median of its rounds. Progress goes to standard error, the tables to
standard output. Ends with 1 if a request failed through a proxy of the
project.
"""

import argparse
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import procfs
import proxies
import report

OPEN_CONNECTIONS = 4
# More bytes a second than this, each way, is no open loop but a flood.
OPEN_LIMIT = 200e6
OWN = ("direct", "relay", "bandit")


def parse_size(text):
    units = {"KiB": 1024, "MiB": 1 << 20, "B": 1}
    for unit, factor in units.items():
        if text.endswith(unit):
            return int(float(text[:-len(unit)]) * factor)
    return int(text)


def parse_shape(text):
    connections, streams = text.split("x")
    return int(connections), int(streams)


def listed(parse):
    return lambda text: [parse(item) for item in text.split(",")]


def arguments():
    parser = argparse.ArgumentParser(
        prog="./dev bench", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True,
                        help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true",
                        help="300 B only, two short rounds")
    parser.add_argument("--proxies", type=listed(str),
                        default=list(proxies.PROXIES),
                        help="of " + ",".join(proxies.PROXIES))
    parser.add_argument("--sizes", type=listed(parse_size),
                        help="message lengths (300B,16KiB,1MiB)")
    parser.add_argument("--shapes", type=listed(parse_shape),
                        default=[(1, 1), (4, 8), (8, 32)],
                        help="connections x streams (1x1,4x8,8x32)")
    parser.add_argument("--rates", type=listed(float), default=[1000, 10000],
                        help="open loop, requests a second (1000,10000); "
                        "0: none")
    parser.add_argument("--seconds", type=float, help="of each measurement")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--no-memory", action="store_true",
                        help="leave out the memory measurement")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE",
                        help="write every figure, the rounds included "
                        "(-: standard output, instead of the tables)")
    options = parser.parse_args()
    unknown = set(options.proxies) - set(proxies.PROXIES)
    if unknown:
        parser.error(f"unknown proxies: {', '.join(sorted(unknown))}")
    quick = options.quick
    options.sizes = options.sizes or ([300] if quick
                                      else [300, 16 << 10, 1 << 20])
    options.seconds = options.seconds or (0.8 if quick else 2.0)
    options.rounds = options.rounds or (2 if quick else 3)
    options.rates = [rate for rate in options.rates if rate > 0]
    options.build = options.build.resolve()
    return options


class Bench:
    def __init__(self, options, work, stack):
        self.options = options
        self.work = work
        self.stack = stack
        self.servers = {}  # Name -> Server; None for direct.
        self.skipped = {}
        self.memory = {}
        self.rows = []
        self.done = 0

    def say(self, text):
        print(f"bench: {text}", file=sys.stderr, flush=True)

    def start(self):
        build = self.options.build
        self.backend = proxies.start_backend(build, self.work)
        self.stack.callback(self.backend.stop)
        for name in self.options.proxies:
            start = proxies.PROXIES[name]
            try:
                server = start and start(build, self.work, self.backend.port)
            except proxies.Unavailable as reason:
                self.skipped[name] = str(reason)
                self.say(f"{name}: skipped: {reason}")
                continue
            if server:
                self.stack.callback(server.stop)
            self.servers[name] = server

    def load(self, name, *flags, seconds=None, while_running=None):
        """Runs the load through `name`; its JSON, CPU seconds added."""
        server = self.servers[name] or self.backend
        seconds = seconds or self.options.seconds
        if not server.alive():
            raise server.failure("has ended")
        cpu = procfs.cpu_seconds(server.pid)
        process = subprocess.Popen(
            [self.options.build / "proxy_bench" / "load", "--port",
             str(server.port), "--seconds", str(seconds), *map(str, flags)],
            stdout=subprocess.PIPE, preexec_fn=proxies._die_with_parent)
        deadline = time.monotonic() + seconds + 20
        try:
            while while_running and process.poll() is None:
                while_running(server)
                time.sleep(0.02)
            out, _ = process.communicate(
                timeout=max(1, deadline - time.monotonic()))
        finally:
            process.kill()
            process.wait()
        if process.returncode != 0:
            raise server.failure(f"refused the load: {process.returncode}")
        result = json.loads(out)
        result["cpu_seconds"] = procfs.cpu_seconds(server.pid) - cpu
        return result

    def measure_memory(self):
        """Idle, and while 1,000 requests are under way."""
        for name, server in self.servers.items():
            if server is None:
                continue
            idle = procfs.resident_mib(server.pid)
            seen = [idle]
            result = self.load(
                name, "--connections", 10, "--streams", 100, "--delay-ms", 800,
                seconds=0.8, while_running=lambda s, seen=seen: seen.append(
                    procfs.resident_mib(s.pid)))
            self.memory[name] = {"idle_mib": idle, "streams_1000_mib": max(seen),
                                 "errors": result["errors"]}
            self.say(f"{name}: {idle:.1f} MiB idle, {max(seen):.1f} MiB with "
                     "1,000 streams")

    def cells(self):
        """What is measured in each round: (mode, size, flags, label)."""
        for size in self.options.sizes:
            for connections, streams in self.options.shapes:
                yield ("closed", size, f"{connections}x{streams}",
                       ["--connections", connections, "--streams", streams])
            for rate in self.options.rates:
                if rate * size <= OPEN_LIMIT:
                    yield ("open", size, f"{rate:g}/s",
                           ["--connections", OPEN_CONNECTIONS, "--rate", rate])

    def run(self):
        cells = list(self.cells())
        names = list(self.servers)
        total = len(cells) * len(names) * self.options.rounds
        self.say(f"{total} measurements, about "
                 f"{total * (self.options.seconds + 0.3) / 60:.1f} minutes")
        for round_number in range(self.options.rounds):
            for mode, size, label, flags in cells:
                shift = round_number % len(names)
                for name in names[shift:] + names[:shift]:
                    self.measure(round_number, mode, size, label, name, flags)
                    self.say(f"[{self.done}/{total}] {self.line()}")
        for name, server in self.servers.items():
            if server:
                memory = self.memory.setdefault(name, {})
                # The kernel's high-water mark may lag by some pages.
                memory["peak_mib"] = max(
                    procfs.peak_resident_mib(server.pid),
                    memory.get("streams_1000_mib", 0))

    def measure(self, round_number, mode, size, label, name, flags):
        self.done += 1
        result = self.load(name, "--bytes", size, "--seed", round_number + 1,
                           *flags)
        cpu_us = result["cpu_seconds"] / max(1, result["requests"]) * 1e6
        self.rows.append({
            "round": round_number, "mode": mode, "bytes": size, "load": label,
            "proxy": name, "cpu_us": None if name == "direct" else cpu_us,
            "per_second": result["per_second"],
            "latency_us": result["latency_us"],
            "requests": result["requests"], "errors": result["errors"],
            "outcomes": result["outcomes"]})

    def line(self):
        row = self.rows[-1]
        cpu = "" if row["cpu_us"] is None else f"{row['cpu_us']:.1f} us CPU, "
        errors = f", {row['errors']} ERRORS" if row["errors"] else ""
        return (f"{row['proxy']} {report.size_name(row['bytes'])} "
                f"{row['load']}: {cpu}{row['per_second']:.0f}/s, "
                f"p50 {row['latency_us']['p50']:.0f} us, "
                f"p99 {row['latency_us']['p99']:.0f} us{errors}")


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with contextlib.ExitStack() as stack:
        work = pathlib.Path(stack.enter_context(
            tempfile.TemporaryDirectory(prefix="bandit-bench-")))
        bench = Bench(options, work, stack)
        bench.start()
        if not bench.servers:
            sys.exit("bench: no proxy could be started")
        if not options.no_memory:
            bench.measure_memory()
        bench.run()
    figures = {"machine": report.machine(), "options": {
        "seconds": options.seconds, "rounds": options.rounds},
        "skipped": bench.skipped, "memory": bench.memory, "rows": bench.rows}
    if options.json == pathlib.Path("-"):
        print(json.dumps(figures, indent=1))
    else:
        if options.json:
            options.json.write_text(json.dumps(figures, indent=1) + os.linesep)
        print(report.tables(figures))
    failed = [row for row in bench.rows
              if row["errors"] and row["proxy"] in OWN]
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    try:
        main()
    except proxies.Unavailable as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
