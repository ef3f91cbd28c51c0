#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A service that asks a model through the router, and tells it later whether its
user has clicked.

    python3 examples/ranker.py --listen 127.0.0.1:8001,127.0.0.1:8002 &
    bandit-router --config examples/router.yaml &
    python3 examples/ranker.py

The first line is the model, in two versions: they answer with their number. The
last sends requests of a thousand users, who like version 2 better, and prints
how each quarter of them was split.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from concurrent import futures

import grpc

from bandit_router import BanditClient, Keys

METHOD = "/example.Ranker/Rank"
# How often a user clicks on what each version ranks.
CLICKS = {b"1": 0.3, b"2": 0.6}


def serve(addresses: list[str]) -> list[tuple[grpc.Server, int]]:
    """Version 1 at the first address, version 2 at the second; with the ports
    that were taken."""
    servers = []
    for version, address in enumerate(addresses, 1):
        server = grpc.server(futures.ThreadPoolExecutor(4))
        answer = str(version).encode()
        handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(
            lambda request, context, answer=answer: answer
        )
        service, method = METHOD.strip("/").split("/")
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(service, {method: handler}),)
        )
        port = server.add_insecure_port(address)
        if port == 0:
            sys.exit(f"{address}: another program listens there")
        server.start()
        servers.append((server, port))
    return servers


def run(router: str, requests: int, rng: random.Random) -> bool:
    """False if a reward was refused or lost."""
    with BanditClient(router, keys=Keys(unit="x-user-id")) as bandit:
        # A real service has a generated stub here.
        rank: grpc.UnaryUnaryMultiCallable[bytes, bytes] = bandit.channel.unary_unary(METHOD)
        arms: Counter[str] = Counter()
        for i in range(1, requests + 1):
            with bandit.context(unit=f"user-{i}") as decision:
                version = rank(b"a query", timeout=5)
            # A real service keeps decision.token until it knows.
            decision.reward(click=rng.random() < CLICKS[version])
            arms[decision.arm or "none"] += 1
            if i % (requests // 4) == 0:
                # So that the router has learned from them.
                left = bandit.flush(10)
                if left:
                    print(f"{len(left)} rewards wait still", file=sys.stderr)
                print(
                    f"{i} requests: control {arms['control']}, "
                    f"candidate {arms['candidate']}"
                )
                arms.clear()
    stats = bandit.stats()
    refused = stats.late + stats.unknown + stats.rejected
    print(f"rewards: {stats.accepted} accepted, {refused} refused")
    return stats.accepted == requests


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--router", default="127.0.0.1:8080",
                        help="its `listen`")  # fmt: skip
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1, help="of the clicks")
    parser.add_argument("--listen", metavar="A,B",
                        help="serve the two versions there instead")  # fmt: skip
    options = parser.parse_args()
    if options.listen:
        for server, _ in serve(options.listen.split(",")):
            server.wait_for_termination()
    elif options.requests < 4:
        parser.error("--requests: expected at least 4")
    else:
        try:
            whole = run(
                options.router, options.requests, random.Random(options.seed)
            )
        except grpc.RpcError as error:
            sys.exit(f"{error.code().name}: {error.details()}")
        if not whole:
            sys.exit("not every reward was accepted")


if __name__ == "__main__":
    main()
