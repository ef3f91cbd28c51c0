# SPDX-License-Identifier: Apache-2.0
"""docs/getting_started.md, typed as it stands, and docs/errors.md after it."""

import json
import os
import pathlib
import tempfile
import unittest

import session as sessions
from pages import ROOT, Block, Page

BUILD = pathlib.Path(os.environ["BANDIT_BUILD"]).resolve()
PYTHON = os.environ.get("BANDIT_PYTHONPATH", "")


class Path(unittest.TestCase):
    maxDiff = None

    def reader(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        # A release build stands at build/release; here it is any.
        reader = sessions.Session(
            ROOT, folder.name,
            {"$CLONE/build/release": str(BUILD), "/tmp/first": folder.name},
            {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": PYTHON})
        self.enterContext(reader)
        return reader

    def test_the_ten_minutes_and_the_errors_are_as_the_pages_say(self):
        reader = self.reader()
        docs = ROOT / "docs"
        self.assertGreater(reader.follow(Page(docs / "getting_started.md")), 20)
        self.learned(reader)
        self.assertGreater(reader.follow(Page(docs / "errors.md")), 40)

    def learned(self, reader):
        """Numbers are free on the page; here is what they must have come to."""
        status = json.loads(reader.run("banditctl status --json"))
        experiment = status["experiments"][0]
        arms = {arm["name"]: arm for arm in experiment["arms"]}
        self.assertGreater(arms["candidate"]["probability"], 0.9)
        self.assertGreater(int(arms["candidate"]["decisions"]),
                           2 * int(arms["control"]["decisions"]))
        self.assertEqual({"ACCEPTED": "300"},
                         experiment["metrics"][0]["outcomes"])


class TheTestItself(unittest.TestCase):
    def shows(self, text, printed, *more):
        return sessions.shows(text, printed, *more)

    def test_a_number_stands_for_any_number_where_a_page_prints(self):
        self.assertTrue(self.shows("up 1.5s, 3 of 4\n", "up 21.7s, 9 of 10\n",
                                   False))
        self.assertFalse(self.shows("up 1.5s\n", "up ages\n", False))
        self.assertFalse(self.shows("port 8080\n", "port 8081\n", True))

    def test_dots_stand_for_lines_and_for_what_is_in_one(self):
        self.assertTrue(self.shows("a\n...\nb\n", "a\n1\n2\nb\n", True))
        self.assertTrue(self.shows("a\n...\nb\n", "a\nb\n", True))
        self.assertTrue(self.shows("a ... d\n", "a b c d\n", True))
        self.assertFalse(self.shows("a ... d\n", "a b\nc d\n", True))
        self.assertFalse(self.shows("a\n", "a\nb\n", True))
        self.assertTrue(self.shows("a\n", "a\nb\n", True, True))

    def test_a_command_that_fails_or_prints_something_else_is_a_fault(self):
        with tempfile.TemporaryDirectory() as folder:
            with sessions.Session(folder, folder, {}, {}) as reader:
                reader.do(Block("sh", ["run"], "x=127.0.0.1\n", 1))
                reader.do(Block("sh", ["run"], "echo $x; cd /\n", 1))
                reader.do(Block("", ["says"], reader.address, 1))
                with self.assertRaises(sessions.Failed):
                    reader.do(Block("", ["says"], "something else\n", 1))
                with self.assertRaises(sessions.Failed):
                    reader.do(Block("sh", ["run"], "false\n", 1))
                reader.do(Block("sh", ["run", "fails"], "false\n", 1))
                with self.assertRaises(sessions.Failed):
                    reader.do(Block("sh", ["run", "fails"], "true\n", 1))


if __name__ == "__main__":
    unittest.main()
