# SPDX-License-Identifier: Apache-2.0
"""What the pages show as code is code: configs load, programs compile.

Blocks that run are run by path_test.py.
"""

import ast
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

import config_blocks
from pages import ROOT, Block, Page, pages

sys.path.insert(0, str(ROOT / "tests" / "integration" / "router"))

import certificates  # noqa: E402

ROUTER = os.environ["BANDIT_ROUTER"]
BANDITCTL = os.environ["BANDITCTL"]
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_PEM = re.compile(r"/[\w./-]+\.(?:pem|crt|key)")
# Languages that a block may have. Empty: what a program prints, a sketch.
KNOWN = {"", "cmake", "console", "cpp", "go", "json", "promql", "proto", "python", "sh",
         "text", "yaml"}


def blocks(language):
    for path in pages():
        page = Page(path)
        for block in page.blocks:
            if block.language == language:
                yield f"{page.name}:{block.line}", block


class Files:
    """The certificates that configs of the pages name, really there."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        authority = certificates.Authority(folder)
        self.leaf = authority.issue("leaf", "DNS:example.com")

    def name(self, text):
        """The text, with paths that exist."""
        for path in sorted(set(_PEM.findall(text))):
            made = self.folder / path.lstrip("/").replace("/", "_")
            key = path.endswith(".key")
            made.write_bytes(self.leaf.key_pem if key else self.leaf.pem)
            made.chmod(0o600)
            text = text.replace(path, str(made))
        return text


def check(text, folder):
    """What `--check` says; empty: the config is good."""
    path = pathlib.Path(folder) / "config.yaml"
    path.write_text(text, encoding="utf-8")
    variables = {name: f"/made-up/{name}" for name in _VARIABLE.findall(text)}
    done = subprocess.run(
        [ROUTER, "--check", "--config", path], capture_output=True, text=True,
        timeout=30, check=False, env={**os.environ, **variables})
    return "" if done.returncode == 0 else done.stderr.strip() or "no reason"


def simulate(world):
    """What banditctl says against a world: nothing if it simulates it."""
    described = yaml.safe_load(world)
    features = [
        {"name": name, "metadata": f"x-{name}", **(
            {"categories": list(feature["shares"])} if "shares" in feature
            else {})}
        for name, feature in described.get("features", {}).items()
    ]
    config = {
        "backends": {"a": {"address": "127.0.0.1:1"}},
        "experiments": [{
            "name": "ranker",
            "match": {"service": "any.Service"},
            "arms": [{"name": arm["name"], "backend": "a"}
                     for arm in described["arms"]],
            "control": described["arms"][0]["name"],
            "policy": {"name": "thompson", "floor": 0.02},
            "metrics": [{"name": "click", "kind": "binary", "window": "10m"}],
            **({"context": {"features": features}} if features else {}),
        }],
    }
    with tempfile.TemporaryDirectory() as folder:
        files = {"router.yaml": yaml.safe_dump(config), "world.yaml": world}
        for name, text in files.items():
            pathlib.Path(folder, name).write_text(text, encoding="utf-8")
        done = subprocess.run(
            [BANDITCTL, "simulate", "router.yaml", "--world", "world.yaml",
             "--rounds", "200", "--runs", "1"],
            cwd=folder, capture_output=True, text=True, timeout=60,
            check=False)
    return done.stderr.strip() if done.returncode else ""


def block_of_a_world():
    return "arms:\n- {name: control, reward: {mean: 0.3}}\n"


class Configs(unittest.TestCase):
    maxDiff = None

    def test_every_config_of_the_pages_loads(self):
        count, faults = 0, []
        with tempfile.TemporaryDirectory() as folder:
            files = Files(folder)
            for where, block in blocks("yaml"):
                if block.marks[:2] == ["not", "a"]:
                    continue  # Another program's: `<!-- test: not a config -->`.
                count += 1
                try:
                    text = files.name(config_blocks.whole(block))
                except config_blocks.NoPart as fault:
                    faults.append(f"{where}: {fault}")
                    continue
                said = check(text, folder)
                if said:
                    faults.append(f"{where}: {said}\n{text}")
        self.assertEqual("", "\n".join(faults))
        self.assertGreater(count, 15, "blocks are not found any more")

    def test_every_world_of_the_pages_is_one(self):
        count, faults = 0, []
        for where, block in blocks("yaml"):
            if block.marks[-2:] != ["a", "world"]:
                continue
            count += 1
            said = simulate(block.text)
            if said:
                faults.append(f"{where}: {said}")
        self.assertEqual("", "\n".join(faults))
        self.assertGreater(count, 1, "worlds are not found any more")
        self.assertIn("colour", simulate("colour: red\n" + block_of_a_world()))

    def test_a_part_with_a_field_that_is_not_there_does_not_load(self):
        with tempfile.TemporaryDirectory() as folder:
            for of in ("config", "experiment", "arm", "backend"):
                part = Block("yaml", ["part", "of", of], "colour: red\n", 1)
                said = check(config_blocks.whole(part), folder)
                self.assertIn("colour", said)

    def test_a_block_that_does_not_say_what_it_is_is_a_fault(self):
        with self.assertRaises(config_blocks.NoPart):
            config_blocks.whole(Block("yaml", [], "retry: {}\n", 1))


class Programs(unittest.TestCase):
    def test_every_block_has_a_language_that_is_known(self):
        faults = [
            f"{page.name}:{block.line}: {block.language}"
            for page in map(Page, pages()) for block in page.blocks
            if block.language not in KNOWN
        ]
        self.assertEqual([], faults)

    def test_python_compiles(self):
        count = 0
        for where, block in blocks("python"):
            count += 1
            with self.subTest(where):
                ast.parse(block.text, where)
        self.assertGreater(count, 0)

    def test_json_is_json(self):
        for where, block in blocks("json"):
            with self.subTest(where):
                json.loads(block.text)

    def test_shell_has_no_mistake_that_the_shell_sees(self):
        count = 0
        for where, block in blocks("sh"):
            count += 1
            with self.subTest(where):
                done = subprocess.run(
                    ["bash", "-n"], input=block.text, text=True,
                    capture_output=True, check=False)
                self.assertEqual("", done.stderr)
        self.assertGreater(count, 0)

    def test_cpp_that_is_a_file_compiles_within_the_project(self):
        count = 0
        for where, block in blocks("cpp"):
            named = re.match(r"// file: (\S+)\n", block.text)
            if not named:
                continue
            count += 1
            with self.subTest(where):
                done = subprocess.run(
                    ["c++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra",
                     "-Werror", "-I", ROOT, "-x", "c++", "-"],
                    input=block.text, text=True, capture_output=True,
                    timeout=120, check=False)
                self.assertEqual("", done.stderr)
        self.assertGreater(count, 0)


if __name__ == "__main__":
    unittest.main()
