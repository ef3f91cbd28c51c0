# SPDX-License-Identifier: Apache-2.0
"""Bandit Router's Python client.

    bandit = BanditClient("localhost:8080")
    stub = GRPCInferenceServiceStub(bandit.channel)
    with bandit.context(unit="alice", features={"device": "ios"}) as decision:
        response = stub.ModelInfer(request)
    decision.reward(click=1)
"""

from .backoff import Backoff
from .client import BanditClient
from .decision import Decision
from .hashing import Purpose, experiment_id, hash_unit, place
from .metadata import Keys, feature_key
from .reward import Outcome, Reward, Stats, Submitted
from .scope import AmbiguousDecision, NoCall, Scope
from .sender import RewardSender, SenderOptions
from .token import TokenError, TokenFields, read_token
from .triton import TritonPlugin

__all__ = [
    "AmbiguousDecision",
    "Backoff",
    "BanditClient",
    "Decision",
    "Keys",
    "NoCall",
    "Outcome",
    "Purpose",
    "Reward",
    "RewardSender",
    "Scope",
    "SenderOptions",
    "Stats",
    "Submitted",
    "TokenError",
    "TokenFields",
    "TritonPlugin",
    "experiment_id",
    "feature_key",
    "hash_unit",
    "place",
    "read_token",
]
__version__ = "0.1.0"
