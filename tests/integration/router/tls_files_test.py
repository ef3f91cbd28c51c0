# SPDX-License-Identifier: Apache-2.0
"""Certificates that change while they are in use, and those that are wrong."""

import os
import shutil
import socket
import ssl
import subprocess
import threading
import unittest

import grpc
from certificates import Authority, replace
from harness import BINARY
from tls_case import TlsTest


class Rotation(TlsTest):
    def test_no_call_fails_while_certificates_change(self):
        server = self.ca.issue("server", "IP:127.0.0.1")
        model = self.model()
        router = self.router(
            self.backend(
                f'{{address: "{model.address}"}}', self.listen_tls(server)
            )
        )
        stop = threading.Event()
        failures = []
        calls = [0]

        def call_on(fresh):
            channel = self.secure_channel(router)
            while not stop.is_set():
                try:
                    self.echo(channel)
                    calls[0] += 1
                except grpc.RpcError as error:
                    failures.append(error.details())
                if fresh:
                    channel.close()
                    channel = self.secure_channel(router)

        threads = [
            threading.Thread(target=call_on, args=(fresh,))
            for fresh in (False, True)
        ]
        for thread in threads:
            thread.start()
        try:
            for number in range(1, 4):
                fresh = self.ca.issue(f"fresh{number}", "IP:127.0.0.1")
                replace(server.key, fresh.key_pem.decode())
                replace(server.certificate, fresh.pem.decode())
                self.eventually(
                    lambda n=number: self.metric(
                        router, "bandit_tls_reloads_total", result="ok"
                    ) == n,
                    router.logged(),
                )
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(failures, [])
        self.assertGreater(calls[0], 10)
        self.assertEqual(self.served_serial(router), 4)

    def served_serial(self, router):
        host, port = router.listen.rsplit(":", 1)
        context = ssl.create_default_context(cafile=self.ca.certificate)
        context.set_alpn_protocols(["h2"])
        with socket.create_connection((host, int(port)), 30) as raw:
            with context.wrap_socket(raw, server_hostname=host) as peer:
                return int(peer.getpeercert()["serialNumber"], 16)

    def test_a_broken_file_changes_nothing(self):
        server = self.ca.issue("server", "IP:127.0.0.1")
        model = self.model()
        router = self.router(
            self.backend(
                f'{{address: "{model.address}"}}', self.listen_tls(server)
            )
        )
        replace(server.certificate, "no certificate\n")
        self.eventually(
            lambda: self.metric(
                router, "bandit_tls_reloads_total", result="failed"
            ) == 1
        )
        self.assertIn("holds no certificate", router.logged())
        self.assertEqual(self.served_serial(router), 1)
        left = self.metric(
            router, "bandit_tls_certificate_expiry_seconds", name="listen"
        )
        self.assertAlmostEqual(left / 86400, 30, delta=1)

    def test_a_swapped_link_is_seen(self):
        """As Kubernetes does it: the file is a link through `..data`."""
        server = self.ca.issue("server", "IP:127.0.0.1")
        fresh = self.ca.issue("fresh", "IP:127.0.0.1")
        for name, identity in (("one", server), ("two", fresh)):
            os.mkdir(os.path.join(self.directory, name))
            shutil.copy(
                identity.certificate,
                os.path.join(self.directory, name, "tls.crt"),
            )
            shutil.copy(
                identity.key, os.path.join(self.directory, name, "tls.key")
            )
        data = os.path.join(self.directory, "..data")
        os.symlink("one", data)
        for name in ("tls.crt", "tls.key"):
            os.symlink(
                os.path.join("..data", name),
                os.path.join(self.directory, name),
            )
        model = self.model()
        router = self.router(
            self.backend(
                f'{{address: "{model.address}"}}',
                f"tls: {{certificate: {self.directory}/tls.crt, "
                f"key: {self.directory}/tls.key}}",
            )
        )
        os.symlink("two", data + "_tmp")
        os.rename(data + "_tmp", data)
        self.eventually(lambda: self.served_serial(router) == 2)

    def test_backends_take_new_authorities(self):
        other = Authority(self.directory, "other")
        trusted = os.path.join(self.directory, "trusted.pem")
        shutil.copy(other.certificate, trusted)
        model = self.tls_model(self.ca.issue("m", "IP:127.0.0.1"))
        router = self.router(
            self.backend(
                f'{{address: "{model.address}", tls: {{ca: {trusted}}}}}'
            )
        )
        self.fails(self.channel(router))
        replace(trusted, self.ca.pem.decode())

        def served():
            try:
                return self.echo(self.channel(router)) == b"x"
            except grpc.RpcError:
                return False

        self.eventually(served)


class Config(TlsTest):
    """What is wrong with the files is told with the line that names them."""

    def refused(self, config):
        path = os.path.join(self.directory, "router.yaml")
        replace(path, self.backend('{address: "127.0.0.1:1"}', config))
        run = subprocess.run(
            [BINARY, "--check", "--config", path],
            capture_output=True, text=True, timeout=60,
        )
        self.assertEqual(run.returncode, 2, run)
        return run.stderr

    def test_mistakes(self):
        server = self.ca.issue("server", "IP:127.0.0.1")
        other = self.ca.issue("other", "IP:127.0.0.1")
        broken = os.path.join(self.directory, "broken.pem")
        replace(
            broken,
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        )
        base = f"certificate: {server.certificate}, key: {server.key}"
        for config, message in (
            (f"tls: {{certificate: /nowhere.pem, key: {server.key}}}",
             'tls.certificate = "/nowhere.pem" cannot be read (No such file '
             'or directory), expected a PEM file'),
            (f"tls: {{certificate: {self.directory}, key: {server.key}}}",
             "cannot be read (Is a directory)"),
            (f"tls: {{certificate: {server.key}, key: {server.key}}}",
             "holds no certificate, expected PEM certificates"),
            (f"tls: {{certificate: {broken}, key: {server.key}}}",
             "has a damaged certificate"),
            (f"tls: {{certificate: {server.certificate}, "
             f"key: {server.certificate}}}",
             "holds no private key"),
            (f"tls: {{certificate: {server.certificate}, key: {other.key}}}",
             "does not belong to the certificate"),
            (f"control_tls: {{{base}, client_names: [a.test]}}",
             "control_tls.client_names has no client_ca"),
            (f"tls: {{{base}, min_version: 1.1}}",
             "tls.min_version = 1.1 is no TLS version, expected 1.2 or 1.3"),
            (f'tls: {{{base}, client_ca: {self.ca.certificate}, '
             'client_names: ["a.*.test"]}',
             "is no name of a certificate"),
            ('control_token: "two words"',
             "control_token cannot be sent in metadata"),
        ):
            with self.subTest(config):
                text = self.refused(config)
                self.assertIn(message, text)
                self.assertRegex(text, r"router\.yaml:\d+: ")

    def test_an_expired_certificate_is_a_warning(self):
        old = self.ca.issue("old", "IP:127.0.0.1", days=-1)
        model = self.model()
        router = self.router(
            self.backend(
                f'{{address: "{model.address}"}}', self.listen_tls(old)
            )
        )
        self.assertRegex(
            router.logged(), r"warning: .*router\.yaml:\d+: tls\.certificate"
            r" = .* expired on \d{4}-\d\d-\d\d"
        )


if __name__ == "__main__":
    unittest.main()
