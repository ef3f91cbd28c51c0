# SPDX-License-Identifier: Apache-2.0
"""TLS on the listener and towards backends, with Debian's grpcio as peers."""

import os
import socket
import ssl
import unittest

from certificates import Authority
from harness import SERVICE
from tls_case import TlsTest


class Listener(TlsTest):
    def start(self, more="", then="", **kwargs):
        self.server = self.ca.issue(
            "server", "DNS:router.test", "IP:127.0.0.1"
        )
        model = self.model()
        return self.router(
            self.backend(
                f'{{address: "{model.address}"}}',
                self.listen_tls(self.server, more) + "\n" + then,
            ),
            **kwargs,
        )

    def test_serves_over_tls(self):
        router = self.start()
        channel = self.secure_channel(router)
        self.assertEqual(self.echo(channel), b"x")
        # Larger than records, windows and socket buffers.
        message = os.urandom(5_000_000)
        self.assertEqual(self.echo(channel, message), message)
        self.assertEqual(
            self.echo(self.secure_channel(router, name="router.test")), b"x"
        )

    def test_streams_both_ways(self):
        router = self.start()
        call = self.secure_channel(router).stream_stream(SERVICE + "Bidi")
        messages = [os.urandom(1 + i * 997) for i in range(200)]
        self.assertEqual(list(call(iter(messages), timeout=60)), messages)

    def test_a_stranger_to_the_authority_does_not_trust_it(self):
        router = self.start()
        other = Authority(self.directory, "other")
        self.fails(self.secure_channel(router, ca=other))
        self.eventually(
            lambda: "TLS handshake with" in router.logged(), router.logged()
        )

    def connect(self, router, **settings):
        host, port = router.listen.rsplit(":", 1)
        context = ssl.create_default_context(cafile=self.ca.certificate)
        for name, value in settings.items():
            setattr(context, name, value)
        return context, socket.create_connection((host, int(port)), 30)

    def test_min_version(self):
        router = self.start(", min_version: 1.3")
        self.assertEqual(self.echo(self.secure_channel(router)), b"x")
        context, raw = self.connect(
            router, maximum_version=ssl.TLSVersion.TLSv1_2
        )
        context.set_alpn_protocols(["h2"])
        with raw, self.assertRaises(ssl.SSLError):
            context.wrap_socket(raw, server_hostname="router.test")

    def test_tls_1_2_is_spoken_unless_forbidden(self):
        router = self.start()
        context, raw = self.connect(
            router, maximum_version=ssl.TLSVersion.TLSv1_2
        )
        context.set_alpn_protocols(["h2"])
        with context.wrap_socket(raw, server_hostname="router.test") as peer:
            self.assertEqual(peer.version(), "TLSv1.2")
            self.assertEqual(peer.selected_alpn_protocol(), "h2")

    def test_tls_1_1_never_is(self):
        router = self.start()
        context, raw = self.connect(router)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        with raw, self.assertRaises(ssl.SSLError):
            context.wrap_socket(raw, server_hostname="router.test")

    def test_without_h2_there_is_no_connection(self):
        router = self.start()
        context, raw = self.connect(router)
        context.set_alpn_protocols(["http/1.1"])
        with raw, self.assertRaises(ssl.SSLError) as raised:
            context.wrap_socket(raw, server_hostname="router.test")
        self.assertRegex(str(raised.exception), "(?i)no.application.protocol")

    def test_a_session_is_resumed(self):
        router = self.start()
        context, raw = self.connect(router)
        context.set_alpn_protocols(["h2"])
        with context.wrap_socket(raw, server_hostname="router.test") as peer:
            self.assertFalse(peer.session_reused)
            peer.recv(1)  # The ticket comes before the first frame.
            session = peer.session
        _, raw = self.connect(router)
        with context.wrap_socket(
            raw, server_hostname="router.test", session=session
        ) as peer:
            self.assertTrue(peer.session_reused)

    def test_cleartext_clients_are_told(self):
        router = self.start()
        _, raw = self.connect(router)
        with raw:
            raw.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            answer = b""
            while piece := raw.recv(4096):
                answer += piece
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)
        self.assertTrue(answer.endswith(b"over TLS, no cleartext"), answer)
        self.eventually(lambda: "speaks no TLS" in router.logged())
        self.fails(self.channel(router))

    def test_a_peer_that_says_nothing_is_let_go(self):
        router = self.start(then="limits: {header_timeout: 100ms}")
        _, raw = self.connect(router)
        with raw:
            self.assertEqual(raw.recv(1), b"")

    def test_a_peer_that_leaves_midway_harms_nobody(self):
        router = self.start()
        for size in (1, 3, 5, 50):
            context = ssl.create_default_context(cafile=self.ca.certificate)
            outgoing = ssl.MemoryBIO()
            tls = context.wrap_bio(
                ssl.MemoryBIO(), outgoing, server_hostname="router.test"
            )
            with self.assertRaises(ssl.SSLWantReadError):
                tls.do_handshake()
            _, raw = self.connect(router)
            with raw:
                raw.sendall(outgoing.read()[:size])
        self.assertEqual(self.echo(self.secure_channel(router)), b"x")


class MutualTls(Listener):
    """All of the above holds with client certificates, too."""

    def start(self, more="", **kwargs):
        self.client = self.ca.issue(
            "client", "DNS:client.apps.test", "URI:spiffe://test/client"
        )
        return super().start(
            f"{more}, client_ca: {self.ca.certificate}", **kwargs
        )

    def secure_channel(self, router, client=None, **kwargs):
        return super().secure_channel(
            router, client=client or self.client, **kwargs
        )

    def connect(self, router, **settings):
        context, raw = super().connect(router, **settings)
        context.load_cert_chain(self.client.certificate, self.client.key)
        return context, raw

    def test_no_certificate_no_service(self):
        router = self.start()
        self.fails(TlsTest.secure_channel(self, router))
        self.eventually(
            lambda: "peer did not return a certificate" in router.logged()
        )

    def test_a_certificate_of_another_authority_is_refused(self):
        router = self.start()
        other = Authority(self.directory, "other")
        self.fails(self.secure_channel(router, other.issue("o", "DNS:o.test")))
        self.eventually(
            lambda: "certificate verify failed" in router.logged()
        )

    def test_an_expired_certificate_is_refused(self):
        router = self.start()
        old = self.ca.issue("old", "DNS:client.apps.test", days=-1)
        self.fails(self.secure_channel(router, old))
        self.eventually(lambda: "has expired" in router.logged())

    def test_only_named_clients(self):
        for names, serves in (
            ('"client.apps.test"', True),
            ('"*.apps.test"', True),
            ('"spiffe://test/client"', True),
            ('"apps.test", "*.test", "spiffe://test/other"', False),
        ):
            with self.subTest(names):
                router = self.start(f", client_names: [{names}]")
                if serves:
                    self.assertEqual(
                        self.echo(self.secure_channel(router)), b"x"
                    )
                    continue
                self.fails(self.secure_channel(router))
                self.eventually(
                    lambda: "it is for client.apps.test, spiffe://test/client,"
                    " expected one of client_names" in router.logged()
                )


class Backend(TlsTest):
    def start(self, address, tls):
        return self.router(
            self.backend(f'{{address: "{address}", tls: {{{tls}}}}}')
        )

    def test_a_backend_with_tls(self):
        model = self.tls_model(self.ca.issue("m", "IP:127.0.0.1"))
        router = self.start(model.address, f"ca: {self.ca.certificate}")
        channel = self.channel(router)
        self.assertEqual(self.echo(channel), b"x")
        message = os.urandom(5_000_000)
        self.assertEqual(self.echo(channel, message), message)

    def test_names(self):
        model = self.tls_model(self.ca.issue("m", "DNS:a.models.test"))
        ca = f"ca: {self.ca.certificate}"
        for rule, serves in (
            ("server_name: a.models.test", True),
            ('server_names: ["*.models.test"]', True),
            ('server_names: ["x.test", "a.models.test"]', True),
            ("server_name: b.models.test", False),
            ('server_names: ["*.test"]', False),
        ):
            with self.subTest(rule):
                router = self.start(model.address, f"{ca}, {rule}")
                if serves:
                    self.assertEqual(self.echo(self.channel(router)), b"x")
                else:
                    self.assertIn(
                        "certificate verify failed: it is for a.models.test",
                        self.fails(self.channel(router)),
                    )

    def test_an_authority_that_is_not_known(self):
        model = self.tls_model(self.ca.issue("m", "IP:127.0.0.1"))
        other = Authority(self.directory, "other")
        router = self.start(model.address, f"ca: {other.certificate}")
        details = self.fails(self.channel(router))
        self.assertIn("certificate verify failed", details)
        self.assertIn("set tls.ca", details)

    def test_the_systems_authorities_do_not_know_it_either(self):
        model = self.tls_model(self.ca.issue("m", "IP:127.0.0.1"))
        router = self.start(model.address, "")
        self.assertIn("set tls.ca", self.fails(self.channel(router)))

    def test_a_backend_without_tls(self):
        model = self.model()
        router = self.start(model.address, f"ca: {self.ca.certificate}")
        self.assertIn("speaks no TLS", self.fails(self.channel(router)))

    def test_the_router_shows_its_certificate(self):
        model = self.tls_model(
            self.ca.issue("m", "IP:127.0.0.1"), client_ca=self.ca
        )
        mine = self.ca.issue("mine", "DNS:router.test")
        router = self.start(
            model.address,
            f"ca: {self.ca.certificate}, certificate: {mine.certificate}, "
            f"key: {mine.key}",
        )
        self.assertEqual(self.echo(self.channel(router)), b"x")

    def test_a_backend_that_misses_it_says_so(self):
        model = self.tls_model(
            self.ca.issue("m", "IP:127.0.0.1"), client_ca=self.ca
        )
        router = self.start(model.address, f"ca: {self.ca.certificate}")
        self.fails(self.channel(router))


if __name__ == "__main__":
    unittest.main()
