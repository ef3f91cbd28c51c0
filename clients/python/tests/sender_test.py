# SPDX-License-Identifier: Apache-2.0
"""The sender over a transport that does as it is told: no router, no waiting."""

import collections
import os
import random
import signal
import subprocess
import sys
import threading
import unittest

from bandit_router import (
    Backoff,
    Outcome,
    Reward,
    RewardSender,
    SenderOptions,
    Submitted,
)
from bandit_router._transport import DeliveryError
from bandit_router.reward import Answer

SECONDS = 30
AT_ONCE = Backoff(initial=0, maximum=0)


class ScriptedTransport:
    """Answers ACCEPTED, or what `script` has for a call: an exception, or a
    function of the batch. `hold` keeps calls until it is set."""

    def __init__(self, *script, hold=None):
        self.script = collections.deque(script)
        self.hold = hold
        self.entered = threading.Event()
        self.batches = []
        self.closed = False

    def record(self, rewards, timeout):
        self.batches.append(list(rewards))
        self.entered.set()
        if self.hold is not None and not self.hold.wait(SECONDS):
            raise AssertionError("nobody let it go")
        step = self.script.popleft() if self.script else None
        if isinstance(step, Exception):
            raise step
        if step is not None:
            answers = step(rewards)
        else:
            answers = [Outcome.ACCEPTED] * len(rewards)
        return [
            answer if isinstance(answer, Answer) else Answer(answer)
            for answer in answers
        ]

    def close(self):
        self.closed = True

    def forget(self):
        pass


def rewards(count, start=0):
    return [
        Reward(1.0, "click", decision=f"t{i}")
        for i in range(start, start + count)
    ]


def failure(exhausted=False):
    return DeliveryError("away", exhausted=exhausted)


class SenderTest(unittest.TestCase):
    def sender(self, transport, **options):
        options = {"linger": 0, "backoff": AT_ONCE, **options}
        sender = RewardSender(transport, SenderOptions(**options))

        def end():
            if transport.hold is not None:
                transport.hold.set()
            sender.close(SECONDS)

        self.addCleanup(end)
        return sender

    def check_conserved(self, sender):
        s = sender.stats()
        self.assertEqual(
            s.submitted,
            s.pending + s.accepted + s.duplicate + s.late + s.unknown
            + s.rejected + s.undelivered,
        )

    def test_what_comes_during_a_call_goes_with_the_next(self):
        hold = threading.Event()
        transport = ScriptedTransport(hold=hold)
        sender = self.sender(transport)
        self.assertTrue(sender.submit(*rewards(1)))
        self.assertTrue(transport.entered.wait(SECONDS))
        for reward in rewards(20, start=1):
            self.assertTrue(sender.submit(reward))
        self.assertEqual(sender.stats().pending, 21)
        hold.set()
        self.assertEqual(sender.flush(SECONDS), [])
        self.assertEqual(transport.batches, [rewards(1), rewards(20, start=1)])
        self.assertEqual(sender.stats().accepted, 21)

    def test_a_batch_is_bounded_by_count_and_by_bytes(self):
        hold = threading.Event()
        transport = ScriptedTransport(hold=hold)
        sender = self.sender(transport, max_batch=100)
        sender.submit(*rewards(1))
        self.assertTrue(transport.entered.wait(SECONDS))
        sender.submit(*rewards(150))
        long = [Reward(1, decision="x" * 5900, metric=f"m{i}")
                for i in range(300)]
        sender.submit(*long)
        hold.set()
        self.assertEqual(sender.flush(SECONDS), [])
        sizes = [len(batch) for batch in transport.batches]
        self.assertEqual(sizes, [1, 100, 100, 100, 100, 50])
        hold.clear()
        transport.batches.clear()
        transport.entered.clear()
        sender = self.sender(transport, max_batch=1000)
        sender.submit(*long)
        hold.set()
        self.assertEqual(sender.flush(SECONDS), [])
        for batch in transport.batches:
            self.assertLessEqual(
                sum(len(r.decision) for r in batch), 1 << 20
            )
        self.assertEqual(len(transport.batches), 2)

    def test_a_full_queue_says_so_and_takes_all_or_none(self):
        hold = threading.Event()
        told = []
        transport = ScriptedTransport(hold=hold)
        sender = self.sender(transport, capacity=5, on_full=told.append)
        sender.submit(*rewards(1))
        self.assertTrue(transport.entered.wait(SECONDS))
        # What is under way has its place until it is answered.
        self.assertIs(sender.submit(*rewards(4)), Submitted.QUEUED)
        with self.assertLogs("bandit_router", "WARNING") as logs:
            self.assertIs(sender.submit(*rewards(1)), Submitted.FULL)
            self.assertIs(sender.submit(*rewards(2)), Submitted.FULL)
        self.assertEqual(len(logs.output), 1)  # Once a minute.
        self.assertIn("queue of 5 is full", logs.output[0])
        self.assertEqual([len(refused) for refused in told], [1, 2])
        self.assertEqual(sender.stats().full, 3)
        hold.set()
        self.assertEqual(sender.flush(SECONDS), [])
        self.assertIs(sender.submit(*rewards(3)), Submitted.QUEUED)
        self.assertIs(sender.submit(*rewards(6)), Submitted.FULL)
        self.assertEqual(sender.flush(SECONDS), [])
        self.assertEqual(sender.stats().accepted, 8)
        self.check_conserved(sender)

    def test_failed_batches_are_sent_again_in_their_order(self):
        transport = ScriptedTransport(failure(), failure())
        sender = self.sender(transport)
        with self.assertLogs("bandit_router", "INFO") as logs:
            sender.submit(*rewards(3))
            self.assertEqual(sender.flush(SECONDS), [])
            sender.close(SECONDS)
        self.assertEqual(transport.batches, [rewards(3)] * 3)
        stats = sender.stats()
        self.assertEqual(
            (stats.failures, stats.requests, stats.accepted), (2, 1, 3)
        )
        self.assertEqual(len(logs.output), 2)
        self.assertIn("away", logs.output[0])
        self.assertIn("delivered again", logs.output[1])

    def test_a_router_without_room_gets_smaller_batches(self):
        transport = ScriptedTransport(failure(True), failure(True))
        sender = self.sender(transport, max_batch=8)
        sender.submit(*rewards(8))
        self.assertEqual(sender.flush(SECONDS), [])
        self.assertEqual([len(b) for b in transport.batches], [8, 4, 2, 4, 2])
        sent = [r for batch in transport.batches[2:] for r in batch]
        self.assertEqual(sent, rewards(8))

    def test_refusals_are_counted_logged_and_told(self):
        answer = [Outcome.ACCEPTED, Outcome.LATE, Outcome.UNKNOWN,
                  Outcome.REJECTED, Outcome.DUPLICATE]
        told = []
        sender = self.sender(
            ScriptedTransport(lambda _: answer),
            on_refused=lambda reward, outcome, _: told.append((reward, outcome)),
        )
        with self.assertLogs("bandit_router", "WARNING") as logs:
            sender.submit(*rewards(5))
            self.assertEqual(sender.flush(SECONDS), [])
            sender.close(SECONDS)
        self.assertEqual(told, list(zip(rewards(5), answer))[1:])
        stats = sender.stats()
        self.assertEqual(
            (stats.accepted, stats.late, stats.unknown, stats.rejected,
             stats.duplicate),
            (1, 1, 1, 1, 1),
        )
        self.check_conserved(sender)
        text = "\n".join(logs.output)
        for mend in ("metrics.window", "join", "token_key"):
            self.assertIn(mend, text)

    def test_what_the_router_says_against_a_reward_is_told(self):
        told = []
        sender = self.sender(
            ScriptedTransport(lambda _: [
                Answer(Outcome.REJECTED, "no metric {count}"),
                Answer(Outcome.REJECTED),
                Answer(Outcome.DUPLICATE),
            ]),
            on_refused=lambda _, outcome, why: told.append(why),
        )
        with self.assertLogs("bandit_router", "WARNING") as logs:
            sender.submit(*rewards(3))
            sender.close(SECONDS)
        self.assertEqual(told[0], "no metric {count}")
        self.assertIn("token_key", told[1])
        self.assertIn("counted before", told[2])
        self.assertEqual(len(logs.output), 1)
        self.assertIn(
            "REJECTED to 1 rewards, the last of them: no metric {count}",
            logs.output[0],
        )

    def test_a_duplicate_of_itself_is_no_refusal(self):
        """The answer was lost; the second try is told it came before."""
        told = []
        sender = self.sender(
            ScriptedTransport(
                failure(),
                lambda batch: [Outcome.DUPLICATE] * len(batch),
                lambda batch: [Outcome.DUPLICATE] * len(batch),
            ),
            on_refused=lambda reward, *_: told.append(reward),
        )
        sender.submit(*rewards(2))
        self.assertEqual(sender.flush(SECONDS), [])
        self.assertEqual(told, [])
        sender.submit(*rewards(1))
        sender.close(SECONDS)
        self.assertEqual(told, rewards(1))
        self.assertEqual(sender.stats().duplicate, 3)

    def test_a_callback_that_raises_ends_nothing(self):
        def wrong(*_):
            raise KeyError("mine")

        sender = self.sender(
            ScriptedTransport(lambda batch: [Outcome.LATE] * len(batch)),
            on_refused=wrong,
        )
        with self.assertLogs("bandit_router", "ERROR"):
            sender.submit(*rewards(2))
            self.assertEqual(sender.flush(SECONDS), [])
            sender.submit(*rewards(1))
            sender.close(SECONDS)
        self.assertEqual(sender.stats().accepted, 1)

    def test_flush_returns_what_waits_and_close_what_is_lost(self):
        hold = threading.Event()
        told = []
        transport = ScriptedTransport(hold=hold)
        sender = self.sender(transport, on_undelivered=told.append)
        sender.submit(*rewards(2))
        self.assertTrue(transport.entered.wait(SECONDS))
        sender.submit(*rewards(3, start=2))
        self.assertEqual(sender.flush(0), rewards(5))
        with self.assertLogs("bandit_router", "ERROR") as logs:
            self.assertEqual(sender.close(0), rewards(5))
        self.assertIn("5 rewards were not delivered", logs.output[0])
        self.assertEqual(told, [rewards(5)])
        self.assertTrue(transport.closed)
        self.assertEqual(sender.close(0), [])
        self.assertIs(sender.submit(*rewards(1)), Submitted.CLOSED)
        hold.set()
        stats = sender.stats()
        self.assertEqual((stats.undelivered, stats.closed), (5, 1))
        self.check_conserved(sender)

    def test_flush_and_close_end_the_wait_between_two_tries(self):
        """The waits would be an hour each."""
        for end in ("flush", "close"):
            with self.subTest(end):
                transport = ScriptedTransport(failure())
                sender = self.sender(
                    transport, backoff=Backoff(initial=3600, maximum=3600)
                )
                sender.submit(*rewards(1))
                self.assertTrue(transport.entered.wait(SECONDS))
                self.assertEqual(getattr(sender, end)(SECONDS), [])
                self.assertEqual(len(transport.batches), 2)
                self.assertEqual(sender.stats().accepted, 1)

    def test_flush_and_close_end_the_wait_for_more(self):
        for end in ("flush", "close"):
            with self.subTest(end):
                sender = self.sender(ScriptedTransport(), linger=3600)
                sender.submit(*rewards(1))
                self.assertEqual(getattr(sender, end)(SECONDS), [])
                self.assertEqual(sender.stats().accepted, 1)

    def test_a_full_batch_waits_for_no_more(self):
        transport = ScriptedTransport()
        sender = self.sender(transport, linger=3600, max_batch=3)
        for reward in rewards(3):
            sender.submit(reward)
        self.assertTrue(transport.entered.wait(SECONDS))

    def test_many_threads_lose_nothing(self):
        """Failures in between, and refusals at the door."""
        rng = random.Random(3)
        transport = ScriptedTransport(
            *(failure(rng.random() < 0.5) if rng.random() < 0.5 else None
              for _ in range(200))
        )
        sender = self.sender(transport, capacity=50, max_batch=16)
        refused = [0] * 8

        def work(n):
            for i in range(500):
                while not sender.submit(Reward(1, "m", f"{n}-{i}")):
                    refused[n] += 1

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sender.close(SECONDS), [])
        stats = sender.stats()
        self.assertEqual((stats.submitted, stats.accepted), (4000, 4000))
        self.assertEqual(stats.full, sum(refused))
        self.assertGreater(stats.failures, 0)
        answered = {r.decision for batch in transport.batches for r in batch}
        self.assertEqual(len(answered), 4000)

    def test_rewards_that_nothing_could_take_are_refused(self):
        for wrong, error in (
            ({"value": 1}, ValueError),
            ({"value": None, "decision": "t"}, TypeError),
            ({"value": 1, "decision": "\ud800"}, ValueError),
        ):
            with self.subTest(wrong), self.assertRaises(error):
                Reward(**wrong)
        self.assertEqual(Reward(True, decision="t").value, 1)

    def test_options_that_make_no_sense_are_refused(self):
        for wrong in ({"capacity": 0}, {"max_batch": -1}, {"linger": -1},
                      {"timeout": 0}, {"exit_timeout": -1}):
            with self.subTest(wrong), self.assertRaises(ValueError):
                SenderOptions(**wrong)
        for wrong in ({"initial": -1}, {"initial": 2, "maximum": 1}):
            with self.subTest(wrong), self.assertRaises(ValueError):
                Backoff(**wrong)


class BackoffTest(unittest.TestCase):
    def test_it_doubles_up_to_the_maximum_and_is_cut_by_up_to_half(self):
        backoff = Backoff(0.1, 3.0, random.Random(1))
        for failures, longest in ((1, 0.1), (2, 0.2), (3, 0.4), (6, 3.0),
                                  (5000, 3.0)):
            delays = [backoff.delay(failures) for _ in range(200)]
            self.assertLessEqual(max(delays), longest)
            self.assertGreaterEqual(min(delays), longest / 2)
            # Uniform in between: the mean is within 6 standard errors.
            self.assertAlmostEqual(
                sum(delays) / 200, 0.75 * longest, delta=0.062 * longest
            )


class ProcessTest(unittest.TestCase):
    def test_a_forked_child_begins_anew(self):
        """Forked while the parent's thread is in a call with rewards behind."""
        hold = threading.Event()
        transport = ScriptedTransport(hold=hold)
        sender = RewardSender(
            transport, SenderOptions(linger=0, backoff=AT_ONCE)
        )
        sender.submit(*rewards(1))
        self.assertTrue(transport.entered.wait(SECONDS))
        sender.submit(*rewards(2, start=1))
        child = os.fork()
        if child == 0:
            code = 1
            try:
                signal.alarm(SECONDS)
                transport.hold = None
                transport.batches.clear()
                fresh = sender.stats().submitted == 0
                taken = sender.submit(*rewards(1, start=9))
                left = sender.close(SECONDS)
                mine = transport.batches == [rewards(1, start=9)]
                code = 0 if fresh and taken and mine and not left else 2
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0)
        hold.set()
        self.assertEqual(sender.close(SECONDS), [])
        self.assertEqual(sender.stats().accepted, 3)

    def test_the_interpreters_end_sends_what_waits(self):
        """A script that neither flushes nor closes."""
        script = """
import sender_test
transport = sender_test.ScriptedTransport()
transport.close = lambda: print("sent", sum(map(len, transport.batches)))
sender = sender_test.RewardSender(
    transport, sender_test.SenderOptions(linger=3600, exit_timeout=30))
sender.submit(*sender_test.rewards(7))
"""
        done = subprocess.run(
            [sys.executable, "-B", "-c", script], capture_output=True,
            text=True, timeout=2 * SECONDS, check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        self.assertEqual((done.stdout, done.stderr), ("sent 7\n", ""))


if __name__ == "__main__":
    unittest.main()
