# SPDX-License-Identifier: Apache-2.0
"""The reader of Containerfiles, and ours as it reads it."""

import pathlib
import re
import unittest

import containerfile
from containerfile import Ignore, Unknown

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Reader(unittest.TestCase):
    def test_stages_steps_and_lines(self):
        stages = containerfile.stages(
            "ARG BASE=debian:12\n"
            "FROM ${BASE} AS build\n"
            "# a comment\n"
            "RUN one && \\\n"
            "    # another, within\n"
            "    two\n"
            "\n"
            "FROM scratch\n"
            "COPY --from=build /a /b/ /c/\n"
        )
        self.assertEqual([(s.base, s.name) for s in stages],
                         [("debian:12", "build"), ("scratch", "1")])
        (run,) = stages[0].steps
        self.assertEqual((run.word, run.line), ("RUN", 4))
        self.assertEqual(run.text.split(), ["one", "&&", "two"])
        copy = containerfile.copy_of(stages[1].steps[0])
        self.assertEqual((copy.stage, copy.sources, copy.target),
                         ("build", ["/a", "/b/"], "/c/"))

    def test_what_is_not_understood_is_an_error(self):
        for text in ("FROM a\nHEALTHCHECK NONE", "RUN x\nFROM a",
                     "FROM $X", "FROM a\nRUN x \\", "FROM a b c"):
            with self.assertRaises(Unknown, msg=text):
                containerfile.stages(text)
        for text in ("--chown=1:1 a b", "a"):
            with self.assertRaises(Unknown, msg=text):
                containerfile.copy_of(containerfile.Step("COPY", text, 1))

    def test_ignore(self):
        ignore = Ignore("# no\n.git\nbuild\n**/__pycache__\n*.md\n!README.md\n")
        for path in (".git/config", "build/a/b", "a/__pycache__/x.pyc",
                     "__pycache__/y", "CHANGES.md"):
            self.assertTrue(ignore.leaves_out(path), path)
        for path in ("README.md", "docs/x.md", ".gitignore", "builder/a"):
            self.assertFalse(ignore.leaves_out(path), path)


class Ours(unittest.TestCase):
    def setUp(self):
        self.stages = containerfile.stages(
            (ROOT / "Containerfile").read_text())
        self.last = {s.word: s.text for s in self.stages[-1].steps}

    def test_the_last_stage_is_small_and_nobody(self):
        """Only the package comes over, and the user is the manifests' one."""
        copies = [containerfile.copy_of(s) for s in self.stages[-1].steps
                  if s.word == "COPY"]
        self.assertEqual([c.stage for c in copies], ["build"])
        self.assertEqual(self.last["USER"], "65532:65532")
        for path in (ROOT / "k8s").rglob("*"):
            if path.suffix in (".yaml", ".tpl"):
                for user in re.findall(r"runAsUser: (\d+)", path.read_text()):
                    self.assertEqual(f"{user}:{user}", self.last["USER"], path)

    def test_it_starts_what_the_manifests_give_arguments_to(self):
        self.assertEqual(containerfile.words(self.last["ENTRYPOINT"]),
                         ["/usr/bin/bandit-router"])
        self.assertEqual(containerfile.words(self.last["CMD"])[0], "--config")

    def test_the_build_sees_what_it_needs_and_no_more(self):
        ignore = Ignore((ROOT / ".dockerignore").read_text())
        for path in ("CMakeLists.txt", "CMakePresets.json", "router/main.cc",
                     "cmake/BanditPackage.cmake", "packaging/router.yaml",
                     "tools/packages.txt", "protos/bandit/v1/config.proto"):
            self.assertTrue((ROOT / path).exists(), path)
            self.assertFalse(ignore.leaves_out(path), path)
        for path in (".git/HEAD", "build/release/build.ninja", "tests/x.py",
                     "docs/index.md"):
            self.assertTrue(ignore.leaves_out(path), path)


if __name__ == "__main__":
    unittest.main()
