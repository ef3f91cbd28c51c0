# SPDX-License-Identifier: Apache-2.0
"""Reloads, readiness and the end of the real router."""

import os
import signal
import socket
import threading
import time
import unittest
import urllib.error
import urllib.request

import grpc
from certificates import replace
from harness import SERVICE, decide
from tls_case import TlsTest

CHECK = "/grpc.health.v1.Health/Check"
SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"


class LifecycleTest(TlsTest):
    def config(self, model, arm="a", more=""):
        return f"""
state: "memory:"
backends: {{m: {{address: "{model}"}}}}
experiments:
  - name: e
    match: {{service: inference.GRPCInferenceService}}
    arms: [{{name: {arm}, backend: m}}]
    policy: {{name: fixed_split}}
{more}
"""

    def full(self, config):
        return (
            "listen: 127.0.0.1:0\ncontrol: 127.0.0.1:0\nadmin: 127.0.0.1:0\n"
            + config
        )

    def arm(self, channel):
        return decide(channel)[0]["x-bandit-arm"]

    def reloads(self, router, result):
        return self.metric(router, "bandit_config_reloads_total", result=result)

    def ready(self, router):
        try:
            url = f"http://{router.admin}/readyz"
            with urllib.request.urlopen(url) as page:
                return page.status, page.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def health(self, router, request=b""):
        with router.channel(router.control) as control:
            return control.unary_unary(CHECK)(request, timeout=30)


class Reload(LifecycleTest):
    def test_a_changed_file_is_loaded(self):
        model = self.model()
        router = self.router(self.config(model.address))
        channel = self.channel(router)
        self.assertEqual(self.arm(channel), "a")
        began = self.metric(
            router, "bandit_config_last_reload_success_timestamp_seconds"
        )
        replace(router.config, self.full(self.config(model.address, "b")))
        self.eventually(lambda: self.arm(channel) == "b", router.logged())
        self.eventually(lambda: self.reloads(router, "ok") == 1)
        self.assertGreater(
            self.metric(
                router, "bandit_config_last_reload_success_timestamp_seconds"
            ),
            began,
        )

    def test_a_file_written_in_place_is_loaded(self):
        model = self.model()
        router = self.router(self.config(model.address))
        router.write(self.config(model.address, "b"))
        channel = self.channel(router)
        self.eventually(lambda: self.arm(channel) == "b", router.logged())

    def test_a_swapped_link_is_loaded(self):
        """As Kubernetes does it: `..data` is exchanged, the file stays."""
        model = self.model()
        for name, arm in (("one", "a"), ("two", "b")):
            os.mkdir(os.path.join(self.directory, name))
            replace(
                os.path.join(self.directory, name, "router.yaml"),
                self.full(self.config(model.address, arm)),
            )
        data = os.path.join(self.directory, "..data")
        os.symlink("one", data)
        os.symlink(
            "..data/router.yaml", os.path.join(self.directory, "router.yaml")
        )
        router = self.router(
            self.config(model.address), directory=self.directory
        )
        channel = self.channel(router)
        self.assertEqual(self.arm(channel), "a")
        os.symlink("two", data + "_tmp")
        os.rename(data + "_tmp", data)
        self.eventually(lambda: self.arm(channel) == "b", router.logged())

    def test_a_wrong_file_changes_nothing(self):
        model = self.model()
        router = self.router(self.config(model.address))
        channel = self.channel(router)
        replace(router.config, "backends: [\n")
        self.eventually(lambda: self.reloads(router, "failed") == 1)
        self.assertIn("the old config stays", router.logged())
        self.assertEqual(self.arm(channel), "a")
        # Mended, it is taken.
        replace(router.config, self.full(self.config(model.address, "b")))
        self.eventually(lambda: self.arm(channel) == "b", router.logged())

    def test_a_certificate_that_is_missing_changes_nothing(self):
        model = self.model()
        router = self.router(self.config(model.address))
        replace(
            router.config,
            self.full(
                self.config(
                    model.address, "b", "tls: {certificate: /no, key: /no}"
                )
            ),
        )
        self.eventually(lambda: self.reloads(router, "failed") == 1)
        self.assertEqual(self.arm(self.channel(router)), "a")

    def test_only_by_signal_if_the_config_says_so(self):
        model = self.model()
        off = "reload_on_change: false"
        router = self.router(self.config(model.address, more=off))
        channel = self.channel(router)
        replace(router.config, self.full(self.config(model.address, "b", off)))
        # It would be seen before a certificate that changes after it: none is
        # watched, so a reload by signal is what tells that time has passed.
        router.signal(signal.SIGHUP)
        self.eventually(lambda: self.arm(channel) == "b", router.logged())
        self.assertEqual(self.reloads(router, "ok"), 1)

    def test_tls_comes_and_goes_by_reload(self):
        server = self.ca.issue("server", "IP:127.0.0.1")
        model = self.model()
        router = self.router(self.config(model.address))
        before = self.channel(router)
        self.assertEqual(self.arm(before), "a")
        replace(
            router.config,
            self.full(
                self.config(model.address, "b", self.listen_tls(server))
            ),
        )
        self.eventually(lambda: self.arm(before) == "b", router.logged())
        # What was connected before goes on; what connects now speaks TLS.
        self.assertEqual(self.arm(self.secure_channel(router)), "b")

    def test_no_request_fails_under_reloads(self):
        model = self.model()
        router = self.router(self.config(model.address))
        stop = threading.Event()
        futures = []

        def load():
            call = self.channel(router).unary_unary(SERVICE + "Echo")
            due = time.monotonic()
            while not stop.is_set():
                futures.append(call.future(b"x", timeout=60))
                due += 0.001
                time.sleep(max(0, due - time.monotonic()))

        thread = threading.Thread(target=load)
        thread.start()
        try:
            for number in range(20):
                replace(
                    router.config,
                    self.full(self.config(model.address, f"arm{number % 2}")),
                )
                router.signal(signal.SIGHUP)
                self.eventually(
                    lambda n=number: self.reloads(router, "ok") > n
                )
        finally:
            stop.set()
            thread.join()
        for future in futures:
            self.assertEqual(future.result(), b"x")
        self.assertGreater(len(futures), 100)


class Readiness(LifecycleTest):
    def test_not_before_a_backend_was_reached(self):
        model = self.model()
        address = model.address
        model.server.stop(0).wait()
        router = self.router(self.config(address))
        self.assertEqual(
            self.ready(router),
            (503, "not ready: no backend of an experiment, nor "
             "default_backend, can be reached\n"),
        )
        self.assertEqual(self.health(router), NOT_SERVING)
        self.model(address=address)
        self.eventually(lambda: self.ready(router) == (200, "ready\n"))
        self.eventually(lambda: self.health(router) == SERVING)

    def test_not_while_draining(self):
        model = self.model()
        router = self.router(self.config(model.address))
        self.eventually(lambda: self.health(router) == SERVING)
        call = self.channel(router).unary_unary(SERVICE + "Block")
        future = call.future(b"x", timeout=60)
        model.started.wait(60)
        router.signal(signal.SIGTERM)
        self.eventually(
            lambda: self.ready(router) == (503, "not ready: draining\n")
        )
        self.assertEqual(self.health(router), NOT_SERVING)
        model.release.set()
        self.assertEqual(future.result(), b"x")
        self.assertEqual(router.process.wait(60), 0)


class Probes(LifecycleTest):
    def test_the_process_is_told_apart_from_its_backends(self):
        """What Kubernetes' probes ask: alive by `bandit.v1.Admin`, ready by
        the empty service; both without the control token."""
        router = self.router(
            self.config("127.0.0.1:1", more="control_token: " + "t" * 32))
        self.assertEqual(self.health(router), NOT_SERVING)
        admin = b"\x0a\x0fbandit.v1.Admin"
        self.assertEqual(self.health(router, admin), SERVING)


class ServiceManager(LifecycleTest):
    def told(self, address):
        """What systemd would hear of a router's life, in order."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.settimeout(60)
            manager.bind(address)
            name = address.replace("\0", "@", 1)
            router = self.router(
                self.config(self.model().address),
                environment={"NOTIFY_SOCKET": name},
            )
            heard = [manager.recv(100)]
            router.signal(signal.SIGHUP)
            heard += [manager.recv(100), manager.recv(100)]
            router.write("broken")
            router.signal(signal.SIGHUP)
            heard += [manager.recv(100), manager.recv(100)]
            router.signal(signal.SIGTERM)
            while heard[-1] != b"STOPPING=1":
                heard.append(manager.recv(100))
            self.assertEqual(router.stop(), 0)
            return heard

    def test_start_reload_and_end_are_told(self):
        """A reload that fails ends, too: who waits for it must not hang."""
        reload = [b"RELOADING=1", b"READY=1"]
        for address in (
            os.path.join(self.directory, "manager"),
            f"\0bandit-{os.getpid()}",
        ):
            heard = self.told(address)
            self.assertEqual(heard[:5], [b"READY=1"] + reload + reload)
            self.assertEqual(heard[-1], b"STOPPING=1")

    def test_nobody_listens(self):
        for name in ("", "relative", "/nowhere/socket", "@", "/" + "x" * 200):
            router = self.router(
                self.config(self.model().address),
                environment={"NOTIFY_SOCKET": name},
            )
            self.assertEqual(router.stop(), 0)


class End(LifecycleTest):
    def blocked(self, grace):
        model = self.model()
        router = self.router(self.config(model.address, more=grace))
        call = self.channel(router).unary_unary(SERVICE + "Block")
        future = call.future(b"x", timeout=60)
        model.started.wait(60)
        return router, future

    def test_grace_is_the_configs(self):
        router, future = self.blocked("grace: 0s")
        router.signal(signal.SIGTERM)
        with self.assertRaises(grpc.RpcError):
            future.result()
        self.assertEqual(router.process.wait(60), 0)
        self.assertIn("draining, at most 0", router.logged())

    def test_a_second_signal_ends_it_at_once(self):
        router, future = self.blocked("grace: 1h")
        router.signal(signal.SIGTERM)
        self.eventually(lambda: "draining, at most 1h" in router.logged())
        self.assertFalse(future.done())
        router.signal(signal.SIGTERM)
        with self.assertRaises(grpc.RpcError):
            future.result()
        self.assertEqual(router.process.wait(60), 0)
        self.assertIn("again: what is under way is cut off", router.logged())


if __name__ == "__main__":
    unittest.main()
