#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two workers beside one: throughput, and CPU for each request.

Load and backend need CPUs, too: on a machine with few of them they, not the
router, would be what is measured. So each worker thread may use only a part of
a CPU (a cgroup's quota), small enough that the rest of the machine is idle
enough for load and backend; the workers still run side by side, and whatever
they would share (a lock, a cache line) they would share here. Without a quota
(`--quota 0`, or no right to make cgroups) the figures stand as they are.
Rounds alternate; a figure is the median of its rounds.
"""

import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import procfs
import proxies

PERIOD_US = 10_000
CPU_CONTROLLER = pathlib.Path("/sys/fs/cgroup/cpu")


class Quota:
    """Cgroups that hold one thread each to a part of a CPU."""

    def __init__(self, share):
        self.share = share
        self.groups = []

    def hold(self, thread):
        group = CPU_CONTROLLER / f"bandit-bench-{os.getpid()}-{thread}"
        group.mkdir()
        self.groups.append(group)
        (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (group / "cpu.cfs_quota_us").write_text(
            str(int(PERIOD_US * self.share)))
        (group / "tasks").write_text(str(thread))

    def free(self):
        """REQUIRES: the threads have ended."""
        for group in self.groups:
            group.rmdir()


def worker_threads(server, workers):
    """Their ids; those of the workers' resolvers, which idle, are among them."""
    tasks = pathlib.Path(f"/proc/{server.pid}/task")
    deadline = time.monotonic() + proxies.START_SECONDS
    while time.monotonic() < deadline:
        found = [int(task.name) for task in tasks.iterdir()
                 if (task / "comm").read_text().strip() == "worker"]
        # A thread has its name a moment after its start.
        if len(found) >= workers:
            return found
        time.sleep(0.02)
    raise server.failure(f"has {len(found)} workers, not {workers}")


def start(build, work, backend, workers):
    config = work / f"workers{workers}.yaml"
    config.write_text(proxies.BANDIT.format(backend=backend).replace(
        "workers: 1", f"workers: {workers}"))
    server = proxies.Server(f"workers-{workers}", [
        build / "bandit-router", "--config", config],
        work / f"workers{workers}.log")
    fields = dict(field.split("=", 1) for field in
                  server.wait_for_line("bandit-router ready ").split())
    server.port = int(fields["listen"].rpartition(":")[2])
    return server


def measure(build, server, options, seed):
    """Requests a second, and CPU microseconds for each."""
    cpu = procfs.cpu_seconds(server.pid)
    out = subprocess.run(
        [build / "proxy_bench" / "load", "--port", str(server.port),
         "--seconds", str(options.seconds), "--bytes", "300", "--seed",
         str(seed), "--connections", str(options.connections), "--streams",
         str(options.streams)], stdout=subprocess.PIPE, check=True,
        timeout=options.seconds + 20).stdout
    result = json.loads(out)
    if result["errors"]:
        raise SystemExit(f"bench: {result['errors']} requests failed: "
                         f"{result['outcomes']}")
    used = procfs.cpu_seconds(server.pid) - cpu
    return result["per_second"], used / result["requests"] * 1e6


def arguments():
    parser = argparse.ArgumentParser(
        prog="./dev bench workers", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True,
                        help=argparse.SUPPRESS)
    parser.add_argument("--quota", type=float, default=0.2,
                        help="CPUs that each worker may use (0.2); 0: no bound")
    parser.add_argument("--connections", type=int, default=64,
                        help="the kernel spreads them over the workers (64)")
    parser.add_argument("--streams", type=int, default=8,
                        help="of each connection (8)")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def main():
    options = arguments()
    build = options.build.resolve()
    if options.quota and not os.access(CPU_CONTROLLER / "tasks", os.W_OK):
        print(f"bench: no right to make groups in {CPU_CONTROLLER}; no quota",
              file=sys.stderr)
        options.quota = 0
    with contextlib.ExitStack() as stack:
        work = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        backend = proxies.start_backend(build, work)
        quota = Quota(options.quota)
        stack.callback(quota.free)
        stack.callback(backend.stop)
        servers = []
        for workers in (1, 2):
            server = start(build, work, backend.port, workers)
            stack.callback(server.stop)
            servers.append(server)
            if options.quota:
                for thread in worker_threads(server, workers):
                    quota.hold(thread)
        rounds = [[measure(build, server, options, seed) for server in servers]
                  for seed in range(1, options.rounds + 1)]
    bound = (f"each worker held to {options.quota:g} CPUs" if options.quota
             else "no quota")
    print(f"{os.cpu_count()} CPUs, {bound}; {options.connections} connections "
          f"x {options.streams}, {options.rounds} rounds of "
          f"{options.seconds:g} s, medians")
    print("| workers | requests/s | CPU us/request |\n|---|---|---|")
    for index, workers in enumerate((1, 2)):
        per_second, cpu = (statistics.median(r[index][k] for r in rounds)
                           for k in (0, 1))
        print(f"| {workers} | {per_second:,.0f} | {cpu:.2f} |")
    gain, cost = (statistics.median(two[k] / one[k] for one, two in rounds)
                  for k in (0, 1))
    print(f"two / one: {gain:.2f} requests/s, {cost:.2f} CPU for each")


if __name__ == "__main__":
    try:
        main()
    except proxies.Unavailable as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
