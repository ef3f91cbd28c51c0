# SPDX-License-Identifier: Apache-2.0
"""The dashboard's HTTP side, over the real binary: what a browser relies on."""

import http.client
import json
import signal
import socket
import threading
import unittest

from acts_case import ActsTest
from harness import decide, record, reward

TOKENS = """
state: "memory:"
control_token: t0ken
identities: [{name: ada, token: adas}]
admin_hosts: [bandit.example.com]
"""
TIMEOUT = 30
DASHBOARDS = 50
ROUNDS = 10


class DashboardTest(ActsTest):
    def ask(self, path, method="GET", body=None, connection=None, **headers):
        """Status, headers and body of an answer."""
        own = connection or http.client.HTTPConnection(
            self.started.admin, timeout=TIMEOUT)
        headers = {name.replace("_", "-"): v for name, v in headers.items()}
        own.request(method, path, body=body, headers=headers)
        answer = own.getresponse()
        told = (answer.status, dict(answer.getheaders()), answer.read())
        if connection is None:
            own.close()
        return told

    def json(self, path, **headers):
        status, _, body = self.ask(f"/api/v1/{path}", **headers)
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def act(self, act, token=None, **more):
        headers = {"content_type": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        body = json.dumps({"act": act, "experiment": "ranker", **more})
        status, _, told = self.ask(
            "/api/v1/act", "POST", body, **headers)
        return status, json.loads(told)

    def test_the_page_and_what_it_needs_come_from_the_binary(self):
        self.started = self.start()
        for path, kind in (("/", "text/html"), ("/app.js", "text/javascript"),
                           ("/app.css", "text/css"),
                           ("/licenses.txt", "text/plain")):
            status, headers, body = self.ask(path)
            self.assertEqual(status, 200)
            self.assertTrue(headers["Content-Type"].startswith(kind))
            self.assertEqual(int(headers["Content-Length"]), len(body))
            self.assertIn("default-src 'none'",
                          headers["Content-Security-Policy"])
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertNotIn("Access-Control-Allow-Origin", headers)
            again = self.ask(path, if_none_match=headers["ETag"])
            self.assertEqual((again[0], again[2]), (304, b""))
            self.assertEqual(self.ask(path, "HEAD")[2], b"")
        page = self.ask("/")[2].decode()
        self.assertIn('src="app.js"', page)
        # Nothing inline, nothing from elsewhere.
        self.assertNotIn("<style", page)
        self.assertNotIn("http", page.replace("http://www.w3.org/", ""))

    def test_it_tells_what_happened(self):
        self.started = self.start()
        channel = self.channel(self.started)
        _, calls = self.served(channel)
        self.assertEqual(record(channel, *(
            reward(call["x-bandit-decision"], 1) for call in calls[:10])),
            ["ACCEPTED"] * 10)
        self.wait(lambda: self.json("status")["experiments"][0]["decisions"]
                  == "40")
        self.wait(lambda: sum(
            int(arm["decisions"]) for arm in
            self.json("history?experiment=ranker")["samples"][-1]["arms"])
            == 40)
        history = self.json("history?experiment=ranker")
        self.assertEqual(history["arms"], ["control", "candidate"])
        last = history["samples"][-1]
        self.assertEqual(last["metrics"][0]["accepted"], "10")
        newer = self.json(f"history?experiment=ranker&since={last['time']}")
        self.assertLess(len(newer["samples"]), len(history["samples"]))
        report = self.json("report?experiment=ranker")
        self.assertEqual(report["decisions"], "40")

        self.started.write(self.text(experiment="    salt: other"))
        self.started.signal(signal.SIGHUP)
        self.wait(lambda: ("audit", "epoch") in self.events())
        self.started.write("nonsense")
        self.started.signal(signal.SIGHUP)
        self.wait(lambda: ("reload", "not_loaded") in self.events())
        self.assertEqual(self.events()[0][0], "audit")
        self.assertIn(("router", "started"), self.events())
        self.assertIn(("reload", "loaded"), self.events())

    def events(self):
        return [(e["source"], e["what"])
                for e in self.json("events")["events"]]

    def test_an_act_needs_a_token_that_the_config_has(self):
        self.started = self.start()
        status, told = self.act("pause", token="any")
        self.assertEqual(status, 403)
        self.assertIn("control_token", told["message"])
        self.assertFalse(self.json("session")["acts"])

        self.started = self.start(top=TOKENS)
        self.assertEqual(self.act("pause")[0], 401)
        self.assertEqual(self.act("pause", token="t0kem")[0], 401)
        self.assertEqual(
            self.status(self.started, "t0ken")["lifecycle"]["state"],
            "running")
        status, told = self.act("pause", token="adas", why="lunch")
        self.assertEqual((status, told["who"]), (200, "ada"))
        lifecycle = self.status(self.started, "t0ken")["lifecycle"]
        self.assertEqual((lifecycle["state"], lifecycle["who"]),
                         ("paused", "ada"))
        log = self.ctl(self.started, "audit", "--json", token="t0ken")
        entry = json.loads(log)["entries"][-1]
        self.assertEqual((entry["act"], entry["who"], entry["proven"],
                          entry["why"]), ("pause", "ada", True, "lunch"))
        # In force for the next request.
        served, _ = self.served(self.channel(self.started))
        self.assertEqual(set(served), {"control"})
        self.assertEqual(self.act("pause", token="adas")[0], 409)
        # What banditctl can do to it, the page can, too.
        status, told = self.act("reset", token="adas", why="a bug")
        self.assertEqual((status, told["lifecycle"]["state"]),
                         (200, "paused"))
        self.assertEqual(self.status(self.started, "t0ken")["epoch"], 2)

    def test_an_approval_needs_another(self):
        self.started = self.start(top=TOKENS + "approval: {promote: true}\n")
        status, told = self.act("promote", token="adas", arm="candidate")
        self.assertEqual((status, told["lifecycle"]["pending"]["who"]),
                         (200, "ada"))
        self.assertEqual(self.act("approve", token="adas")[0], 403)
        status, told = self.act("approve", token="t0ken")
        self.assertEqual((status, told["lifecycle"]["arm"]),
                         (200, "candidate"))

    def test_another_name_for_it_is_refused(self):
        self.started = self.start(top=TOKENS)
        for path in ("/", "/api/v1/status"):
            status, headers, body = self.ask(path, host="evil.example.org")
            self.assertEqual(status, 421)
            self.assertIn(b"admin_hosts", body)
            self.assertIn("Content-Security-Policy", headers)
            for host in ("localhost:1", "bandit.example.com", "[::1]:2",
                         "router.prod.svc"):
                self.assertEqual(self.ask(path, host=host)[0], 200)
        # Scrapers come by whatever name they like.
        for path in ("/metrics", "/healthz"):
            self.assertEqual(self.ask(path, host="evil.example.org")[0], 200)
        # 503 until a backend has been reached.
        self.assertIn(self.ask("/readyz", host="evil.example.org")[0],
                      (200, 503))

    def test_what_is_broken_is_refused_in_words(self):
        self.started = self.start(top=TOKENS)
        for path, status in (("/api/v1/report", 400),
                             ("/api/v1/report?experiment=nobody", 404),
                             ("/api/v1/history?experiment=nobody", 404),
                             ("/api/v1/history?experiment=ranker&since=x", 400),
                             ("/api/v1/status?experiment=%ff%00", 404),
                             ("/api/v2/status", 404), ("/nowhere", 404),
                             ("/..%2f..%2fetc/passwd", 404)):
            told = self.ask(path)
            self.assertEqual(told[0], status, path)
            self.assertTrue(told[2], path)
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            self.assertIn(self.ask("/api/v1/status", method)[0], (404, 405))
        self.assertEqual(self.ask("/api/v1/act", "POST", "x" * 9000)[0], 413)

    def test_open_dashboards_leave_metrics_and_probes_alone(self):
        self.started = self.start()
        host, port = self.started.admin.rsplit(":", 1)
        # Connections that a browser opens in case it needs them.
        silent = [socket.create_connection((host, int(port)), TIMEOUT)
                  for _ in range(DASHBOARDS)]
        self.addCleanup(lambda: [s.close() for s in silent])
        wrong = []

        def dashboard():
            connection = http.client.HTTPConnection(
                self.started.admin, timeout=TIMEOUT)
            try:
                for _ in range(ROUNDS):
                    for path in ("status", "events",
                                 "history?experiment=ranker",
                                 "report?experiment=ranker"):
                        told = self.ask(f"/api/v1/{path}",
                                        connection=connection)
                        # 503: busy with others, ask again.
                        if told[0] not in (200, 503):
                            wrong.append((path, told))
            except OSError as error:
                wrong.append(repr(error))
            self.open.append(connection)

        self.open = []
        threads = [threading.Thread(target=dashboard)
                   for _ in range(DASHBOARDS)]
        for thread in threads:
            thread.start()
        for _ in range(ROUNDS):
            for path in ("/metrics", "/healthz", "/readyz"):
                self.assertEqual(self.ask(path)[0], 200)
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        # All of them still open, by keep-alive.
        self.assertEqual(len(self.open), DASHBOARDS)
        self.assertEqual(self.ask("/metrics")[0], 200)
        for connection in self.open:
            self.assertEqual(self.ask("/", connection=connection)[0], 200)
            connection.close()

    def test_many_connections_do_not_keep_others_out(self):
        self.started = self.start()
        host, port = self.started.admin.rsplit(":", 1)
        # More than it keeps; each with half a request.
        for _ in range(600):
            connection = socket.create_connection((host, int(port)), TIMEOUT)
            connection.sendall(b"GET /metrics HTTP/1.1\r\n")
            self.addCleanup(connection.close)
        self.assertEqual(self.ask("/metrics")[0], 200)
        self.assertEqual(self.ask("/")[0], 200)
        decide(self.channel(self.started))


if __name__ == "__main__":
    unittest.main()
