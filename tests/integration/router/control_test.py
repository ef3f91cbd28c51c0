# SPDX-License-Identifier: Apache-2.0
"""Who is let in to the control services: tokens, TLS and certificates."""

import os
import socket
import ssl
import subprocess
import unittest

import grpc
from certificates import Authority, read, replace
from harness import decide, record, reward
from tls_case import TlsTest

BANDITCTL = os.environ["BANDITCTL"]
TOKEN = "correct-horse-battery-staple"
STATUS = "/bandit.v1.Admin/GetStatus"
CHECK = "/grpc.health.v1.Health/Check"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


class ControlTest(TlsTest):
    def start(self, more):
        model = self.model()
        return self.router(
            f"""
state: "memory:"
backends: {{m: {{address: "{model.address}"}}}}
experiments:
  - name: e
    match: {{service: inference.GRPCInferenceService}}
    arms: [{{name: only, backend: m}}]
    policy: {{name: thompson}}
    metrics: [{{name: click, kind: binary}}]
{more}
"""
        )

    def status(self, channel, token=None, key="Bearer "):
        metadata = [("authorization", key + token)] if token else []
        return channel.unary_unary(STATUS)(b"", metadata=metadata, timeout=30)

    def refused(self, call, code):
        with self.assertRaises(grpc.RpcError) as raised:
            call()
        self.assertEqual(raised.exception.code(), code)
        return raised.exception.details()

    def reflect(self, channel, token=None):
        metadata = [("authorization", "Bearer " + token)] if token else []
        call = channel.stream_stream(REFLECTION)
        return next(call(iter([b"\x3a\x00"]), metadata=metadata, timeout=30))

    def banditctl(self, router, *arguments, **environment):
        return subprocess.run(
            [BANDITCTL, "status", "--address", router.control, *arguments],
            capture_output=True, text=True, timeout=60,
            env={**os.environ, **environment},
        )


class Token(ControlTest):
    def test_admin_asks_for_it_at_both_ports(self):
        router = self.start(f"control_token: {TOKEN}")
        for address in (router.control, router.listen):
            with self.subTest(address):
                channel = self.channel(router, address)
                self.assertIn(b"e", self.status(channel, TOKEN))
                self.assertIn(b"e", self.status(channel, TOKEN, "bearer "))
                for wrong, key in (
                    (None, ""),
                    (TOKEN, "Basic "),
                    (TOKEN[:-1], "Bearer "),
                    (TOKEN + "x", "Bearer "),
                    ("x", "Bearer "),
                ):
                    details = self.refused(
                        lambda w=wrong, k=key: self.status(channel, w, k),
                        grpc.StatusCode.UNAUTHENTICATED,
                    )
                    self.assertIn("control_token", details)
                    self.assertNotIn(TOKEN, details)

    def test_reflection_asks_for_it(self):
        router = self.start(f"control_token: {TOKEN}")
        control = self.channel(router, router.control)
        self.assertIn(b"bandit.v1.Admin", self.reflect(control, TOKEN))
        self.refused(
            lambda: self.reflect(control), grpc.StatusCode.UNAUTHENTICATED
        )

    def test_rewards_and_health_do_not(self):
        router = self.start(f"control_token: {TOKEN}")
        headers, _ = decide(self.channel(router))
        for address in (router.control, router.listen):
            channel = self.channel(router, address)
            answer = record(channel, reward(headers["x-bandit-decision"], 1))
            self.assertIn(answer[0], ("ACCEPTED", "DUPLICATE"))
        control = self.channel(router, router.control)
        control.unary_unary(CHECK)(b"", timeout=30)

    def test_it_is_never_shown(self):
        router = self.start(f"control_token: {TOKEN}")
        self.status(self.channel(router, router.control), TOKEN)
        config = read(router.config).decode()
        replace(router.config, config.replace(TOKEN, TOKEN + "2"))
        self.eventually(
            lambda: "control_token was changed; it takes effect after a "
            "restart" in router.logged()
        )
        self.assertNotIn(TOKEN, router.logged())
        # The one that it was started with still holds.
        self.status(self.channel(router, router.control), TOKEN)

    def test_banditctl_brings_it(self):
        router = self.start(f"control_token: {TOKEN}")
        self.assertEqual(self.banditctl(router, "--token", TOKEN).returncode, 0)
        run = self.banditctl(router, BANDIT_CONTROL_TOKEN=TOKEN)
        self.assertEqual(run.returncode, 0, run)
        run = self.banditctl(router)
        self.assertEqual(run.returncode, 5, run)
        self.assertIn("BANDIT_CONTROL_TOKEN", run.stderr)


class ControlTls(ControlTest):
    def tls(self, more="", *names):
        self.server = self.ca.issue(
            "control", "IP:127.0.0.1", "DNS:control.test"
        )
        return (
            f"control_tls: {{certificate: {self.server.certificate}, "
            f"key: {self.server.key}{more}}}\n"
        )

    def test_serves_over_tls(self):
        router = self.start(self.tls())
        self.status(self.secure_channel(router, router.control))
        with self.assertRaises(grpc.RpcError):
            self.status(self.channel(router, router.control))
        # Nothing was asked of callers, so nothing is at `listen`.
        self.status(self.channel(router))
        run = self.banditctl(router, "--tls-ca", self.ca.certificate)
        self.assertEqual(run.returncode, 0, run)
        run = self.banditctl(
            router, "--tls-ca", self.ca.certificate,
            "--tls-name", "control.test",
        )
        self.assertEqual(run.returncode, 0, run)
        run = self.banditctl(router, "--tls-ca", "/nowhere.pem")
        self.assertEqual(run.returncode, 2, run)
        self.assertIn("--tls-ca /nowhere.pem cannot be read", run.stderr)

    def test_min_version(self):
        for minimum, speaks in (("1.2", True), ("1.3", False)):
            router = self.start(self.tls(f", min_version: {minimum}"))
            self.status(self.secure_channel(router, router.control))
            context = ssl.create_default_context(cafile=self.ca.certificate)
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_alpn_protocols(["h2"])
            host, port = router.control.rsplit(":", 1)
            with socket.create_connection((host, int(port)), 30) as raw:
                if speaks:
                    context.wrap_socket(raw, server_hostname=host).close()
                else:
                    with self.assertRaises((ssl.SSLError, OSError)):
                        context.wrap_socket(raw, server_hostname=host)

    def test_client_certificates(self):
        client = self.ca.issue(
            "client", "DNS:ops.test", "URI:spiffe://test/ops"
        )
        nobody = Authority(self.directory, "other").issue("n", "DNS:ops.test")
        for names, serves in (
            ("", True),
            (", client_names: [ops.test]", True),
            (', client_names: ["*.test"]', True),
            (', client_names: ["spiffe://test/ops"]', True),
            (', client_names: ["dev.test", "*.ops.test"]', False),
        ):
            with self.subTest(names):
                router = self.start(
                    self.tls(f", client_ca: {self.ca.certificate}{names}")
                )
                channel = self.secure_channel(
                    router, router.control, client=client
                )
                if serves:
                    self.status(channel)
                else:
                    self.assertIn(
                        "control_tls.client_names",
                        self.refused(
                            lambda: self.status(channel),
                            grpc.StatusCode.PERMISSION_DENIED,
                        ),
                    )
                for stranger in (None, nobody):
                    with self.assertRaises(grpc.RpcError):
                        self.status(
                            self.secure_channel(
                                router, router.control, client=stranger
                            )
                        )

    def test_without_a_token_listen_does_not_lead_around_certificates(self):
        client = self.ca.issue("client", "DNS:ops.test")
        tls = self.tls(f", client_ca: {self.ca.certificate}")
        router = self.start(tls)
        details = self.refused(
            lambda: self.status(self.channel(router)),
            grpc.StatusCode.PERMISSION_DENIED,
        )
        self.assertIn("control_token", details)
        headers, _ = decide(self.channel(router))
        one = reward(headers["x-bandit-decision"], 1)
        self.assertEqual(record(self.channel(router), one), ["ACCEPTED"])
        router = self.start(tls + f"control_token: {TOKEN}")
        self.status(self.channel(router), TOKEN)
        control = self.secure_channel(router, router.control, client=client)
        self.refused(
            lambda: self.status(control), grpc.StatusCode.UNAUTHENTICATED
        )
        self.status(control, TOKEN)
        run = self.banditctl(
            router, "--tls-ca", self.ca.certificate,
            "--tls-cert", client.certificate, "--tls-key", client.key,
            "--token", TOKEN,
        )
        self.assertEqual(run.returncode, 0, run)

    def test_certificates_are_read_again(self):
        router = self.start(self.tls())
        self.status(self.secure_channel(router, router.control))
        other = Authority(self.directory, "other")
        fresh = other.issue("fresh", "IP:127.0.0.1")
        replace(self.server.key, fresh.key_pem.decode())
        replace(self.server.certificate, fresh.pem.decode())

        def served():
            try:
                self.status(
                    self.secure_channel(router, router.control, ca=other)
                )
                return True
            except grpc.RpcError:
                return False

        self.eventually(served, router.logged())
        self.assertGreater(
            self.metric(
                router, "bandit_tls_certificate_expiry_seconds",
                name="control",
            ),
            86400,
        )


if __name__ == "__main__":
    unittest.main()
