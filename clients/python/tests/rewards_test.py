# SPDX-License-Identifier: Apache-2.0
"""Rewards at the real router: outages, floods, and what is refused."""

import json
import re
import socket
import tempfile
import threading
import unittest
import urllib.request

from bandit_router import Backoff, Outcome, Submitted
from relay import Relay
from support import ROOT, SECONDS, ClientTest, bytes_call

QUICK = Backoff(initial=0.01, maximum=0.1)


def vectors(group):
    with open(ROOT / "tests/vectors/client.json", encoding="utf-8") as file:
        return json.load(file)[group]


class RewardsTest(ClientTest):
    def decide(self, bandit, count):
        decisions = []
        call = bytes_call(bandit.channel, "Echo")
        for i in range(count):
            with bandit.context(unit=f"user-{i}") as decision:
                call(b"x", timeout=SECONDS)
            decisions.append(decision)
        return decisions

    def accepted(self, router):
        """As the router counts them."""
        url = f"http://{router.admin}/metrics"
        with urllib.request.urlopen(url) as page:
            text = page.read().decode()
        return sum(
            float(line.rsplit(" ", 1)[1])
            for line in text.splitlines()
            if line.startswith("bandit_rewards_total{")
            and 'outcome="accepted"' in line.lower()
        )

    def test_batches_of_many_threads_all_arrive(self):
        router = self.start()
        bandit = self.client(router.listen, sender={"max_batch": 50})
        decisions = self.decide(bandit, 40)

        def work(mine):
            for decision in mine:
                self.assertTrue(decision.reward(click=1, spend=1.5))

        threads = [
            threading.Thread(target=work, args=(decisions[n::8],))
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(bandit.flush(SECONDS), [])
        stats = bandit.stats()
        self.assertEqual(stats.accepted, 80)
        self.assertLess(stats.requests, 80)
        self.assertEqual(self.accepted(router), 80)

    def test_a_router_that_is_down_and_back(self):
        """Killed, with rewards of before and others that are yet to come, and
        started again with its state: none is lost, none counted twice."""
        with tempfile.TemporaryDirectory() as folder:
            config = self.config().replace(
                "'memory:'", f"'sqlite://{folder}/state.db'"
            )
            router = self.router(config)
            relay = Relay()
            self.addCleanup(relay.close)
            relay.point(router.listen)
            bandit = self.client(
                relay.address, sender={"backoff": QUICK, "capacity": 100}
            )
            decisions = self.decide(bandit, 20)
            for decision in decisions[:5]:
                decision.reward(click=1)
            self.assertEqual(bandit.flush(SECONDS), [])
            router.kill()
            relay.point(None)
            with self.assertLogs("bandit_router", "WARNING") as logs:
                for decision in decisions:
                    self.assertTrue(decision.reward(click=1))
                self.assertEqual(len(bandit.flush(0.5)), 20)
            self.assertIn("is the router running", logs.output[0])
            back = self.router(config)
            relay.point(back.listen)
            self.assertEqual(bandit.flush(SECONDS), [])
            stats = bandit.stats()
            self.assertEqual((stats.accepted, stats.duplicate), (20, 5))
            self.assertEqual(stats.undelivered, 0)
            self.assertGreater(stats.failures, 0)
            self.assertEqual(self.accepted(back), 15)

    def test_a_queue_that_is_full_while_the_router_is_away(self):
        with socket.socket() as taken:
            # Bound, and nobody listens.
            taken.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            refused = []
            bandit = self.client(
                address,
                sender={"capacity": 3, "backoff": QUICK,
                        "on_full": refused.extend},
            )
            token = vectors("token")[0]["token"]
            with self.assertLogs("bandit_router", "WARNING"):
                answers = [bandit.reward(token, click=1) for _ in range(5)]
                self.assertEqual(
                    answers, [Submitted.QUEUED] * 3 + [Submitted.FULL] * 2
                )
                self.assertEqual(len(refused), 2)
                with self.assertLogs("bandit_router", "ERROR"):
                    self.assertEqual(len(bandit.close(0.2)), 3)
        stats = bandit.stats()
        self.assertEqual((stats.full, stats.undelivered), (2, 3))

    def test_what_the_router_refuses(self):
        """The shared vectors are signed with this router's key."""
        told = []
        config = re.sub(r"    context:.*?(?=    metrics:)", "", self.config(),
                        flags=re.S)
        bandit = self.client(
            self.router(config).listen,
            sender={"on_refused": lambda r, *answer: told.append(answer)},
        )
        late = vectors("token")[0]["token"]  # Of 2023.
        elsewhere = vectors("token")[-1]["token"]
        with self.assertLogs("bandit_router", "WARNING") as logs:
            bandit.reward(late, click=1)
            bandit.reward(elsewhere, click=1)
            bandit.reward(vectors("forged_token")[0]["token"], click=1)
            for v in vectors("malformed_token"):
                if v["token"]:
                    bandit.reward(v["token"], click=1)
            bandit.reward_request("r-1", click=1)  # No `join`.
            self.assertEqual(bandit.flush(SECONDS), [])
            (decision,) = self.decide(bandit, 1)
            decision.reward(click=2)
            decision.reward(undeclared=1)
            decision.reward(click=1, spend=0)
            self.assertEqual(bandit.close(SECONDS), [])
        stats = bandit.stats()
        malformed = len(vectors("malformed_token")) - 1
        self.assertEqual(
            (stats.late, stats.unknown, stats.rejected, stats.accepted),
            (1, 1, malformed + 4, 2),
        )
        self.assertEqual([outcome for outcome, _ in told[:3]],
                         [Outcome.LATE, Outcome.UNKNOWN, Outcome.REJECTED])
        self.assertEqual(len(told), malformed + 6)
        self.assertIn("the window of metric click is", told[0][1])
        self.assertIn('no metric "undeclared", expected click', told[-1][1])
        self.assertEqual(len(logs.output), 3)

    def test_a_long_name_of_several_byte_letters_is_refused_not_lost(self):
        """What the router quotes of it must still be text."""
        bandit = self.client(self.start().listen)
        with bandit.context("alice") as decision:
            bytes_call(bandit.channel, "Echo")(b"x")
        for size in range(60, 66):
            decision.reward(**{"x" * size + "\u00e9" * 4: 1})
        self.assertEqual(bandit.flush(10), [])
        self.assertEqual(bandit.stats().rejected, 6)

    def test_a_learner_with_little_room(self):
        """Batches of more than its queue are refused whole; they are halved
        until they fit."""
        config = self.config().replace(
            "learner: {tick: 10ms}", "learner: {tick: 10ms, queue: 3}"
        )
        bandit = self.client(
            self.router(config).listen,
            sender={"backoff": QUICK, "linger": 0.2},
        )
        decisions = self.decide(bandit, 20)
        for decision in decisions:
            decision.reward(click=1)
        self.assertEqual(bandit.flush(SECONDS), [])
        self.assertEqual(bandit.stats().accepted, 20)

    def test_a_port_that_is_no_router(self):
        """A model server: it answers, but knows no rewards."""
        bandit = self.client(self.a.address, sender={"backoff": QUICK})
        bandit.reward(vectors("token")[0]["token"], click=1)
        with self.assertLogs("bandit_router", "WARNING") as logs:
            self.assertEqual(len(bandit.flush(0.3)), 1)
            self.assertEqual(len(bandit.close(0)), 1)
        self.assertRegex(logs.output[0], "not (a|the) router")


if __name__ == "__main__":
    unittest.main()
