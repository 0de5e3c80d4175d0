"""A hand-made HTTP server that misbehaves on purpose: it hangs up, cuts answers off, redirects, and says 503."""

from __future__ import annotations

import gzip
import json
import ssl
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Says:
    """An answer, or the absence of one."""

    body: Any = None
    status: int = 200
    type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    fault: str = ""  # hang-up: no answer at all · cut: half of the body
    zipped: bool = False


class Misbehaving:
    """The server. `answers` are given in order, the last one for ever; or `reply` decides."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: list[Says] = [Says({})]
        self.reply: Callable[[Asked], Says] = self._next
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or every body waits 40 ms behind its headers

            def handle_any(self) -> None:
                outer._handle(self)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - the library's names

            def log_message(self, *args: object) -> None:
                """Stay silent."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args: object) -> None:
                """A client that went away is part of the game."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/icp"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def with_own_certificate(self, folder: Path) -> str:
        """Speak TLS from now on, under a certificate that nobody vouches for; return the address."""
        key, cert = folder / "key.pem", folder / "cert.pem"
        make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
        subprocess.run(
            ["openssl", *make.split(), "-keyout", key, "-out", cert], check=True, capture_output=True
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        return self.url.replace("http://127.0.0.1", "https://localhost")

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def says(self, *answers: Says) -> None:
        self.answers = list(answers)

    def _next(self, asked: Asked) -> Says:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        raw = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        params = dict(parse_qsl(parts.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        asked = Asked(handler.command, parts.path, params, headers, json.loads(raw) if raw else None)
        with self._lock:
            self.asked.append(asked)
            says = self.reply(asked)
        if says.fault == "hang-up":
            handler.close_connection = True
            return
        body = says.body if isinstance(says.body, bytes) else json.dumps(says.body).encode()
        if says.zipped:
            body = gzip.compress(body)
        handler.send_response(says.status)
        handler.send_header("Content-Type", says.type)
        handler.send_header("Content-Length", str(len(body)))
        if says.zipped:
            handler.send_header("Content-Encoding", "gzip")
        for name, value in says.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2] if says.fault == "cut" else body)
        handler.close_connection = handler.close_connection or says.fault == "cut"
