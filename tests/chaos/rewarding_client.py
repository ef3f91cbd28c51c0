# SPDX-License-Identifier: Apache-2.0
"""A grpcio client in the storm: requests, and a reward for each answer.

It is what a service would be, with a client library that others wrote; the
load generator brings the mass. Rewards are sent again until they are
acknowledged, and some twice, so that the router's own count can be held
against what was acknowledged.
"""

import random
import struct
import threading
import time

import grpc

PATH = "/inference.GRPCInferenceService/ModelInfer"
ACCEPTED, DUPLICATE = 1, 2


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def reward(token):
    body = b"\x0a" + varint(len(token)) + token.encode()
    body += b"\x12\x05click" + b"\x19" + struct.pack("<d", 1)
    return b"\x0a" + varint(len(body)) + body


class RewardingClient(threading.Thread):
    def __init__(self, port, seed, per_second, deadline):
        super().__init__(daemon=True)
        self.rng = random.Random(seed)
        self.gap = 1 / per_second
        self.deadline = deadline
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.infer = self.channel.unary_unary(PATH)
        self.record = self.channel.unary_unary("/bandit.v1.Feedback/Record")
        self.ending = threading.Event()
        self.served = 0
        self.accepted = 0
        self.errors = []

    def run(self):
        due = time.monotonic()
        while not self.ending.wait(max(0, due - time.monotonic())):
            due += self.gap
            self.one()

    def one(self):
        # What the backend echoes: a message of its own length in zeros.
        message = b"\0" * self.rng.choice([0, 16, 300, 40_000])
        try:
            answer, call = self.infer.with_call(
                message, timeout=self.deadline,
                metadata=(("x-user-id", str(self.rng.randrange(1000))),))
        except grpc.RpcError as error:
            self.errors.append(f"request: {error.code()} {error.details()}")
            return
        self.served += 1
        if len(answer) != len(message):
            self.errors.append(f"answer of {len(answer)}, not {len(message)}")
        token = dict(call.initial_metadata())["x-bandit-decision"]
        for again in range(1 + (self.rng.random() < 0.2)):
            self.send(token, DUPLICATE if again else ACCEPTED)

    def send(self, token, expected):
        # A refusal is not an acknowledgement: send it again.
        for _ in range(50):
            try:
                answer = self.record(reward(token), timeout=10)
            except grpc.RpcError:
                time.sleep(0.1)
                continue
            # After a lost answer the reward is there already.
            if answer[2:] not in (bytes([expected]), bytes([DUPLICATE])):
                self.errors.append(f"reward: outcome {list(answer[2:])}")
            elif expected == ACCEPTED:
                self.accepted += 1
            return
        self.errors.append("reward: not acknowledged in 50 tries")

    def finish(self):
        self.ending.set()
        self.join(60)
        self.channel.close()
