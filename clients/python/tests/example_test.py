# SPDX-License-Identifier: Apache-2.0
"""The example as it stands, but on ports that are free."""

import contextlib
import importlib.util
import io
import pathlib
import random
import re
import unittest

from support import RouterTest

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent / "examples"


def load():
    spec = importlib.util.spec_from_file_location(
        "ranker", EXAMPLES / "ranker.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class ExampleTest(RouterTest):
    def test_the_split_learns_from_clicks(self):
        ranker = load()
        text = (EXAMPLES / "router.yaml").read_text(encoding="utf-8")
        served = ranker.serve(["127.0.0.1:0", "127.0.0.1:0"])
        for wanted, (server, port) in zip((8001, 8002), served):
            self.addCleanup(server.stop, 0)
            self.assertIn(f"127.0.0.1:{wanted}", text)
            text = text.replace(f":{wanted}", f":{port}")
        router = self.router(text + "\nlearner: {tick: 10ms}\n")
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            whole = ranker.run(router.listen, 800, random.Random(1))
        self.assertTrue(whole, said.getvalue())
        quarters = [
            int(n) for n in re.findall(r"candidate (\d+)", said.getvalue())
        ]
        self.assertEqual(len(quarters), 4)
        # The better version has most of the last quarter's 200.
        self.assertGreater(quarters[-1], 130, said.getvalue())
        self.assertIn("rewards: 800 accepted, 0 refused", said.getvalue())


if __name__ == "__main__":
    unittest.main()
