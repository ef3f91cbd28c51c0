# SPDX-License-Identifier: Apache-2.0
"""tritonclient, unchanged: blocking, asyncio, and by request id.

It is not in Debian: `./dev clients python` fetches it and skips nothing.
"""

import asyncio
import unittest

from support import SECONDS, ClientTest, model_metadata

try:
    import tritonclient.grpc as triton
    import tritonclient.grpc.aio as triton_aio
except ImportError:
    triton = None


@unittest.skipIf(triton is None, "no tritonclient here: ./dev clients python")
class TritonTest(ClientTest):
    """The model echoes: a request's inputs read as a response's outputs."""

    def test_a_decision_is_caught_and_rewarded(self):
        bandit = self.client(self.start().listen)
        with bandit.intercept_new_channels():
            client = triton.InferenceServerClient(self.listen)
        self.addCleanup(client.close)
        with bandit.context("alice", {"device": "ios"}) as decision:
            result = client.infer("ranker", [])
        self.assertEqual(result.get_response().model_name, "ranker")
        self.assertIn(decision.arm, ("control", "candidate"))
        self.assertEqual(self.sent()["x-user-id"], "alice")
        self.assertEqual(self.sent()["x-device"], "ios")
        self.assertTrue(decision.reward(click=1))
        self.assertEqual(bandit.flush(SECONDS), [])
        self.assertEqual(bandit.stats().accepted, 1)

    def test_asyncio(self):
        bandit = self.client(self.start().listen)

        async def ask():
            with bandit.intercept_new_channels():
                client = triton_aio.InferenceServerClient(self.listen)
            try:
                with bandit.context("alice") as decision:
                    await client.infer("ranker", [])
                return decision.last
            finally:
                await client.close()

        decision = asyncio.run(ask())
        self.assertTrue(decision.token)
        self.assertTrue(decision.reward(click=0))
        self.assertEqual(bandit.flush(SECONDS), [])
        self.assertEqual(bandit.stats().accepted, 1)

    def test_the_plugin_rewards_by_request_id(self):
        bandit = self.client(self.start(tail="\njoin: {}\n").listen)
        client = triton.InferenceServerClient(self.listen)
        self.addCleanup(client.close)
        client.register_plugin(bandit.triton_plugin())
        with bandit.context("alice") as decision:
            client.infer("ranker", [])
        self.assertIsNone(decision.token)
        self.assertEqual(
            self.sent()["x-request-id"], decision.last.request_id
        )
        self.assertTrue(decision.reward(click=1))
        self.assertEqual(bandit.flush(SECONDS), [])
        self.assertEqual(bandit.stats().accepted, 1)

    def start(self, **arguments):
        router = super().start(**arguments)
        self.listen = router.listen
        return router

    def sent(self):
        return model_metadata(self.a if self.a.requests else self.b)


if __name__ == "__main__":
    unittest.main()
