# SPDX-License-Identifier: Apache-2.0
"""Acts on experiments: the real binaries, banditctl and a model server."""

import json
import sqlite3
import tempfile
import unittest
from urllib.request import urlopen

import grpc
from acts_case import BROKEN, REFUSED, UNKNOWN, ActsTest
from harness import decide, record, reward


class Lifecycle(ActsTest):
    def test_from_a_draft_to_the_promoted_arm(self):
        router = self.start("    draft: true")
        channel = self.channel(router)

        # A draft: control, no decision, and why.
        served, calls = self.served(channel)
        self.assertEqual(set(served), {"control"})
        self.assertNotIn("x-bandit-decision", calls[0])
        self.assertEqual(calls[0]["x-bandit-uncounted"], "draft")
        self.assertEqual(calls[0]["x-bandit-arm"], "control")
        self.assertIn("draft", self.ctl(router, "status"))

        self.assertEqual(
            self.ctl(router, "start", "ranker", "--why", "let us see"),
            "ranker: running\n",
        )
        running, calls = self.served(channel)
        self.assertEqual(set(running), {"control", "candidate"})
        self.assertNotIn("x-bandit-uncounted", calls[0])
        token = calls[0]["x-bandit-decision"]

        self.ctl(router, "pause", "ranker")
        served, calls = self.served(channel)
        self.assertEqual(set(served), {"control"})
        self.assertEqual(calls[0]["x-bandit-uncounted"], "paused")
        # What was decided before is still rewarded.
        control = self.channel(router, router.control)
        self.assertEqual(record(control, reward(token, 1)), ["ACCEPTED"])

        # Units come back to the arms that they had.
        self.ctl(router, "resume", "ranker")
        self.assertEqual(self.served(channel)[0], running)

        self.ctl(router, "rollback", "ranker", "--why", "errors")
        served, calls = self.served(channel)
        self.assertEqual(set(served), {"control"})
        self.assertEqual(calls[0]["x-bandit-uncounted"], "rolled_back")

        self.ctl(router, "promote", "ranker", "candidate")
        served, calls = self.served(channel)
        self.assertEqual(set(served), {"candidate"})
        self.assertEqual(calls[0]["x-bandit-uncounted"], "concluded")
        self.assertEqual(calls[0]["x-bandit-arm"], "candidate")

        # The last requests are counted with the next tick.
        self.wait(lambda: sum(
            map(int, self.status(router)["uncounted"].values())) >= 160)
        status = self.status(router)
        self.assertEqual(status["lifecycle"]["state"], "concluded")
        self.assertEqual(status["lifecycle"]["arm"], "candidate")
        self.assertEqual(status["lifecycle"]["who"], "tester")
        # Decisions are those of the two times that it ran. The learner hears
        # of them with its next tick.
        uncounted = {"draft", "paused", "rolled_back", "concluded"}
        expected = (80, dict.fromkeys(uncounted, 40))

        def counted():
            status = self.status(router)
            return int(status["decisions"]), {
                why: int(n) for why, n in status["uncounted"].items()
            }

        self.wait(lambda: counted() == expected)

    def test_what_cannot_be_done_is_refused_with_the_reason(self):
        router = self.start()
        text = self.ctl(router, "start", "ranker", code=REFUSED)
        self.assertIn("it is running, and start is for one that is draft", text)
        self.ctl(router, "pause", "none", code=UNKNOWN)
        text = self.ctl(router, "promote", "ranker", "none", code=UNKNOWN)
        self.assertIn('"none" is not one of its arms', text)

    def test_metrics_tell_the_state_and_what_is_left_out(self):
        router = self.start("    draft: true")
        channel = self.channel(router)
        self.served(channel, 5)

        def metrics():
            with urlopen(f"http://{router.admin}/metrics", timeout=60) as page:
                return page.read().decode()

        self.wait(
            lambda: 'bandit_uncounted_requests_total{experiment="ranker",'
            'reason="draft"} 5\n' in metrics()
        )
        text = metrics()
        self.assertIn(
            'bandit_experiment_state{experiment="ranker",state="draft"} 1', text
        )
        # Counted as requests, under no arm.
        self.assertIn(
            'bandit_requests_total{experiment="ranker",arm="",code="OK"} 5', text
        )
        self.assertNotIn('arm="control",code="OK"', text)


class Audit(ActsTest):
    def test_is_whole_after_a_kill_and_shows_what_was_changed(self):
        directory = tempfile.mkdtemp()
        top = f"state: sqlite://{directory}/state.db"
        router = self.start(top=top, directory=directory)
        self.ctl(router, "pause", "ranker", "--why", "a look")
        router.kill()
        router = self.router(self.text(top=top), directory=directory)
        self.assertEqual(
            self.status(router)["lifecycle"]["state"], "paused"
        )
        self.ctl(router, "resume", "ranker")
        # An edit that starts an epoch, by a reload.
        router.write(self.text("    salt: another", top=top))
        self.wait(lambda: self.status(router)["epoch"] == 2)

        log = json.loads(self.ctl(router, "audit", "--json"))
        self.assertEqual(log["broken"], "")
        self.assertEqual(
            [(e["who"], e["proven"], e["act"]) for e in log["entries"]],
            [
                ("config", True, "add"),
                ("tester", False, "pause"),
                ("tester", False, "resume"),
                ("config", True, "edit"),
                ("config", True, "epoch"),
            ],
        )
        self.assertEqual(log["entries"][1]["why"], "a look")
        self.assertIn("salt", log["entries"][3]["detail"])
        self.assertEqual(log["entries"][4]["detail"], "1 -> 2")
        # The log names the hashes that were written.
        self.assertIn(log["entries"][2]["hash"][:16], router.logged())
        text = self.ctl(router, "audit", "ranker", "--last", "2")
        self.assertIn("every hash follows", text)
        self.assertNotIn("pause", text)
        router.stop()

        database = sqlite3.connect(f"{directory}/state.db")
        with self.assertRaisesRegex(sqlite3.DatabaseError, "append-only"):
            database.execute("UPDATE audit SET who = 'nobody'")
        database.execute("DROP TRIGGER audit_keeps")
        database.execute("UPDATE audit SET who = 'nobody' WHERE sequence = 2")
        database.commit()
        database.close()
        router = self.router(
            self.text("    salt: another", top=top), directory=directory
        )
        text = self.ctl(router, "audit", code=BROKEN)
        self.assertIn("BROKEN: entry 2", text)


class Reset(ActsTest):
    def test_forgets_for_good_and_moves_no_unit(self):
        directory = tempfile.mkdtemp()
        top = f"state: sqlite://{directory}/state.db"
        router = self.start(top=top, directory=directory)
        channel = self.channel(router)
        control = self.channel(router, router.control)
        before, calls = self.served(channel)
        tokens = [call["x-bandit-decision"] for call in calls]
        self.assertEqual(record(control, reward(tokens[0], 1)), ["ACCEPTED"])

        text = self.ctl(router, "reset", "ranker", "--why", "wrong clicks")
        self.assertIn("ranker: a new epoch begins", text)
        # At once: what comes after the answer is of the new epoch.
        self.assertEqual(record(control, reward(tokens[1], 1)), ["UNKNOWN"])
        status = self.status(router)
        self.assertEqual((status["epoch"], status["decisions"]), (2, "0"))
        after, calls = self.served(channel)
        self.assertEqual(before, after)
        token = calls[0]["x-bandit-decision"]
        self.assertEqual(record(control, reward(token, 1)), ["ACCEPTED"])

        # Also over a kill, a reload, and an edit that starts no epoch.
        router.kill()
        router = self.router(self.text(top=top), directory=directory)
        control = self.channel(router, router.control)
        self.assertEqual(self.status(router)["epoch"], 2)
        self.assertEqual(
            record(control, *(reward(t, 1) for t in (tokens[2], token))),
            ["UNKNOWN", "DUPLICATE"],
        )
        text = self.ctl(router, "audit", "ranker")
        self.assertRegex(
            text, r"reset +ranker +epoch 1 -> 2 +wrong clicks"
        )

    def test_is_refused_for_what_has_nothing_to_forget(self):
        router = self.start("    draft: true")
        text = self.ctl(router, "reset", "ranker", code=REFUSED)
        self.assertIn("it is draft, and reset is for one that is", text)

    def test_waits_for_approval_where_a_start_does(self):
        router = self.start(top=Approval.TOP)
        self.ctl(router, "start", "ranker", token="ann-secret")
        self.ctl(router, "approve", "ranker", token="bob-secret")
        text = self.ctl(router, "reset", "ranker", token="ann-secret")
        self.assertIn("waits for approval: reset, asked for by ann", text)
        self.assertEqual(self.status(router, "ann-secret")["epoch"], 1)
        self.ctl(router, "approve", "ranker", token="bob-secret")
        self.assertEqual(self.status(router, "ann-secret")["epoch"], 2)


class Ramp(ActsTest):
    def test_lets_units_in_by_and_by(self):
        router = self.start(
            "    ramp: [{share: 0.25, lasts: 1s}, {share: 0.75}]"
        )
        channel = self.channel(router)
        decided, calls = set(), []
        for i in range(200):
            call = decide(channel, [("x-user", f"user-{i}")])[0]
            calls.append(call)
            if "x-bandit-decision" in call:
                decided.add(i)
            else:
                self.assertEqual(call["x-served-by"], "control")
                self.assertEqual(call["x-bandit-uncounted"], "ramp")
        self.wait(
            lambda: self.status(router)["lifecycle"]["ramp_share"] == 0.75
        )
        later = set()
        for i in range(200):
            call = decide(channel, [("x-user", f"user-{i}")])[0]
            if "x-bandit-decision" in call:
                later.add(i)
            if i in decided:
                self.assertEqual(call["x-bandit-arm"], calls[i]["x-bandit-arm"])
        # Five standard errors of a binomial share; nobody is sent out.
        self.assertAlmostEqual(len(later) / 200, 0.75, delta=0.16)
        self.assertLess(len(decided), len(later))
        self.assertLessEqual(decided, later)
        self.assertIn("stage 2 of 2", self.ctl(router, "status"))
        self.assertIn("25 % -> 75 %", self.ctl(router, "audit"))


class Approval(ActsTest):
    TOP = (
        'state: "memory:"\n'
        "identities: [{name: ann, token: ann-secret}, "
        "{name: bob, token: bob-secret}]\n"
        "approval: {start: true, promote: true}"
    )

    def test_needs_two_who_are_known_by_their_tokens(self):
        router = self.start(top=self.TOP)
        channel = self.channel(router)
        # Who has no token may not even look.
        control = self.channel(router, router.control)
        with self.assertRaises(grpc.RpcError) as raised:
            control.unary_unary("/bandit.v1.Admin/GetStatus")(b"", timeout=30)
        self.assertEqual(
            raised.exception.code(), grpc.StatusCode.UNAUTHENTICATED
        )

        text = self.ctl(router, "start", "ranker", token="ann-secret")
        self.assertIn("waits for approval: start, asked for by ann", text)
        self.assertEqual(set(self.served(channel, 5)[0]), {"control"})
        text = self.ctl(
            router, "approve", "ranker", token="ann-secret", code=REFUSED
        )
        self.assertIn("another of `identities` must approve", text)
        self.ctl(router, "approve", "ranker", token="bob-secret")
        self.assertEqual(
            set(self.served(channel)[0]), {"control", "candidate"}
        )

        self.ctl(router, "promote", "ranker", "candidate", token="bob-secret")
        self.assertIn("control", self.served(channel)[0])
        self.ctl(router, "approve", "ranker", token="ann-secret")
        self.assertEqual(set(self.served(channel)[0]), {"candidate"})

        log = json.loads(
            self.ctl(router, "audit", "--json", token="ann-secret")
        )
        self.assertEqual(
            [(e["who"], e["proven"], e["act"]) for e in log["entries"]],
            [
                ("config", True, "add"),
                ("ann", True, "start"),
                ("bob", True, "approve"),
                ("bob", True, "promote"),
                ("ann", True, "approve"),
            ],
        )
        self.assertNotIn("secret", router.logged())


if __name__ == "__main__":
    unittest.main()
