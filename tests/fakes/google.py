"""The parts of Google that ask who is there: a login (OAuth 2.0), a metadata server, and a gate that
lets only requests with a live token through to a storage emulator.

    with FakeGoogle(folder, "127.0.0.1", 4443) as google:
        path = google.account_file()      # a service account's key file; user_file() for a user's
        ... GOOGLE_APPLICATION_CREDENTIALS=path, or GCE_METADATA_HOST=google.host ...
        google.revoke()                   # every token given so far is no longer one
        google.logins                     # ["service_account", "metadata", ...]

An assertion is accepted only if `openssl` verifies its RS256 signature with the account's key, and
its claims are right (RFC 7523). `life` is what tokens are said to live; `status` and `answers` make
the login or the gate answer something else.
"""

import base64
import http.client
import http.server
import json
import pathlib
import subprocess
import threading
import time
import urllib.parse

SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
ACCOUNT = "painter@project.iam.gserviceaccount.com"
USER = {"client_id": "a client+1", "client_secret": "s&cret", "refresh_token": "1//re=fresh"}


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class FakeGoogle:
    def __init__(self, folder, target_host=None, target_port=None, life=3600):
        self.folder = pathlib.Path(folder)
        self.target = (target_host, target_port)
        self.life = life
        self.tokens = set()
        self.logins = []
        self.refused = []          # why an assertion was not accepted
        self.answers = []          # (status, body) that the login gives first
        self.flavor = "Google"
        self.delay = 0
        self.lock = threading.Lock()
        self.key = self.folder / "account.pem"
        self.public = self.folder / "account.pub"
        self.make_key()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.url = f"http://{self.host}"
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       kwargs={"poll_interval": 0.05})

    def make_key(self):
        """Another one than before."""
        subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt",
                        "rsa_keygen_bits:2048", "-out", str(self.key)], check=True,
                       stderr=subprocess.DEVNULL)
        subprocess.run(["openssl", "pkey", "-in", str(self.key), "-pubout", "-out",
                        str(self.public)], check=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def write(self, name, content):
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    def account_file(self, **changes):
        return self.write("account.json", {
            "type": "service_account", "project_id": "project", "private_key_id": "key-7",
            "private_key": self.key.read_text(), "client_email": ACCOUNT,
            "token_uri": self.url + "/token", **changes})

    def user_file(self, **changes):
        return self.write("user.json", {"type": "authorized_user", **USER,
                                        "token_uri": self.url + "/token", **changes})

    def revoke(self):
        with self.lock:
            self.tokens.clear()

    def token(self, how):
        with self.lock:
            token = f"ya29.{how}-{len(self.logins)}"
            self.tokens.add(token)
            self.logins.append(how)
        return {"access_token": token, "expires_in": self.life, "token_type": "Bearer"}

    def verify(self, assertion):
        """None, or what is wrong with it."""
        head, claims, signature = assertion.split(".")
        (self.folder / "signature").write_bytes(unpadded(signature))
        checked = subprocess.run(["openssl", "dgst", "-sha256", "-verify", str(self.public),
                                  "-signature", str(self.folder / "signature")],
                                 input=f"{head}.{claims}".encode(), capture_output=True, check=False)
        if checked.returncode:
            return "the signature is wrong"
        head, claims = json.loads(unpadded(head)), json.loads(unpadded(claims))
        now = time.time()
        wanted = {"iss": ACCOUNT, "scope": SCOPE, "aud": self.url + "/token"}
        if head != {"alg": "RS256", "typ": "JWT", "kid": "key-7"}:
            return f"its head is {head}"
        if {name: claims.get(name) for name in wanted} != wanted:
            return f"its claims are {claims}"
        if not now - 60 < claims["iat"] < now + 60 or claims["exp"] - claims["iat"] != 3600:
            return f"its times are {claims}"
        return None

    def log_in(self, form):
        grant = form.get("grant_type")
        if grant == "urn:ietf:params:oauth:grant-type:jwt-bearer":
            with self.lock:
                wrong = self.verify(form.get("assertion", ".."))
            if not wrong:
                return 200, self.token("service_account")
        elif grant == "refresh_token":
            wrong = None if all(form.get(k) == v for k, v in USER.items()) else "another user"
            if not wrong:
                return 200, self.token("user")
        else:
            wrong = f"no grant of type {grant}"
        self.refused.append(wrong)
        return 400, {"error": "invalid_grant", "error_description": wrong}


def _handler(google):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *unused):
            pass

        def any(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path == "/token":
                self.login(body)
            elif self.path.startswith("/computeMetadata/"):
                self.metadata()
            else:
                self.gate(body)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = any

        def reply(self, status, body, headers=()):
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def login(self, body):
            time.sleep(google.delay)
            if google.answers:
                return self.reply(*google.answers.pop(0))
            form = dict(urllib.parse.parse_qsl(body.decode(), strict_parsing=True))
            return self.reply(*google.log_in(form))

        def metadata(self):
            flavor = [("Metadata-Flavor", google.flavor)] if google.flavor else []
            if google.answers:
                return self.reply(*google.answers.pop(0), flavor)
            if self.headers.get("Metadata-Flavor") != "Google":
                return self.reply(403, {"error": "the header Metadata-Flavor is missing"}, flavor)
            if not self.path.endswith("/instance/service-accounts/default/token"):
                return self.reply(404, {"error": "there is nothing here"}, flavor)
            return self.reply(200, google.token("metadata"), flavor)

        def gate(self, body):
            kind, _, token = (self.headers.get("Authorization") or "").partition(" ")
            with google.lock:
                good = kind == "Bearer" and token in google.tokens
            if not good:
                return self.reply(401, {"error": {"code": 401, "message": "Invalid Credentials"}})
            connection = http.client.HTTPConnection(*google.target, timeout=60)
            connection.putrequest(self.command, self.path, skip_host=True,
                                  skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() != "authorization":
                    connection.putheader(name, value)
            connection.endheaders(body or None)
            answer = connection.getresponse()
            data = answer.read()
            connection.close()
            dropped = ("transfer-encoding", "connection", "content-length", "date", "server")
            return self.reply(answer.status, data, [(name, value) for name, value
                                                    in answer.getheaders()
                                                    if name.lower() not in dropped])

    return Handler
