# SPDX-License-Identifier: Apache-2.0
"""When the learning side fails, inference goes on.

Each test breaks one thing under load, sees that it is said (metric, health, an
answer to the reward), mends it where it can be mended, and allows not one
failed request.
"""

import contextlib
import ctypes
import os
import platform
import resource
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import threading
import unittest
import urllib.request

import grpc

from harness import BINARY, RouterTest, record, reward
from steady_load import Load

CHECK = "/grpc.health.v1.Health/Check"
FEEDBACK = b"\x0a\x12bandit.v1.Feedback"
SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"
PTRACE_SEIZE, PTRACE_INTERRUPT = 0x4206, 0x4207
PTRACE_SYSCALL, PTRACE_DETACH = 24, 17
# fsync and fdatasync.
SYNC = {"x86_64": (74, 75), "aarch64": (82, 83)}.get(platform.machine(), ())
WAIT_ALL = 0x40000000  # __WALL
LIBC = ctypes.CDLL(None, use_errno=True)


class LearningFailure(RouterTest):
    def setUp(self):
        self.directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.directory, True)
        self.state = os.path.join(self.directory, "state")
        os.mkdir(self.state)

    def database(self):
        return os.path.join(self.state, "state.db")

    def start(self, more=""):
        model = self.model()
        self.proxy = self.router(f"""
state: "sqlite://{self.database()}"
learner: {{tick: 20ms, queue: 100}}
backends: {{m: {{address: "{model.address}"}}}}
experiments:
  - name: ranker
    match: {{service: inference.GRPCInferenceService}}
    arms: [{{name: a, backend: m}}, {{name: b, backend: m}}]
    policy: {{name: thompson}}
    metrics: [{{name: click, kind: binary}}]
{more}""")
        self.control = self.channel(self.proxy, self.proxy.control)
        self.load = Load(self.proxy)
        self.addCleanup(self.load.stop)
        self.load.await_calls(50)
        self.assertEqual(self.send_reward(), ["ACCEPTED"])

    def send_reward(self):
        """Its outcome, or the status that it was refused with."""
        try:
            return record(self.control, reward(self.load.decision(), 1))
        except grpc.RpcError as error:
            return error.code()

    def get(self, path):
        url = f"http://{self.proxy.admin}{path}"
        with urllib.request.urlopen(url, timeout=60) as page:
            return page.read().decode()

    def metric(self, name):
        for line in self.get("/metrics").splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        raise AssertionError(f"no {name}")

    def health(self):
        return self.control.unary_unary(CHECK)(FEEDBACK, timeout=60)

    def await_degraded(self, degraded):
        """The load is the clock: it goes on until the metric says so."""
        for _ in range(2000):
            self.load.await_calls(20)
            self.assertEqual(self.load.failures, [])
            if self.metric("bandit_learner_degraded") == degraded:
                return
        self.fail(self.proxy.logged())

    def see_rewards_refused(self):
        self.await_degraded(1)
        self.assertEqual(self.send_reward(), grpc.StatusCode.UNAVAILABLE)
        self.assertEqual(self.health(), NOT_SERVING)
        self.assertIn("degraded: ", self.proxy.logged())
        # Requests do not care, nor does readiness.
        self.load.await_calls(200)
        self.get("/readyz")

    def see_healed(self):
        self.await_degraded(0)
        self.assertEqual(self.send_reward(), ["ACCEPTED"])
        self.assertEqual(self.health(), SERVING)
        self.assertIn("healed: ", self.proxy.logged())
        self.end()

    def names(self):
        """The name of each thread of the router."""
        tasks = f"/proc/{self.proxy.process.pid}/task"
        names = {}
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/comm", encoding="utf-8") as file:
                names[int(task)] = file.read().strip()
        return names

    def freeze(self, task):
        if LIBC.ptrace(PTRACE_SEIZE, task, None, None) != 0:
            self.skipTest("needs the right to trace a child")
        LIBC.ptrace(PTRACE_INTERRUPT, task, None, None)
        os.waitpid(task, WAIT_ALL)

    def thaw(self, task):
        LIBC.ptrace(PTRACE_DETACH, task, None, None)

    def end(self):
        self.load.await_calls(50)
        self.assertEqual(self.load.stop(), [])
        self.assertEqual(self.proxy.stop(), 0)


class Store(LearningFailure):
    def test_a_state_directory_that_is_moved_away_and_back(self):
        self.start()
        os.rename(self.state, self.state + ".away")
        self.see_rewards_refused()
        self.assertIn("removed or replaced", self.proxy.logged())
        os.rename(self.state + ".away", self.state)
        self.see_healed()

    def test_a_state_directory_that_is_deleted(self):
        self.start()
        shutil.rmtree(self.state)
        self.see_rewards_refused()
        self.end()

    def test_a_file_that_may_not_grow(self):
        self.start()
        pid = self.proxy.process.pid
        size = os.path.getsize(self.database() + "-wal")
        self.assertGreater(size, os.path.getsize(self.proxy.log.name))
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, before[1]))
        self.see_rewards_refused()
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        self.see_healed()

    def test_a_full_disk(self):
        with self.small_disk():
            self.start()
            filler = os.path.join(self.state, "filler")
            with open(filler, "wb", buffering=0) as file:
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(4096))
            self.see_rewards_refused()
            self.assertIn("free space", self.proxy.logged())
            os.remove(filler)
            self.see_healed()

    @contextlib.contextmanager
    def small_disk(self):
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m", "none", self.state],
            capture_output=True, check=False,
        )
        if done.returncode != 0:
            self.skipTest("needs the right to mount")
        try:
            yield
        finally:
            if self.proxy.process.poll() is None:
                self.load.stop()
                self.proxy.stop()
            subprocess.run(["umount", self.state], check=True)

    def test_another_program_that_holds_the_lock(self):
        self.start()
        blocker = sqlite3.connect(self.database())
        self.addCleanup(blocker.close)
        blocker.execute("BEGIN IMMEDIATE")
        self.see_rewards_refused()
        self.assertIn("another program holds a lock", self.proxy.logged())
        blocker.rollback()
        self.see_healed()

    def test_a_damaged_state_at_the_start_is_named(self):
        with open(self.database(), "wb") as file:
            file.write(b"no database at all" * 1000)
        config = os.path.join(self.directory, "router.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(
                f"listen: 127.0.0.1:0\ncontrol: 127.0.0.1:0\n"
                f"admin: 127.0.0.1:0\nstate: sqlite://{self.database()}\n"
                "backends: {m: {address: '127.0.0.1:1'}}\n"
            )
        done = subprocess.run(
            [BINARY, "--config", config],
            capture_output=True, text=True, timeout=60, check=False,
        )
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(self.database(), done.stderr)
        self.assertIn("it is damaged or no SQLite database", done.stderr)
        self.assertNotIn("ready", done.stdout)
        # It is left for whoever wants to mend it.
        with open(self.database(), "rb") as file:
            self.assertTrue(file.read().startswith(b"no database at all"))


class StalledLearner(LearningFailure):
    @contextlib.contextmanager
    def frozen_in_sync(self, name):
        """Stops one thread as a disk does that hangs: where it syncs a file."""
        if not SYNC:
            self.skipTest("does not know this machine's system calls")
        (task,) = [t for t, n in self.names().items() if n == name]
        self.freeze(task)
        call = f"/proc/{self.proxy.process.pid}/task/{task}/syscall"
        while True:
            LIBC.ptrace(PTRACE_SYSCALL, task, None, None)
            os.waitpid(task, WAIT_ALL)
            with open(call, encoding="utf-8") as file:
                if int(file.read().split()[0]) in SYNC:
                    break
        try:
            yield task
        finally:
            self.thaw(task)

    def test_requests_go_on_and_the_queue_says_when_it_is_full(self):
        self.start()
        pending = []
        call = self.control.unary_unary("/bandit.v1.Feedback/Record")
        with self.frozen_in_sync("learner"):
            # More than learner.queue: the first wait, the rest are refused.
            for _ in range(150):
                self.load.await_calls(1)
                pending.append(
                    call.future(reward(self.load.decision(), 1), timeout=120)
                )
            refused = threading.Event()

            def note(future):
                if not future.cancelled() and future.exception():
                    refused.set()

            for future in pending:
                future.add_done_callback(note)
            self.assertTrue(refused.wait(60))
            # It says so after 5 seconds, by the clock of the router.
            self.await_degraded(1)
            status = self.control.unary_unary("/bandit.v1.Admin/GetStatus")(
                b"", timeout=60
            )
            self.assertIn(b"has not ended a tick", status)
            self.load.await_calls(200)
        answers = []
        for future in pending:
            if future.exception() is None:
                answers.append("OK")
            else:
                answers.append(future.code())
        # What was taken before the stall is answered after it; no more is lost
        # than was said.
        self.assertEqual(answers.count("OK"), 100)
        self.assertEqual(
            answers.count(grpc.StatusCode.RESOURCE_EXHAUSTED), 50
        )
        self.await_degraded(0)
        self.assertEqual(self.send_reward(), ["ACCEPTED"])
        self.end()


    def test_a_hanging_disk_does_not_hold_the_process(self):
        self.start("grace: 100ms\n")
        with self.frozen_in_sync("learner") as task:
            self.load.await_calls(50)
            self.assertEqual(self.load.stop(), [])
            self.proxy.process.terminate()
            os.waitpid(task, WAIT_ALL)  # It ends with the process.
        self.assertEqual(self.proxy.stop(), 3)
        self.assertIn("the learner did not end", self.proxy.logged())


class ControlPlane(LearningFailure):
    def test_a_control_port_that_is_flooded(self):
        self.start()
        host, port = self.proxy.control.rsplit(":", 1)
        idle = []
        for _ in range(500):
            idle.append(socket.create_connection((host, int(port)), 60))
        ended = threading.Event()
        asked = []

        def ask():
            with self.proxy.channel(self.proxy.control) as channel:
                call = channel.unary_unary("/bandit.v1.Admin/GetStatus")
                while not ended.is_set():
                    with contextlib.suppress(grpc.RpcError):
                        call(b"", timeout=60)
                    asked.append(1)

        def shout():
            """What is no gRPC at all."""
            while not ended.is_set():
                with contextlib.suppress(OSError):
                    with socket.create_connection((host, int(port)), 60) as s:
                        s.sendall(b"GET / HTTP/1.1\r\n\r\n" * 1000)

        threads = [threading.Thread(target=t) for t in [ask] * 6 + [shout] * 2]
        for thread in threads:
            thread.start()
        try:
            self.load.await_calls(1000)
        finally:
            ended.set()
            for thread in threads:
                thread.join()
            for connection in idle:
                connection.close()
        self.assertGreater(len(asked), 0)
        self.assertEqual(self.send_reward(), ["ACCEPTED"])
        self.end()

    def test_a_control_plane_that_hangs(self):
        """Its threads stand still; those of the data plane do not."""
        self.start()
        frozen = [
            task for task, name in self.names().items()
            if name not in ("worker", "learner")
            and task != self.proxy.process.pid
        ]
        for task in frozen:
            self.freeze(task)
        self.assertGreater(len(frozen), 2)
        with self.assertRaises(grpc.RpcError) as refused:
            record(self.control, reward(self.load.decision(), 1), timeout=1)
        self.assertEqual(
            refused.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED
        )
        self.load.await_calls(500)
        for task in frozen:
            self.thaw(task)
        self.assertEqual(self.send_reward(), ["ACCEPTED"])
        self.end()


if __name__ == "__main__":
    unittest.main()
