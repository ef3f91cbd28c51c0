# SPDX-License-Identifier: Apache-2.0
"""The committed stubs are what protoc makes of the .proto."""

import pathlib
import subprocess
import tempfile
import unittest

PACKAGE = pathlib.Path(__file__).resolve().parent.parent


class StubsTest(unittest.TestCase):
    def test_they_are_current(self):
        committed = PACKAGE / "src" / "bandit_router" / "_proto"
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([PACKAGE / "generate", folder], check=True,
                           timeout=60)
            made = sorted(pathlib.Path(folder).iterdir())
            self.assertEqual(len(made), 2)
            for file in made:
                self.assertEqual(
                    file.read_text(encoding="utf-8"),
                    (committed / file.name).read_text(encoding="utf-8"),
                    f"{file.name} is stale: run clients/python/generate",
                )


if __name__ == "__main__":
    unittest.main()
