# SPDX-License-Identifier: Apache-2.0
"""A steady address, in front of a router that comes and goes."""

import contextlib
import socket
import threading


class Relay:
    """Passes bytes to `target` ("host:port"); while that is None, hangs up."""

    def __init__(self):
        self.target = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._lock = threading.Lock()
        self._open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def point(self, target):
        """From now on there; open connections end."""
        with self._lock:
            self.target = target
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.point(None)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(
                    target=self._serve, args=(client,), daemon=True
                ).start()

    def _serve(self, client):
        with client:
            try:
                with self._lock:
                    if self.target is None:
                        return
                    host, port = self.target.rsplit(":", 1)
                    server = socket.create_connection((host, int(port)))
                    self._open.update((client, server))
            except OSError:
                return
            with server:
                back = threading.Thread(
                    target=self._pass, args=(server, client), daemon=True
                )
                back.start()
                self._pass(client, server)
                back.join()
                with self._lock:
                    self._open.difference_update((client, server))

    @staticmethod
    def _pass(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
