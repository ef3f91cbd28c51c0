# SPDX-License-Identifier: Apache-2.0
"""A server that answers whatever comes with what is no HTTP/2.

usage: garbage.py PORT SEED. Prints `ready` when it listens; ends when killed.
Connection by connection, in an order that the seed fixes: random bytes, a
page of HTTP/1.1, a good SETTINGS frame and then random bytes, a frame whose
length is a lie, nothing at all and then the end.
"""

import random
import socket
import sys
import threading

SETTINGS = bytes.fromhex("000000040000000000")


def answer(connection, kind, noise):
    connection.settimeout(5)
    try:
        connection.recv(65536)
        if kind == "noise":
            connection.sendall(noise)
        elif kind == "http1":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        elif kind == "late":
            connection.sendall(SETTINGS)
            connection.recv(65536)
            connection.sendall(noise)
        elif kind == "liar":
            connection.sendall(b"\xff\xff\xff\x00\x00\x00\x00\x00\x01" + noise)
        # "mute": only the end.
    except OSError:
        pass
    finally:
        connection.close()


def main():
    port, seed = int(sys.argv[1]), int(sys.argv[2])
    rng = random.Random(seed)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(64)
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        kind = rng.choice(["noise", "http1", "late", "liar", "mute"])
        threading.Thread(target=answer, daemon=True, args=(
            connection, kind, rng.randbytes(rng.randrange(1, 4096)))).start()


if __name__ == "__main__":
    main()
