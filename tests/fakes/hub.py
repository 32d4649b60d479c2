"""A small Hugging Face Hub, with the ways in which a real one fails.

    with FakeHub() as hub:
        hub.add("org/model", {"model_index.json": b"{}", "unet/config.json": b"{}"})
        hub.faults.cut["unet/config.json"] = [10]   # the first answer stops after 10 bytes
        ... run something with HF_ENDPOINT=hub.url ...
        hub.requests                                # [Request(method, path, headers), ...]

Files that end in .safetensors are "large files": they are answered with a redirect to a second
server on another port, as the Hub answers with one to its content network.
"""

import hashlib
import http.server
import json
import threading
import time
import urllib.parse
from dataclasses import dataclass, field


@dataclass
class Request:
    server: str  # "hub" or "content"
    method: str
    path: str
    headers: dict


@dataclass
class Repo:
    files: dict
    commit: str
    listed: list = None  # the names in the listing, when they are not those of files


@dataclass
class Faults:
    cut: dict = field(default_factory=dict)       # file -> bytes per answer after which it breaks off
    status: dict = field(default_factory=dict)    # path prefix -> list of statuses to answer first
    corrupt: set = field(default_factory=set)     # files whose bytes do not fit their hash
    no_ranges: bool = False                       # always send the whole file
    wrong_range: bool = False                     # resume one byte too late
    plain: bool = False                           # no large files: all answered by the hub itself
    endless: set = field(default_factory=set)     # files that send more than they announced
    redirect: dict = field(default_factory=dict)  # file -> address
    etag: dict = field(default_factory=dict)      # file -> ETag
    listing: str = None                           # the answer about any model
    delay: float = 0                              # seconds between pieces of a body


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Clients that hang up are part of the tests."""


class FakeHub:
    def __init__(self, token=None):
        self.repos = {}
        self.token = token
        self.requests = []
        self.lock = threading.Lock()
        self.faults = Faults()
        self.hub = Server(("127.0.0.1", 0), _handler(self, "hub"))
        self.content = Server(("127.0.0.1", 0), _handler(self, "content"))
        self.url = f"http://127.0.0.1:{self.hub.server_port}"
        self.content_url = f"http://127.0.0.1:{self.content.server_port}"
        self.threads = [threading.Thread(target=s.serve_forever, kwargs={"poll_interval": 0.05})
                        for s in (self.hub, self.content)]

    def add(self, name, files, listed=None):
        commit = hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()
        self.repos[name] = Repo(dict(files), commit, listed)
        return commit

    def seen(self, method, part):
        """The requests of this kind whose path holds `part`."""
        with self.lock:
            return [r for r in self.requests if r.method == method and part in r.path]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *unused):
        for server, thread in zip((self.hub, self.content), self.threads):
            server.shutdown()
            thread.join()
            server.server_close()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def git_sha1(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _handler(fake, server_name):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *unused):
            pass

        def do_HEAD(self):
            self.answer()

        def do_GET(self):
            self.answer()

        def answer(self):
            path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
            with fake.lock:
                fake.requests.append(Request(server_name, self.command, self.path,
                                             {k.lower(): v for k, v in self.headers.items()}))
            for prefix, statuses in fake.faults.status.items():
                if path.startswith(prefix) and statuses:
                    return self.text(statuses.pop(0), "as the test asks")
            if server_name == "content":
                return self.send_content(path)
            if fake.token and self.headers.get("Authorization") != f"Bearer {fake.token}":
                return self.text(401, "Invalid username or password.")
            if path.startswith("/api/models/"):
                return self.send_listing(path[len("/api/models/"):])
            return self.send_resolved(path[1:])

        def text(self, status, text, headers=()):
            body = text.encode()
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def send_listing(self, rest):
            name, _, revision = rest.partition("/revision/")
            repo = fake.repos.get(name)
            if not repo or revision not in ("main", repo.commit):
                return self.text(404, "Repository not found")
            if fake.faults.listing is not None:
                return self.text(200, fake.faults.listing)
            names = repo.listed if repo.listed is not None else list(repo.files)
            return self.text(200, json.dumps({"id": name, "sha": repo.commit,
                                              "siblings": [{"rfilename": n} for n in names]}))

        def send_resolved(self, path):
            name, _, rest = path.partition("/resolve/")
            revision, _, file = rest.partition("/")
            repo = fake.repos.get(name)
            if not repo or revision not in ("main", repo.commit) or file not in repo.files:
                return self.text(404, "Entry not found")
            data = repo.files[file]
            if file in fake.faults.redirect:
                return self.text(302, "", [("Location", fake.faults.redirect[file])])
            if file.endswith(".safetensors") and not fake.faults.plain:
                etag = fake.faults.etag.get(file, sha256(data))
                where = f"{fake.content_url}/{name}/{urllib.parse.quote(file)}?signature=abc"
                return self.text(302, "Found. Redirecting", [
                    ("Location", where), ("X-Repo-Commit", repo.commit),
                    ("X-Linked-Etag", f'"{etag}"'), ("X-Linked-Size", str(len(data)))])
            return self.send_file(file, data, fake.faults.etag.get(file, git_sha1(data)))

        def send_content(self, path):
            name, file = next(((n, path[len(n) + 2:]) for n in fake.repos
                               if path.startswith(f"/{n}/")), (None, None))
            if name is None or file not in fake.repos[name].files:
                return self.text(404, "NoSuchKey")
            return self.send_file(file, fake.repos[name].files[file], '"content-etag"')

        def send_file(self, file, data, etag):
            faults = fake.faults
            if file in faults.corrupt:
                data = bytes([data[0] ^ 1]) + data[1:]
            start, wanted = 0, self.headers.get("Range")
            if wanted and not faults.no_ranges:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= len(data):
                    return self.text(416, "", [("Content-Range", f"bytes */{len(data)}")])
                start += faults.wrong_range
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            else:
                self.send_response(200)
            body = data[start:]
            self.send_header("ETag", f'"{etag}"')
            if file in faults.endless and self.command == "GET":
                self.send_header("Connection", "close")
                body *= 3
            else:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "HEAD":
                return None
            cuts = faults.cut.get(file)
            if cuts:
                body = body[:cuts.pop(0)]
                self.close_connection = True
            try:
                self.send_body(body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            return None

        def send_body(self, body):
            if not fake.faults.delay:
                self.wfile.write(body)
                return
            for at in range(0, len(body), 4096):
                self.wfile.write(body[at:at + 4096])
                self.wfile.flush()
                time.sleep(fake.faults.delay)

    return Handler
