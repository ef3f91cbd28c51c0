#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The chaos run: the real router under a steady load while all goes wrong.

Two arms of two model servers each. By a seeded plan servers are killed and
started again, stalled, cut off, and replaced by ones that answer garbage;
never both arms at a time, so every request could be served by somebody. The
router's config is changed and loaded again each second. A load generator sends
requests in an open loop, a grpcio client sends requests and rewards.

Ends with 0 if no request failed, none hung, each acknowledged reward was
counted once, memory stayed flat, and the router ended when told, without a
sanitizer's report. A failure names the seed.
"""

import argparse
import contextlib
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "bench" / "proxy"))

import faults  # noqa: E402
import procfs  # noqa: E402
import proxies  # noqa: E402
from rewarding_client import RewardingClient  # noqa: E402

# A call may go through a stall, which only the try's own time limit ends.
DEADLINE_MS = 10_000
# What memory may grow by between the first third and the last.
GROWTH_MIB = 8

CONFIG = """\
listen: 127.0.0.1:0
control: 127.0.0.1:0
admin: 127.0.0.1:0
workers: {workers}
state: "{state}"
backends:
  a: {{address: ["127.0.0.1:{ports[0]}", "127.0.0.1:{ports[1]}"]{more}}}
  b: {{address: ["127.0.0.1:{ports[2]}", "127.0.0.1:{ports[3]}"]{more}}}
experiments:
  - name: chaos
    match: {{service: inference.GRPCInferenceService}}
    unit: {{metadata: x-user-id}}
    arms: [{{name: a, backend: a}}, {{name: b, backend: b}}]
    policy: {{name: thompson, floor: {floor}}}
    metrics: [{{name: click, kind: binary, window: 30m, default: 0}}]
{experiment}"""


def arguments():
    parser = argparse.ArgumentParser(
        prog="./dev chaos", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path, required=True,
                        help=argparse.SUPPRESS)
    parser.add_argument("--router", type=pathlib.Path, required=True,
                        help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--rate", type=float, default=3500,
                        help="requests a second (3500)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


class Chaos:
    def __init__(self, options, work, stack):
        self.options = options
        self.work = work
        self.models = []
        for name in ("a1", "a2", "b1", "b2"):
            model = faults.Model(options.programs, work, name)
            stack.callback(model.stop)
            self.models.append(model)
        self.plan = faults.Plan(options.seed, [self.models[:2],
                                               self.models[2:]])
        self.reloads = 0
        self.memory = []  # MiB, one a second.
        self.faults = {}
        self.config = work / "chaos.yaml"
        self.write_config()
        self.router = proxies.Server(
            "router", [options.router, "--config", self.config],
            work / "router.log")
        stack.callback(self.router.stop)
        ready = self.router.wait_for_line("bandit-router ready ")
        fields = dict(field.split("=", 1) for field in ready.split())
        self.port = int(fields["listen"].rpartition(":")[2])
        self.admin = fields["admin"]

    def say(self, text):
        print(f"chaos: {text}", file=sys.stderr, flush=True)

    def write_config(self):
        """Another config each time: floors, and now and then the backends."""
        n = self.reloads
        self.config.write_text(CONFIG.format(
            workers=self.options.workers,
            state=f"sqlite://{self.work}/state.db",
            ports=[model.port for model in self.models],
            floor=0.05 + 0.01 * (n % 5),
            more=f", connect_timeout: {2 + n // 3 % 3}s",
            experiment=EXPERIMENT))

    def reload(self):
        self.reloads += 1
        self.write_config()
        self.router.process.send_signal(signal.SIGHUP)

    def storm(self, load):
        """Faults and reloads until the load has ended."""
        start = time.monotonic()
        next_second, next_fault, mend = start + 1, start + 1, None
        end = start + self.options.seconds
        while load.poll() is None and time.monotonic() < end + 30:
            now = time.monotonic()
            if now >= next_second:
                next_second += 1
                self.reload()
                self.memory.append(procfs.resident_mib(self.router.pid))
                done = int(now - start)
                if done % 10 == 0:
                    self.say(f"{done} of {self.options.seconds:.0f} s, "
                             f"{sum(self.faults.values())} faults, "
                             f"{self.memory[-1]:.1f} MiB")
            if now >= next_fault:
                if mend is not None:
                    mend()
                    mend = None
                    next_fault = now + self.plan.pause()
                elif now < end - 3:
                    name, seconds, mend = self.plan.strike()
                    kind = name.split()[0]
                    self.faults[kind] = self.faults.get(kind, 0) + 1
                    next_fault = now + seconds
                else:
                    next_fault = end + 30
            if not self.router.alive():
                raise self.router.failure("has ended")
            time.sleep(0.01)
        if mend is not None:
            mend()

    def run(self):
        o = self.options
        load = subprocess.Popen(
            [o.programs / "proxy_bench" / "load", "--port", str(self.port),
             "--connections", "4", "--rate", str(o.rate), "--seconds",
             str(o.seconds), "--warmup", "0", "--seed", str(o.seed),
             "--deadline-ms", str(DEADLINE_MS), "--grace", "20"],
            stdout=subprocess.PIPE, preexec_fn=proxies._die_with_parent)
        client = RewardingClient(self.port, o.seed, 20, DEADLINE_MS / 1000)
        client.start()
        try:
            self.storm(load)
            out, _ = load.communicate(timeout=40)
        finally:
            load.kill()
            load.wait()
            client.finish()
        return json.loads(out), client

    def metric(self, name, **labels):
        with urllib.request.urlopen(f"http://{self.admin}/metrics") as page:
            text = page.read().decode()
        total = 0
        for line in text.splitlines():
            if re.match(rf"{name}[{{ ]", line) and all(
                    f'{key}="{value}"' in line
                    for key, value in labels.items()):
                total += float(line.rsplit(" ", 1)[1])
        return total

    def growth(self):
        """From the median of the second sixth to that of the last, in MiB."""
        sixth = max(1, len(self.memory) // 6)
        early = sorted(self.memory[sixth:2 * sixth] or self.memory)
        late = sorted(self.memory[-sixth:])
        return late[len(late) // 2] - early[len(early) // 2]

    def judge(self, load, client):
        """What is wrong, one line each."""
        wrong = []
        if load["errors"]:
            wrong.append(f"{load['errors']} of {load['requests']} requests "
                         f"failed: {load['outcomes']}")
            wrong += load["described"][:10]
        wrong += client.errors[:10]
        counted = self.metric("bandit_rewards_total", outcome="ACCEPTED")
        if counted != client.accepted:
            wrong.append(f"{client.accepted} rewards were acknowledged, "
                         f"{counted:.0f} counted")
        if len(self.memory) >= 60 and self.growth() > GROWTH_MIB:
            wrong.append(f"memory grew by {self.growth():.1f} MiB")
        self.router.process.send_signal(signal.SIGTERM)
        try:
            code = self.router.process.wait(30)
        except subprocess.TimeoutExpired:
            code = "none within 30 s"
        if code != 0:
            wrong.append(f"the router's exit code was {code}")
        log = (self.work / "router.log").read_text(errors="replace")
        if "Sanitizer" in log or "runtime error" in log:
            wrong.append(log[log.find("Sanitizer") - 200:][:4000])
        return wrong


# While an arm is down every request may have to go to the other one, so the
# budget must let all of them.
EXPERIMENT = """\
    retry:
      attempts: 4
      per_try_timeout: 500ms
      budget: 1
      min_retries: 1000
      fallback: true
"""


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with contextlib.ExitStack() as stack:
        work = pathlib.Path(stack.enter_context(
            tempfile.TemporaryDirectory(prefix="bandit-chaos-")))
        chaos = Chaos(options, work, stack)
        load, client = chaos.run()
        retries = chaos.metric("bandit_retries_total")
        result = {
            "seed": options.seed, "seconds": options.seconds,
            "requests": load["requests"], "errors": load["errors"],
            "latency_us": load["latency_us"], "retries": retries,
            "reloads": chaos.reloads, "faults": chaos.faults,
            "rewarded_requests": client.served,
            "rewards_accepted": client.accepted,
            "memory_mib": {"first": chaos.memory[0], "last": chaos.memory[-1],
                           "max": max(chaos.memory),
                           "growth": chaos.growth()},
            "wrong": chaos.judge(load, client)}
    if options.json:
        print(json.dumps(result, indent=1))
    else:
        report(result)
    sys.exit(1 if result["wrong"] else 0)


def report(result):
    memory = result["memory_mib"]
    print(f"seed {result['seed']}, {result['seconds']:.0f} s: "
          f"{result['requests']} requests, {result['errors']} failed, "
          f"{result['retries']:.0f} retries")
    print("faults: " + ", ".join(
        f"{count} x {kind}" for kind, count in sorted(
            result["faults"].items())) + f"; {result['reloads']} reloads")
    print(f"latency: p50 {result['latency_us']['p50'] / 1e3:.1f} ms, "
          f"p99 {result['latency_us']['p99'] / 1e3:.1f} ms, "
          f"max {result['latency_us']['max'] / 1e3:.0f} ms")
    print(f"rewards: {result['rewards_accepted']} acknowledged")
    print(f"resident memory: {memory['first']:.1f} MiB at first, "
          f"{memory['last']:.1f} at last, {memory['max']:.1f} at most, "
          f"grown by {memory['growth']:.1f}")
    for line in result["wrong"]:
        print(f"WRONG: {line}")
    print("chaos: " + ("FAILED" if result["wrong"] else "ok"))


if __name__ == "__main__":
    try:
        main()
    except proxies.Unavailable as error:
        sys.exit(f"chaos: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
