# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 without gRPC: nghttp2's and curl's programs on either side.

Plain requests pass like any other bytes. What is not HTTP/2 is refused: the
client gets an end, and others do not notice.
"""

import re
import socket

from lab import holds, same

QUICK = True
SECONDS = 180

CONFIG = """
state: 'memory:'
backends:
  web: {{address: '127.0.0.1:{port}'}}
default_backend: web
"""
WITHOUT_ROUTE = """
state: 'memory:'
backends:
  web: {address: '127.0.0.1:1'}
experiments:
  - name: only
    match: {service: some.Service}
    arms: [{name: a, backend: web}]
    policy: {name: fixed_split}
"""


PAGE = b"page\n" * 20_000


def nghttpd(lab):
    """Serves /page.txt with a trailer, sends back what is posted."""
    pages = lab.folder("htdocs")
    (pages / "page.txt").write_bytes(PAGE)
    return lab.serve_on_free_port(
        "nghttpd",
        lambda port: [
            lab.debian("nghttpd"), "-a", "127.0.0.1", "--no-tls",
            "--echo-upload", "--trailer", "x-end: yes", "-d", pages, port,
        ],
    )


def run(lab, sheet):
    router = lab.router(CONFIG.format(port=nghttpd(lab).port))
    url = f"http://{router.listen}"
    _curl(lab, sheet, url)
    _nghttp(lab, sheet, url)
    _refusals(lab, sheet, router, url)


class Curl:
    def __init__(self, lab):
        self.lab = lab
        self.program = lab.debian("curl")
        said = lab.run(self.program, "--version").stdout
        self.peer = "curl " + said.split()[1]

    def get(self, *arguments, check=True, http="--http2-prior-knowledge"):
        """The status line's number, then its exit code and the body."""
        body = self.lab.folder("curl") / "body"
        done = self.lab.run(
            self.program, "-sS", http, "--noproxy", "*", "--max-time", "20",
            "-o", body, "-w", "%{http_code} %{http_version}", *arguments,
            check=check,
        )
        status, version = done.stdout.split()
        answer = body.read_bytes() if body.exists() else b""
        return int(status), version, answer, done


def _curl(lab, sheet, url):
    curl = Curl(lab)
    with sheet.case(curl.peer, "GET") as case:
        status, version, body, _ = curl.get(f"{url}/page.txt")
        same((status, version), (200, "2"))
        holds(body == PAGE, f"another body, {len(body)} bytes")
        case.note = f"HTTP/{version}, {status}"
    with sheet.case(curl.peer, "HEAD has no body") as case:
        status, _, body, done = curl.get("-I", f"{url}/page.txt")
        same(status, 200)
        case.note = f"{status}"
    with sheet.case(curl.peer, "a status that is no success passes") as case:
        status, *_ = curl.get(f"{url}/absent")
        same(status, 404)
        case.note = f"{status}"
    with sheet.case(curl.peer, "POST of 8 MiB comes back") as case:
        upload = lab.folder("upload") / "data"
        upload.write_bytes(bytes(range(256)) * (8 << 12))
        status, _, body, _ = curl.get(
            "--data-binary", f"@{upload}", f"{url}/echo"
        )
        same(status, 200)
        holds(body == upload.read_bytes(), "the body is another")
        case.note = f"{len(body)} bytes"
    with sheet.case(curl.peer, "POST as application/grpc-web+proto") as case:
        frame = lab.folder("upload") / "frame"
        frame.write_bytes(b"\x00\x00\x00\x00\x03\x0a\x01x")
        status, _, body, _ = curl.get(
            "--data-binary", f"@{frame}", "-H",
            "content-type: application/grpc-web+proto", f"{url}/some.Web/Call",
        )
        same((status, body), (200, frame.read_bytes()))
        case.note = "bytes pass untouched"
    with sheet.case(curl.peer, "no route: an HTTP status and a line") as case:
        alone = lab.router(WITHOUT_ROUTE)
        status, _, body, _ = curl.get(f"http://{alone.listen}/page.txt")
        holds(400 <= status < 600 and body, f"{status}: {body!r}")
        case.note = f"{status}: {body.decode().strip()}"


def _nghttp(lab, sheet, url):
    nghttp = lab.debian("nghttp")
    version = lab.run(nghttp, "--version").stdout.split("/")[-1].strip()
    peer = f"nghttp2 {version}"
    with sheet.case(peer, "nghttp: trailers, padding, small windows") as case:
        said = lab.run(
            nghttp, "-v", "-n", "-b", "40", "-w", "10", "-W", "12",
            f"{url}/page.txt",
        ).stdout
        holds("x-end: yes" in said, "no trailers came")
        size = sum(
            int(length) for length in
            re.findall(r"recv DATA frame <length=(\d+)", said)
        )
        same(size, 100_000, "bytes")
        case.note = "100,000 bytes and the trailers"
    with sheet.case(peer, "nghttp: 50 requests at once") as case:
        said = lab.run(nghttp, "-v", "-n", "-m", "50", f"{url}/page.txt").stdout
        same(said.count(":status: 200"), 50)
        case.note = "50 of 50"
    h2load = lab.debian("h2load")
    for name, more in (
        ("h2load: 2,000 GETs, 4 x 10", ["/page.txt"]),
        ("h2load: 2,000 POSTs, 4 x 10", ["/echo", "POST"]),
    ):
        with sheet.case(peer, name) as case:
            arguments = ["-n", "2000", "-c", "4", "-m", "10"]
            if "POST" in more:
                data = lab.folder("upload") / "data"
                data.write_bytes(b"d" * 3000)
                arguments += ["-d", data]
            said = lab.run(h2load, *arguments, url + more[0]).stdout
            codes = re.search(r"status codes: (\d+) 2xx", said)
            holds(codes, said[-300:])
            same(int(codes[1]), 2000, "2xx")
            case.note = "2,000 of 2,000"


def _refusals(lab, sheet, router, url):
    curl = Curl(lab)

    def works():
        same(curl.get(f"{url}/page.txt")[0], 200, "afterwards")

    with sheet.case(curl.peer, "HTTP/1.1 is refused") as case:
        status, _, body, _ = curl.get(
            f"{url}/page.txt", http="--http1.1", check=False
        )
        case.note = _refused(status, body)
        works()
    with sheet.case(curl.peer, "HTTP/1.1 with Upgrade: h2c is refused") as case:
        status, _, body, _ = curl.get(
            f"{url}/page.txt", http="--http2", check=False
        )
        case.note = _refused(status, body)
        works()
    with sheet.case(curl.peer, "TLS on the plain port is refused") as case:
        status, _, _, done = curl.get(
            "-k", f"https://{router.listen}/page.txt", check=False
        )
        same((status, done.returncode), (0, 35))  # CURLE_SSL_CONNECT_ERROR
        case.note = done.stderr.strip().splitlines()[0]
        works()
    with sheet.case("a socket", "gRPC-Web over HTTP/1.1 is refused") as case:
        host, port = router.listen.split(":")
        with socket.create_connection((host, int(port)), 20) as raw:
            raw.sendall(
                b"POST /some.Web/Call HTTP/1.1\r\nhost: x\r\n"
                b"content-type: application/grpc-web+proto\r\n"
                b"content-length: 5\r\n\r\n\x00\x00\x00\x00\x00"
            )
            answer = b""
            while part := _receive(raw):
                answer += part
        case.note = _first_words(answer)
        works()


def _receive(raw):
    try:
        return raw.recv(4096)
    except ConnectionResetError:
        return b""


def _refused(status, body):
    """What a client that speaks another HTTP was told."""
    same(status, 505)
    holds(b"HTTP/2" in body, body)
    return f"{status}: {body.decode().strip()}"


def _first_words(answer):
    line = answer.split(b"\r\n", 1)[0].decode(errors="replace")
    holds(line.startswith("HTTP/1.1 505"), answer[:60])
    return line
