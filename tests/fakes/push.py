"""A push service on loopback, and the browsers that subscribed with it.

    with PushService() as service:
        browser = service.browser()
        ... POST browser.subscription to /api/v1/push/subscriptions ...
        service.answers[browser.path] = [(503, {"Retry-After": "1"})]   # then 201
        browser.messages                                 # what it could decrypt, as JSON
        service.requests                                 # [Request(path, headers, status), ...]

It is as strict as the standards let it be: the token (RFC 8292) must be signed with the key that the
browser subscribed with, for this service and not for long; bodies are decrypted (RFC 8291) with
the stock http_ece. What is wrong is answered 4xx and kept in `complaints`.
"""

import base64
import http.server
import json
import os
import threading
import time
from dataclasses import dataclass

import http_ece
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature


def coded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Request:
    path: str
    headers: dict
    status: int


class Browser:
    """`key`: the applicationServerKey that it subscribed with; None: any."""

    def __init__(self, service, number, key):
        self.path = f"/send/{number}"
        self.key = key
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.auth = os.urandom(16)
        self.messages = []
        point = self.private.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        self.subscription = {"endpoint": service.url + self.path, "expirationTime": None,
                             "keys": {"p256dh": coded(point), "auth": coded(self.auth)}}


class PushService:
    def __init__(self):
        self.answers = {}     # path -> list of (status, headers) to give before 201
        self.hang = set()     # paths that are not answered
        self.browsers = {}
        self.requests = []
        self.complaints = []
        self.lock = threading.Lock()
        self.over = threading.Event()
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.path in service.hang:
                    service.over.wait(60)
                status, headers = service.take(self.path, self.headers, body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

    def browser(self, key=None):
        one = Browser(self, len(self.browsers), key)
        self.browsers[one.path] = one
        return one

    def take(self, path, headers, body):
        with self.lock:
            status, extra = self.judge(path, headers, body)
            self.requests.append(Request(path, dict(headers), status))
            return status, extra

    def judge(self, path, headers, body):
        browser = self.browsers.get(path)
        if not browser:
            return 404, {}
        if self.answers.get(path):
            return self.answers[path].pop(0)
        try:
            self.check_token(headers["Authorization"], browser)
            assert headers["Content-Encoding"] == "aes128gcm", headers["Content-Encoding"]
            assert headers["Urgency"] in ("very-low", "low", "normal", "high")
            assert 0 <= int(headers["TTL"]) <= 28 * 86400, headers["TTL"]
            assert len(headers.get("Topic", "")) <= 32, headers["Topic"]
            assert len(body) <= 4096
            text = http_ece.decrypt(body, private_key=browser.private, auth_secret=browser.auth,
                                    version="aes128gcm")
            browser.messages.append(json.loads(text))
        except Exception as error: # whatever a broken message makes the stock library do
            self.complaints.append(repr(error))
            return 400, {}
        return 201, {"Location": self.url + "/message"}

    def check_token(self, text, browser):
        kind, rest = text.split(" ", 1)
        assert kind == "vapid", kind
        parts = dict(p.strip().split("=", 1) for p in rest.split(","))
        assert browser.key in (None, parts["k"]), "another key than the one subscribed with"
        signed, signature = parts["t"].rsplit(".", 1)
        head, claims = (json.loads(decoded(p)) for p in signed.split("."))
        assert head == {"typ": "JWT", "alg": "ES256"}, head
        assert claims["aud"] == self.url, claims
        assert time.time() < claims["exp"] <= time.time() + 86400, claims
        assert claims.get("sub", "mailto:x").startswith(("mailto:", "https:")), claims
        raw = decoded(signature)
        assert len(raw) == 64, len(raw)
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(parts["k"]))
        try:
            key.verify(encode_dss_signature(int.from_bytes(raw[:32], "big"),
                                            int.from_bytes(raw[32:], "big")),
                       signed.encode(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature as error:
            raise AssertionError("the token's signature is wrong") from error
