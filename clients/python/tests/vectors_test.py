# SPDX-License-Identifier: Apache-2.0
"""Hashing and tokens, held to the vectors that all clients share."""

import datetime
import json
import math
import pathlib
import random
import string
import unittest

from bandit_router.hashing import Purpose, experiment_id, hash_unit, place
from bandit_router.token import TokenError, read_token

ROOT = pathlib.Path(__file__).resolve().parents[3]
with open(ROOT / "tests/vectors/client.json", encoding="utf-8") as opened:
    VECTORS = json.load(opened)
ALPHABET = string.ascii_letters + string.digits + "-_"


class HashingTest(unittest.TestCase):
    def test_units_hash_as_the_router_hashes_them(self):
        self.assertGreater(len(VECTORS["hash_unit"]), 280)
        for v in VECTORS["hash_unit"]:
            with self.subTest(v):
                self.assertEqual(
                    hash_unit(Purpose(v["purpose"]), v["salt"], v["unit"]),
                    int(v["hash"]),
                )

    def test_places(self):
        for v in VECTORS["place"]:
            with self.subTest(v):
                self.assertEqual(
                    place(Purpose(v["purpose"]), v["salt"], v["unit"]),
                    v["place"],
                )

    def test_experiment_ids(self):
        for v in VECTORS["experiment_id"]:
            with self.subTest(v):
                self.assertEqual(experiment_id(v["name"]), v["id"])


class TokenTest(unittest.TestCase):
    def test_fields_are_read_without_the_key(self):
        tokens = VECTORS["token"] + VECTORS["forged_token"]
        self.assertGreater(len(tokens), 40)
        for v in tokens:
            with self.subTest(v["token"]):
                read = read_token(v["token"])
                said = v["decision"]
                for name in ("experiment", "epoch", "arm", "propensity",
                             "time_ms", "own_unit", "segments", "covariate"):
                    self.assertEqual(getattr(read, name), said[name], name)
                self.assertEqual(read.id, int(said["id"]))
                self.assertEqual(read.unit, int(said["unit"]))
                # -0.0 == 0.0, so by their text.
                self.assertEqual(
                    [*map(repr, read.features)],
                    [repr(float(x)) for x in said["features"]],
                )

    def test_the_unit_and_the_experiment_can_be_told(self):
        read = read_token(VECTORS["token"][1]["token"])
        self.assertEqual(read.experiment, experiment_id("ranker"))
        self.assertEqual(read.unit, hash_unit(Purpose.ARM, "ranker", "alice"))
        self.assertEqual(
            read.time,
            datetime.datetime(2023, 11, 14, 22, 13, 20, 123000,
                              datetime.timezone.utc),
        )

    def test_malformed_tokens_are_refused(self):
        self.assertGreater(len(VECTORS["malformed_token"]), 35)
        for v in VECTORS["malformed_token"]:
            with self.subTest(v["why"]), self.assertRaises(TokenError):
                read_token(v["token"])

    def test_no_other_failure_than_token_error(self):
        """Good tokens, cut and with letters changed."""
        rng = random.Random(5)
        for _ in range(3000):
            token = list(rng.choice(VECTORS["token"])["token"])
            for _ in range(rng.randrange(4)):
                token[rng.randrange(len(token))] = rng.choice(ALPHABET)
            if rng.random() < 0.3:
                token = token[: rng.randrange(len(token))]
            try:
                read = read_token("".join(token))
            except TokenError:
                continue
            self.assertTrue(0 < read.propensity <= 1)
            self.assertTrue(all(map(math.isfinite, read.features)))


if __name__ == "__main__":
    unittest.main()
