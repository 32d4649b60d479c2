"""A receiver of callbacks on loopback: verifies every signature, counts events by their id, and can
misbehave.

    with Receiver(secret="whsec_...") as receiver:           # secret=None: events are not signed
        document["callbacks"] = {"url": receiver.url, "allow_private": True, ...}
        ...
        receiver.wait(1000, "record")        # so many different events of that kind; fails after 60 s
        receiver.events                      # {id: Event}: kind, body (parsed), times it came, attempts
        receiver.of("batch")                 # those of a kind, in the order of their arrival
        receiver.complaints                  # what was wrong with requests: must be empty

    receiver.down(); receiver.up()           # nobody listens on its port; somebody does again
    receiver.answers += [500, (503, {"Retry-After": "2"}), "cut"]   # for the next requests, then 200
    receiver.always = "hang"                 # for all of them, until it is None again
        a status; (status, headers);
        "cut"       the connection is reset instead of an answer
        "hang"      no answer, until `always` changes or the receiver ends
        "slow"      a byte of the answer each half second
        "large"     200 with 10 MB; "endless": 200 without an end; "garbage": no HTTP
        "late cut"  200, and the connection is reset before the answer's last byte

An event counts (events) when its request was whole and verified, whatever was answered then: a real
receiver may be killed after it has done its work. `taken` has the ids that were answered with 2xx.
"""

import base64
import hashlib
import hmac
import http.server
import json
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

TOLERANCE = 300  # seconds that a timestamp may be off, as in the libraries of Standard Webhooks


def sign(secret, event_id, timestamp, body):
    """Standard Webhooks 1.0, from its text alone: base64 of HMAC-SHA256 over id.timestamp.body."""
    if secret.startswith("whsec_"):
        key = base64.b64decode(secret[len("whsec_"):], validate=True)
    else:
        key = secret.encode()
    mac = hmac.new(key, f"{event_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(mac.digest()).decode()


@dataclass
class Event:
    id: str
    kind: str
    body: dict
    raw: bytes
    times: int = 0
    attempts: list = field(default_factory=list)


class Receiver:
    def __init__(self, secret=None, path="/hook"):
        self.secret = secret
        self.path = path
        self.events = {}
        self.taken = []       # ids, one for each 2xx that was sent
        self.requests = []    # (monotonic time, path, headers, id)
        self.complaints = []
        self.answers = []
        self.always = None
        self.changed = threading.Condition()
        self.over = threading.Event()
        self.sockets = set()
        self.server = None
        self.port = 0
        self.up()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}{self.path}"

    # ==== up and down ====

    def up(self):
        receiver = self

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request, client_address):
                pass  # cuts are what some tests want

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                receiver.sockets.add(self.connection)

            def finish(self):
                receiver.sockets.discard(self.connection)
                super().finish()

            def do_POST(self):
                receiver.receive(self)

            def do_GET(self):
                receiver.complain(f"GET {self.path}")
                self.send_error(405)

            def log_message(self, *_):
                pass

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def down(self):
        """Nobody listens, and open connections are reset."""
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
        for one in list(self.sockets):
            reset(one)

    def close(self):
        self.over.set()
        self.down()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ==== what comes in ====

    def complain(self, what):
        with self.changed:
            self.complaints.append(what)
            self.changed.notify_all()

    def receive(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        event_id = request.headers.get("Webhook-Id", "")
        with self.changed:
            self.requests.append((time.monotonic(), request.path, dict(request.headers), event_id))
            answer = self.always or (self.answers.pop(0) if self.answers else 200)
        problem = self.verify(request, event_id, body)
        if problem:
            self.complain(problem)
            answer = 400
        elif answer != "hang":
            self.keep(request, event_id, body)
        self.reply(request, answer, event_id)

    def verify(self, request, event_id, body):
        headers = request.headers
        stamp = headers.get("Webhook-Timestamp", "")
        try:
            parsed = json.loads(body)
        except ValueError:
            return f"{event_id}: the body is no JSON"
        if request.path != self.path:
            return f"{event_id}: posted to {request.path}"
        if headers.get("Content-Type") != "application/json":
            return f"{event_id}: Content-Type {headers.get('Content-Type')}"
        if not event_id or parsed.get("id") != event_id:
            return f"{event_id}: the body says {parsed.get('id')}"
        if parsed.get("type") != headers.get("Cauldron-Event"):
            return f"{event_id}: {parsed.get('type')} in the body, {headers.get('Cauldron-Event')}"
        if not stamp.isdigit() or abs(time.time() - int(stamp)) > TOLERANCE:
            return f"{event_id}: timestamp {stamp}"
        if self.secret is None:
            return f"{event_id}: signed" if "Webhook-Signature" in headers else None
        wanted = sign(self.secret, event_id, stamp, body)
        if not any(hmac.compare_digest(wanted, one)
                   for one in headers.get("Webhook-Signature", "").split()):
            return f"{event_id}: signature {headers.get('Webhook-Signature')}, not {wanted}"
        return None

    def keep(self, request, event_id, body):
        with self.changed:
            event = self.events.get(event_id)
            if not event:
                event = Event(event_id, request.headers["Cauldron-Event"], json.loads(body), body)
                self.events[event_id] = event
            elif event.raw != body:
                self.complaints.append(f"{event_id}: came with another body than before")
            event.times += 1
            event.attempts.append(int(request.headers["Cauldron-Attempt"]))
            self.changed.notify_all()

    # ==== what goes out ====

    def reply(self, request, answer, event_id):
        if answer == "hang":
            while self.always == "hang" and not self.over.wait(0.05):
                pass
            answer = "cut"
        if isinstance(answer, str):
            return MISDEEDS[answer](self, request)
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        if 200 <= status < 300:
            with self.changed:
                self.taken.append(event_id)
                self.changed.notify_all()
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", "0")
        request.end_headers()
        return None

    def cut(self, request):
        request.close_connection = True
        reset(request.connection)

    def late_cut(self, request):
        request.send_response(200)
        request.send_header("Content-Length", "2")
        request.end_headers()
        request.wfile.write(b"o")
        request.wfile.flush()
        self.cut(request)

    def slow(self, request):
        request.close_connection = True
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n":
            if self.over.wait(0.5):
                return
            request.wfile.write(bytes([byte]))

    def large(self, request, pieces=10):
        request.close_connection = True
        request.send_response(200)
        request.end_headers()
        while pieces and not self.over.is_set():
            request.wfile.write(b"x" * (1 << 20))
            pieces -= 1

    def endless(self, request):
        self.large(request, -1)

    def garbage(self, request):
        request.close_connection = True
        request.wfile.write(b"\x00\xff no HTTP at all \r\n\r\n")

    # ==== looking ====

    def of(self, kind):
        with self.changed:
            return [e for e in self.events.values() if e.kind == kind]

    def wait(self, count=1, kind=None, seconds=60):
        """Until so many different events (of that kind) came; returns them."""
        end = time.monotonic() + seconds
        with self.changed:
            while True:
                found = [e for e in self.events.values() if kind in (None, e.kind)]
                if len(found) >= count:
                    return found
                if not self.changed.wait(end - time.monotonic()):
                    raise AssertionError(f"{len(found)} events of {count} ({kind}) came in {seconds} s; "
                                         f"complaints: {self.complaints}")


MISDEEDS = {"cut": Receiver.cut, "late cut": Receiver.late_cut, "slow": Receiver.slow,
            "large": Receiver.large, "endless": Receiver.endless, "garbage": Receiver.garbage}


def reset(connection):
    """RST instead of FIN: what is on its way is lost."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    try:
        connection.close()
    except OSError:
        pass
