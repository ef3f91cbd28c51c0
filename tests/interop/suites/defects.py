# SPDX-License-Identifier: Apache-2.0
"""What peers got wrong, tried here. Seen from outside, through real calls."""

import collections

import grpc

from lab import eventually, holds, same

QUICK = True
SECONDS = 180
PEER = "grpcio " + grpc.__version__
SERVICE = "/inference.GRPCInferenceService/"
CONFIG = """
state: 'memory:'
token_key: shared-by-the-replicas-of-this-test
learner: {{tick: 10ms}}
backends:
  a: {{address: '{a}'}}
  b: {{address: '{b}'}}
experiments:
  - name: e
    match: {{service: inference.GRPCInferenceService}}
    unit: {{metadata: x-user-id}}
    arms:
      - {{name: a, backend: a, weight: 90}}
      - {{name: b, backend: b, weight: 10}}
    policy: {policy}
    metrics: [{metric}]
"""
FIXED = "{name: fixed_split}"
THOMPSON = "{name: thompson, floor: 0.01}"
BINARY = "{name: click, kind: binary}"
CONTINUOUS = "{name: gain, kind: continuous}"


class Router:
    """A router of CONFIG and a client."""

    def __init__(self, lab, policy, metric):
        self.lab = lab
        a, b = lab.model("a"), lab.model("b")
        self.router = lab.router(CONFIG.format(
            a=a.address, b=b.address, policy=policy, metric=metric
        ))
        self.client = self.router.channel()
        lab.later(self.client.close)

    def decide(self, user, method="Echo"):
        """(arm, token)."""
        call = self.client.unary_unary(SERVICE + method)
        first = self.first(call.future(
            b"", metadata=(("x-user-id", user),), timeout=30
        ))
        return first["x-bandit-arm"], first["x-bandit-decision"]

    @staticmethod
    def first(call):
        return dict(call.initial_metadata())

    def reward(self, token, value):
        harness = self.lab.harness
        return harness.record(self.client, harness.reward(token, value))[0]

    def arms(self, users):
        call = self.client.unary_unary(SERVICE + "Echo")
        pending = [
            call.future(b"", metadata=(("x-user-id", user),), timeout=60)
            for user in users
        ]
        return [self.first(answer)["x-bandit-arm"] for answer in pending]

    def metric(self, name, arm):
        return self.lab.metric(self.router, name, arm=arm)

    def until(self, name, arm, value):
        eventually(
            lambda: self.metric(name, arm) == value,
            what=f"{name} of {arm} is not {value}",
        )


def run(lab, sheet):
    for case in (
        fractions_are_not_cut, a_weight_is_a_share, a_unit_is_the_same_anywhere,
        a_reward_follows_its_decision, a_duplicate_counts_once,
        losses_are_learned_from, one_error_ejects_nobody,
        a_reward_may_overtake_the_response,
    ):
        with sheet.case(PEER, " ".join(case.__doc__.split())) as note:
            note.note = case(lab) or ""


def fractions_are_not_cut(lab):
    """rewards of 0.9 are not cut to 0 (Seldon Core)"""
    router = Router(lab, THOMPSON, CONTINUOUS)
    counts = collections.Counter()
    for i in range(40):
        arm, token = router.decide(f"u{i}")
        same(router.reward(token, 0.9), "ACCEPTED")
        counts[arm] += 1
    for arm, count in counts.items():
        router.until("bandit_arm_reward_count", arm, count)
        mean = router.metric("bandit_arm_reward_mean", arm)
        holds(abs(mean - 0.9) < 1e-9, f"mean {mean}")
    return "mean 0.9"


def a_weight_is_a_share(lab):
    """90/10 of sticky units is 90/10, not 94.4/5.6 (iter8)"""
    router = Router(lab, FIXED, BINARY)
    n = 4000
    share = router.arms(f"user-{i}" for i in range(n)).count("a") / n
    # 4.7 standard deviations of a binomial of 0.9 below what iter8 makes.
    bound = 4 * (0.9 * 0.1 / n) ** 0.5
    holds(abs(share - 0.9) < bound, f"{share:.4f}")
    return f"{100 * share:.1f} % of {n:,} units"


def a_unit_is_the_same_anywhere(lab):
    """two processes agree on every unit's arm (iter8)"""
    users = [f"user-{i}" for i in range(500)]
    one, two = (Router(lab, FIXED, BINARY).arms(users) for _ in range(2))
    same(one, two)
    return "500 units"


def a_reward_follows_its_decision(lab):
    """a reward is its decision's arm's, after the split has moved (iter8)"""
    router = Router(lab, THOMPSON, BINARY)
    tokens = collections.defaultdict(list)
    user = 0
    while len(tokens["b"]) < 40 or not tokens["a"]:
        arm, token = router.decide(f"u{user}")
        tokens[arm].append((f"u{user}", token))
        user += 1
    late_user, late = tokens["a"].pop()
    for arm, value in (("a", 0), ("b", 1)):
        for _, token in tokens[arm]:
            same(router.reward(token, value), "ACCEPTED")
    eventually(lambda: router.metric("bandit_arm_probability", "b") > 0.98)
    same(router.decide(late_user)[0], "b", "the unit's arm now")
    count = router.metric("bandit_arm_reward_count", "a")
    same(router.reward(late, 1), "ACCEPTED")
    router.until("bandit_arm_reward_count", "a", count + 1)
    return "to the arm that served, though the unit has another one now"


def a_duplicate_counts_once(lab):
    """a reward that comes twice counts once (iter8)"""
    router = Router(lab, THOMPSON, BINARY)
    arm, token = router.decide("u")
    same([router.reward(token, 1) for _ in range(3)],
         ["ACCEPTED", "DUPLICATE", "DUPLICATE"])
    router.until("bandit_arm_reward_count", arm, 1)


def losses_are_learned_from(lab):
    """rewards that are all negative are told apart (rlclientlib)"""
    router = Router(lab, THOMPSON, CONTINUOUS)
    values = {"a": -5.0, "b": -1.0}
    for i in range(200):
        arm, token = router.decide(f"u{i}")
        # Not all alike: a variance is learned, too.
        same(router.reward(token, values[arm] + i % 3 / 10), "ACCEPTED")
    eventually(lambda: router.metric("bandit_arm_probability", "b") > 0.95)
    return "-1 is preferred to -5"


def one_error_ejects_nobody(lab):
    """one error in two requests takes no arm out (guardrails without a
    minimum)"""
    router = Router(lab, FIXED, BINARY)
    arm, _ = router.decide("u")
    call = router.client.unary_unary(SERVICE + "Fail")
    failed = call.future(b"", metadata=(("x-user-id", "u"),), timeout=30)
    same(failed.code(), grpc.StatusCode.FAILED_PRECONDITION)
    eventually(lambda: lab.metric(
        router.router, "bandit_requests_total", arm=arm) == 2)
    same(router.decide("u")[0], arm)
    same(lab.metric(router.router, "bandit_arm_state", arm=arm,
                    state="active"), 1)


def a_reward_may_overtake_the_response(lab):
    """a reward before its response has ended is accepted (TensorZero)"""
    router = Router(lab, THOMPSON, BINARY)
    answers = router.client.unary_stream(SERVICE + "ServerStream")(
        b"500 65536", metadata=(("x-user-id", "u"),), timeout=60
    )
    token = router.first(answers)["x-bandit-decision"]
    same(router.reward(token, 1), "ACCEPTED")
    same(sum(1 for _ in answers), 500, "messages")
