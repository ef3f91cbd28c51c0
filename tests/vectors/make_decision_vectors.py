#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes decision.json: golden vectors of hashing, draws and tokens.

A second implementation, from docs/hashing.md and docs/token.md alone, so that
the vectors are no echo of the C++. They are frozen: units would change arms,
and tokens in flight would be refused. Run it only to add cases:
    python3 make_decision_vectors.py > decision.json   (needs python3-xxhash)
"""
import base64
import hashlib
import json
import math
import random
import struct

import xxhash

MASK = (1 << 64) - 1


def field(text):
    data = text.encode()
    return struct.pack("<I", len(data)) + data


def hash_unit(purpose, salt, unit):
    return xxhash.xxh3_64_intdigest(bytes([purpose]) + field(salt) + field(unit))


def place(purpose, salt, unit):
    return (hash_unit(purpose, salt, unit) >> 11) * 2.0**-53


def audit_hash(previous, entry):
    text = struct.pack("<I", len(previous)) + previous + struct.pack(
        "<QQB", entry["sequence"], entry["time_ms"], entry["proven"])
    for key in ("who", "act", "experiment", "why", "detail"):
        text += field(entry[key])
    return hashlib.blake2b(text, digest_size=32,
                           key=b"bandit-router audit v1").digest()


def rendezvous_u(unit_hash, arm):
    h = xxhash.xxh3_64_intdigest(struct.pack("<Q", unit_hash) + arm.encode())
    return ((h >> 12) + 0.5) * 2.0**-52


def draw_sticky(unit_hash, arms, p):
    scores = [
        (-math.log(rendezvous_u(unit_hash, arm)) / q, i)
        for i, (arm, q) in enumerate(zip(arms, p)) if q > 0
    ]
    return min(scores)[1]


def siphash_2_4_128(key, data):
    """Aumasson and Bernstein's SipHash-2-4 with a 128-bit tag."""

    def rotl(x, b):
        return ((x << b) | (x >> (64 - b))) & MASK

    k0, k1 = struct.unpack("<QQ", key)
    v = [
        k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D ^ 0xEE,
        k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573
    ]

    def rounds(n):
        for _ in range(n):
            v[0] = (v[0] + v[1]) & MASK
            v[2] = (v[2] + v[3]) & MASK
            v[1] = rotl(v[1], 13) ^ v[0]
            v[3] = rotl(v[3], 16) ^ v[2]
            v[0] = rotl(v[0], 32)
            v[2] = (v[2] + v[1]) & MASK
            v[0] = (v[0] + v[3]) & MASK
            v[1] = rotl(v[1], 17) ^ v[2]
            v[3] = rotl(v[3], 21) ^ v[0]
            v[2] = rotl(v[2], 32)

    tail = len(data) % 8
    padded = data + bytes(7 - tail) + bytes([len(data) & 0xFF])
    for (m,) in struct.iter_unpack("<Q", padded):
        v[3] ^= m
        rounds(2)
        v[0] ^= m
    v[2] ^= 0xEE
    rounds(4)
    low = v[0] ^ v[1] ^ v[2] ^ v[3]
    v[1] ^= 0xDD
    rounds(4)
    return struct.pack("<QQ", low, v[0] ^ v[1] ^ v[2] ^ v[3])


def token_key(secret):
    return hashlib.blake2b(secret.encode(), digest_size=16,
                           key=b"bandit-router decision token v1").digest()


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def feature_bytes(features):
    codes = bytearray((len(features) + 3) // 4)
    verbatim = b""
    for i, value in enumerate(features):
        bits = struct.pack("<f", value)
        code = {struct.pack("<f", 0): 0, struct.pack("<f", 1): 1}.get(bits, 2)
        codes[i // 4] |= code << 2 * (i % 4)
        if code == 2:
            verbatim += bits
    return bytes(codes) + verbatim


def body(d):
    own = d["unit"] == d["id"]
    return (b"\x01" + struct.pack("<I", d["experiment"]) + varint(d["epoch"]) +
            bytes([d["arm"] | (0x80 if own else 0)]) +
            struct.pack("<d", d["propensity"]) +
            struct.pack("<Q", d["time_ms"])[:6] + struct.pack("<Q", d["id"]) +
            (b"" if own else struct.pack("<Q", d["unit"])) +
            varint(len(d["features"])) + feature_bytes(d["features"]))


def seal(secret, data):
    tagged = data + siphash_2_4_128(token_key(secret), data)
    return base64.urlsafe_b64encode(tagged).rstrip(b"=").decode()


def experiment_id(name):
    return xxhash.xxh3_64_intdigest(name.encode()) & 0xFFFFFFFF


def vectors():
    # The reference vector of SipHash's authors (key and input 00 01 02 ...).
    assert siphash_2_4_128(bytes(range(16)), bytes(range(15))).hex() == (
        "5493e99933b0a8117e08ec0f97cfc3d9")
    rng = random.Random(20240229)
    units = ["", "a", "alice", "user-1", "user-2", "42", "\u00e9t\u00e9",
             "0b6c9a1e-6f1c-4d0e-9d3c-8a4a3a8f3e11", "x" * 300]
    hashes = [(purpose, salt, unit) for purpose in (1, 2, 3, 4)
              for salt in ("ranker", "") for unit in units]
    # Fields are length-prefixed: these differ.
    hashes += [(1, "ab", "c"), (1, "a", "bc")]
    arms = ["control", "candidate", "b", "a-rather-long-name-of-a-model-variant"]
    splits = [[0.9, 0.1], [0.5, 0.5], [0, 1], [1, 0], [0.25] * 4,
              [0.97, 0.01, 0.01, 0.01], [0, 0.5, 0, 0.5]]
    draws = []
    for i in range(60):
        unit_hash = hash_unit(1, "ranker", f"user-{i}")
        p = splits[i % len(splits)]
        draws.append((unit_hash, arms[:len(p)], p))
    secrets = ["k", "bandit", "a secret of more than sixty-four bytes, as long "
               "as people like: the key is derived"]

    def decision(**changes):
        return {"experiment": experiment_id("ranker"), "epoch": 1, "arm": 0,
                "propensity": 0.9, "time_ms": 1700000000123, "id": 1,
                "unit": 1, "features": [], **changes}

    decisions = [
        decision(),
        decision(unit=hash_unit(1, "ranker", "alice")),
        decision(arm=63, propensity=1.0, epoch=127),
        decision(epoch=128, propensity=5e-324, time_ms=0),
        decision(epoch=2**32 - 1, time_ms=2**48 - 1, id=MASK, unit=0,
                 experiment=2**32 - 1),
        decision(features=[1.0, 0.0, 0.0, 1.0, -2.5]),
        decision(features=[1.0, -0.0, 1e-45, 3.4028234663852886e38]),
        decision(features=[1.0] + [0.5] * 31, unit=77),
        decision(features=[1.0] + [0.0] * 255),
    ]
    for _ in range(20):
        features = [1.0] + [
            rng.choice([0.0, 1.0, struct.unpack("<f", struct.pack(
                "<f", rng.gauss(0, 3)))[0]]) for _ in range(rng.randrange(20))]
        decisions.append(decision(
            experiment=rng.getrandbits(32), epoch=rng.getrandbits(10) + 1,
            arm=rng.randrange(64), propensity=rng.random(),
            time_ms=rng.getrandbits(41), id=rng.getrandbits(64),
            unit=rng.getrandbits(64), features=features))

    def shown(d):
        return {**d, "id": str(d["id"]), "unit": str(d["unit"])}

    chain = []
    for i, (who, act, why, detail) in enumerate([
            ("config", "add", "", "draft"),
            ("ann", "start", "let us see", "draft -> running"),
            ("b\u00f6b", "promote", "x" * 70, "running -> concluded, arm b")]):
        entry = {"sequence": i + 1, "time_ms": 1700000000123 + i,
                 "proven": i != 1, "who": who, "act": act,
                 "experiment": "ranker", "why": why, "detail": detail}
        previous = bytes.fromhex(chain[-1]["hash"]) if chain else b""
        chain.append({**entry, "hash": audit_hash(previous, entry).hex()})

    good = body(decision(features=[1.0, 2.0]))
    own = body(decision())
    refused = [
        ("version 2", b"\x02" + good[1:]),
        ("epoch in two bytes", good[:5] + b"\x81\x00" + good[6:]),
        ("arm 64", good[:6] + b"\xc0" + good[7:]),
        ("propensity 0", good[:7] + struct.pack("<d", 0) + good[15:]),
        ("propensity -0.5", good[:7] + struct.pack("<d", -0.5) + good[15:]),
        ("propensity above 1", good[:7] + struct.pack("<d", 1.5) + good[15:]),
        ("propensity NaN",
         good[:7] + struct.pack("<d", math.nan) + good[15:]),
        ("unit written though it is the id",
         own[:6] + b"\x00" + own[7:29] + own[21:29] + own[29:]),
        ("feature code 3", good[:-5] + b"\x0d" + good[-4:]),
        ("feature 1 verbatim",
         good[:-5] + b"\x09" + struct.pack("<f", 1)),
        ("feature 0 verbatim",
         good[:-5] + b"\x09" + struct.pack("<f", 0)),
        ("feature infinite", good[:-4] + struct.pack("<f", math.inf)),
        ("feature NaN", good[:-4] + struct.pack("<f", math.nan)),
        ("codes beyond the count", good[:-5] + b"\x19" + good[-4:]),
        ("a byte too many", good + b"\x00"),
        ("a byte too few", good[:-1]),
        ("1025 features", own[:-1] + varint(1025) + bytes(257)),
        ("nothing but the version", b"\x01"),
        ("nothing", b""),
    ]
    return {
        "about": "Golden vectors of docs/hashing.md and docs/token.md, written "
                 "by make_decision_vectors.py. 64-bit numbers are strings.",
        "hash_unit": [{"purpose": p, "salt": s, "unit": u,
                       "hash": str(hash_unit(p, s, u))} for p, s, u in hashes],
        "place": [{"purpose": p, "salt": s, "unit": u, "place": place(p, s, u)}
                  for p, s, u in hashes if p != 1],
        "audit": chain,
        "rendezvous_u": [{"unit_hash": str(h), "arm": a,
                          "u": rendezvous_u(h, a)}
                         for h in (0, 1, MASK, hash_unit(1, "ranker", "alice"))
                         for a in arms],
        "draw_sticky": [{"unit_hash": str(h), "arms": a, "p": p,
                         "drawn": draw_sticky(h, a, p)} for h, a, p in draws],
        "experiment_id": [{"name": n, "id": experiment_id(n)}
                          for n in ("", "ranker", "digits", "a-b_c.9")],
        "token_key": [{"secret": s, "key": token_key(s).hex()}
                      for s in secrets],
        "token": [{"secret": secrets[i % len(secrets)], "decision": shown(d),
                   "token": seal(secrets[i % len(secrets)], body(d))}
                  for i, d in enumerate(decisions)],
        "refused_token": [{"why": why, "secret": "bandit",
                           "token": seal("bandit", data)}
                          for why, data in refused],
    }


def dump(groups):
    """One vector a line."""
    parts = []
    for name, value in groups.items():
        text = json.dumps(value)
        if isinstance(value, list):
            lines = ",\n  ".join(json.dumps(vector) for vector in value)
            text = "[\n  " + lines + "\n ]"
        parts.append(f" {json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}"


print(dump(vectors()))
