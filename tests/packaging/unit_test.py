# SPDX-License-Identifier: Apache-2.0
"""The systemd unit, its config and the manual, without systemd running."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
UNIT = PACKAGING / "bandit-router.service"
ROUTER = os.environ["BANDIT_ROUTER"]
# Of `systemd-analyze security`, 0 (nothing is open) to 10.
EXPOSURE = 2.0


def settings():
    found = {}
    for line in UNIT.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def run(*words, **options):
    return subprocess.run(
        [str(word) for word in words], capture_output=True, text=True,
        timeout=60, check=False, **options)


class Unit(unittest.TestCase):
    def test_it_waits_longer_than_the_router(self):
        """TimeoutStopSec covers the grace and the five seconds for a disk."""
        config = yaml.safe_load((PACKAGING / "router.yaml").read_text())
        grace = int(config.get("grace", "10s").removesuffix("s"))
        (timeout,) = settings()["TimeoutStopSec"]
        self.assertGreater(int(timeout.removesuffix("s")), grace + 5)

    def test_the_config_is_good(self):
        done = run(ROUTER, "--check", "--config", PACKAGING / "router.yaml",
                   env={})
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_the_config_is_good_with_its_example(self):
        """The experiment that is commented out."""
        text = (PACKAGING / "router.yaml").read_text()
        head, _, example = text.partition("# experiments:")
        text = head.replace("# model-b:", "model-b:") + "experiments:" + (
            re.sub("^# ?", "", example, flags=re.M))
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(text)
            file.flush()
            done = run(ROUTER, "--check", "--config", file.name, env={})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1 experiment", done.stdout)

    def test_exit_codes_of_wrong_flags_and_configs_end_it(self):
        """Restarting mends neither."""
        (stop,) = settings()["RestartPreventExitStatus"]
        wrong = {
            run(ROUTER).returncode,
            run(ROUTER, "--config", "x", "--nonsense").returncode,
            run(ROUTER, "--config", "x", "--log-level", "loud").returncode,
            run(ROUTER, "--config", "/nowhere").returncode,
        }
        self.assertLessEqual(wrong, set(map(int, stop.split())))

    def test_ready_is_told(self):
        self.assertEqual(settings()["Type"], ["notify"])
        said = (ROOT / "router" / "lifecycle.cc").read_text()
        self.assertIn('TellServiceManager("READY=1")', said)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze")
    def test_systemd_takes_it_and_finds_it_closed(self):
        with tempfile.TemporaryDirectory() as folder:
            unit = pathlib.Path(folder) / UNIT.name
            # The program that is there.
            unit.write_text(UNIT.read_text().replace(
                "/usr/bin/bandit-router", os.path.abspath(ROUTER)))
            done = run("systemd-analyze", "verify", "--man=no", unit)
            # It may have something against other units of this machine.
            ours = [line for line in done.stderr.splitlines()
                    if UNIT.name in line]
            self.assertEqual(ours, [])
            done = run("systemd-analyze", "security", "--offline=true",
                       f"--threshold={int(EXPOSURE * 10)}", unit)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        overall = re.search(r"Overall exposure level.*?: ([\d.]+)", done.stdout)
        self.assertLessEqual(float(overall[1]), EXPOSURE)


class Manual(unittest.TestCase):
    def test_every_flag_is_in_it(self):
        page = (PACKAGING / "bandit-router.8").read_text()
        flags = set(re.findall(r"--([a-z-]+)", run(ROUTER, "--help").stdout))
        self.assertGreater(len(flags), 4)
        for flag in flags:
            self.assertIn(f"Fl -{flag}", page)

    @unittest.skipUnless(shutil.which("man"), "no man")
    def test_man_has_nothing_against_it(self):
        for page in PACKAGING.glob("*.[18]"):
            done = run("man", "--warnings", "-l", page,
                       env={**os.environ, "MANPAGER": "cat", "LC_ALL": "C"})
            self.assertEqual((done.returncode, done.stderr), (0, ""), page)
            self.assertIn("SYNOPSIS", done.stdout)


if __name__ == "__main__":
    unittest.main()
