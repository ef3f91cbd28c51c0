# SPDX-License-Identifier: Apache-2.0
"""Model servers that go wrong, and the plan by which they do."""

import pathlib
import random
import signal
import sys

import proxies

HERE = pathlib.Path(__file__).resolve().parent
KINDS = ("kill", "stall", "cut", "garbage")


class Model:
    """The benchmark's backend on a port that it keeps through its troubles."""

    def __init__(self, build, work, name):
        self.build, self.work, self.name = build, work, name
        self.server = proxies.start_backend(build, work)
        self.port = self.server.port

    def kill(self):
        self.server.process.kill()
        self.server.stop()

    def revive(self):
        self.server = proxies.start_backend(self.build, self.work, "--port",
                                            str(self.port))

    def stall(self):
        self.server.process.send_signal(signal.SIGSTOP)

    def wake(self):
        self.server.process.send_signal(signal.SIGCONT)

    def cut(self):
        self.server.process.send_signal(signal.SIGUSR1)

    def speak_garbage(self, seed):
        self.kill()
        self.server = proxies.Server(
            "garbage", [sys.executable, "-B", HERE / "garbage.py",
                        str(self.port), str(seed)],
            self.work / "garbage.log")
        self.server.wait_for_line("ready")

    def stop(self):
        if self.server.alive():
            self.server.process.send_signal(signal.SIGCONT)
        self.server.stop()


class Plan:
    """What goes wrong next, fixed by the seed.

    A fault strikes one model or all of one arm; the other arm is well at that
    time, so a request can always be served by somebody.
    """

    def __init__(self, seed, arms):
        self.rng = random.Random(seed)
        self.arms = arms  # Lists of models.

    def strike(self):
        """Begins a fault: its name, how long it lasts, and how it is mended."""
        rng = self.rng
        arm = rng.choice(self.arms)
        struck = list(arm) if rng.random() < 0.5 else [rng.choice(arm)]
        kind = rng.choice(KINDS)
        for model in struck:
            if kind == "kill":
                model.kill()
            elif kind == "stall":
                model.stall()
            elif kind == "cut":
                model.cut()
            else:
                model.speak_garbage(rng.randrange(1 << 30))
        name = f"{kind} {' '.join(model.name for model in struck)}"
        seconds = 0.05 if kind == "cut" else rng.uniform(0.3, 2.5)
        return name, seconds, lambda: self.mend(kind, struck)

    @staticmethod
    def mend(kind, struck):
        for model in struck:
            if kind == "kill":
                model.revive()
            elif kind == "stall":
                model.wake()
            elif kind == "garbage":
                model.kill()
                model.revive()

    def pause(self):
        """Seconds of peace before the next fault."""
        return self.rng.uniform(0.2, 1.5)
