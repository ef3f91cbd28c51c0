# SPDX-License-Identifier: Apache-2.0
"""What passes, what fails, and what is written down of it."""

import json
import os
import sys
import unittest

os.environ.setdefault("BANDIT_ROUTER", "not started here")
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402
import sheet as sheets  # noqa: E402
import tools  # noqa: E402
from suites import h2spec  # noqa: E402

# As h2spec writes it: its words are not escaped.
REPORT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="6.1. DATA" package="http2/6.1" id="6.1" tests="3">
    <testcase package="http2/6.1" classname="passes" time="0.1"></testcase>
    <testcase package="http2/6.1" classname="fails" time="0.1">
      <error>Actual: <nil> & \x01</error>
    </testcase>
    <testcase package="http2/6.1" classname="not tried" time="0.1">
      <skipped></skipped>
    </testcase>
  </testsuite>
  <testsuite name="7. Errors" package="http2/7" id="7" tests="0"></testsuite>
</testsuites>
"""


class SheetTest(unittest.TestCase):
    def setUp(self):
        self.said = []
        self.sheet = sheets.Sheet(self.said.append)
        self.sheet.suite = "suite"

    def test_nothing_tried_is_not_passed(self):
        self.assertFalse(self.sheet.passed)

    def test_what_is_raised_fails_that_case_alone(self):
        with self.sheet.case("peer 1", "breaks"):
            lab.same(1, 2)
        with self.sheet.case("peer 1", "works") as case:
            case.note = "seen"
        self.assertEqual(
            [(c.name, c.passed) for c in self.sheet.cases],
            [("breaks", False), ("works", True)],
        )
        self.assertFalse(self.sheet.passed)
        self.assertIn("found: 1, expected 2", self.said[0])
        self.assertIn("1 passed, 1 failed", self.sheet.summary())
        self.assertFalse(json.loads(self.sheet.to_json())["passed"])

    def test_a_case_without_an_end_has_not_passed(self):
        class Stop(BaseException):
            pass

        with self.assertRaises(Stop):
            with self.sheet.case("peer", "interrupted"):
                raise Stop
        self.assertFalse(self.sheet.passed)

    def test_a_row_has_a_column_for_each_transport(self):
        for transport in (sheets.PLAIN, sheets.TLS):
            with self.sheet.case("peer", "both", transport) as case:
                case.note = "a|b"
        with self.sheet.case("peer", "plain only"):
            pass
        text = self.sheet.markdown()
        self.assertIn("| peer | both | passed | passed | a\\|b |", text)
        self.assertIn("| peer | plain only | passed |  |  |", text)
        self.assertIn("| suite | peer | plain | 2 of 2 |", text)

    def test_a_client_that_dies_has_failed(self):
        with self.sheet.case("peer", "runs"):
            raise lab.Failed(["client.py"], _Done(3, "", "killed"))
        self.assertFalse(self.sheet.passed)
        self.assertIn("exited with 3: killed", self.said[0])


class H2specTest(unittest.TestCase):
    def test_its_report_is_read_though_it_is_not_xml(self):
        ((section, cases),) = h2spec.parse(REPORT)
        self.assertEqual(section, "http2 6.1. DATA")
        self.assertEqual([name for name, _ in cases],
                         ["passes", "fails", "not tried"])
        self.assertEqual([wrong for _, wrong in cases],
                         [None, "error: Actual: <nil> & ?", "skipped: "])

    def test_what_failed_is_named_what_passed_is_counted(self):
        sheet = sheets.Sheet(lambda line: None)
        for section, cases in h2spec.parse(REPORT):
            h2spec.enter(sheet, "h2spec", sheets.PLAIN, section, cases)
        found = [(c.name, c.counts, c.passed) for c in sheet.cases]
        self.assertEqual(found, [
            ("http2 6.1. DATA", 1, True),
            ("http2 6.1. DATA: fails", 1, False),
            ("http2 6.1. DATA: not tried", 1, False),
        ])


class ToolsTest(unittest.TestCase):
    def test_every_program_has_a_version(self):
        box = tools.Toolbox("unused")
        for program in box.versions["go"]["programs"]:
            self.assertRegex(box.go_version(program), r"^\d+\.\d+\.\d+$")
        self.assertRegex(box.python_version("tritonclient"), r"^\d+\.\d+")

    def test_a_failed_command_is_one_line(self):
        with self.assertRaisesRegex(tools.Missing, "^false: $"):
            tools.run(["false"], "/")


class _Done:
    def __init__(self, returncode, stdout, stderr):
        self.returncode, self.stdout, self.stderr = returncode, stdout, stderr


if __name__ == "__main__":
    unittest.main()
