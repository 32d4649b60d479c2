"""Every route of the contract, asked by everybody: nobody, viewer, editor, admin, and keys.

The table is api/openapi.yaml itself (x-role, x-scope), so a route that is added is tested. Whoever
may not is answered 401 or 403 and nothing else; whoever may gets any other answer.
"""

import json
import re

from server import ApiTest, need_backends

setUpModule = need_backends
PASSWORD = "correct horse battery"
ROLES = ["public", "viewer", "editor", "admin"]
SCOPES = ["read", "write", "admin"]
NOBODY = "00000000-0000-7000-8000-000000000000"
# Their own door to say that nobody may: OpenAI and A1111 routes answer in their own shapes, which
# other tests look at; these would end the session that asks.
LEFT_OUT = {"logout", "change_password", "delete_session"}


class Roles(ApiTest):
    users = tuple((role, role, PASSWORD) for role in ROLES[:0:-1]) # the admin first
    options = ("--rate", "0")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        contract = json.loads(cls.server.ask("GET", "/openapi.json").body)
        cls.operations = [
            (method.upper(), re.sub(r"\{run\}", "1", re.sub(r"\{\w+\}", NOBODY, path)), one)
            for path, methods in contract["paths"].items()
            for method, one in methods.items()
            if isinstance(one, dict) and one.get("operationId", "logout") not in LEFT_OUT]
        cls.cookies, cls.keys = {}, {}
        for role in ROLES[1:]:
            answer = cls.server.ask("POST", "/api/v1/login", {"name": role, "password": PASSWORD})
            assert answer.status == 200, answer.body
            cls.cookies[role] = {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}
        for scope in SCOPES:
            answer = cls.server.ask("POST", "/api/v1/api-keys", {"name": scope, "scopes": [scope]},
                                    cls.cookies["admin"])
            cls.keys[scope] = {"Authorization": "Bearer " + answer.json["key"]}

    def asked(self, method, path, one, headers):
        """The status; an empty body is enough, for who asks is looked at before what."""
        body = {} if "requestBody" in one else None
        return self.server.ask(method, path, body, headers).status

    def test_there_are_routes(self):
        self.assertGreater(len(self.operations), 70)

    def test_nobody(self):
        for method, path, one in self.operations:
            with self.subTest(one["operationId"]):
                status = self.asked(method, path, one, {})
                if one["x-role"] == "public":
                    self.assertNotEqual(status, 403)
                    self.assertTrue(status != 401 or one["operationId"] == "login", status)
                else:
                    self.assertEqual(status, 401)

    def test_every_role(self):
        for role in ROLES[1:]:
            for method, path, one in self.operations:
                with self.subTest(f"{role} {one['operationId']}"):
                    status = self.asked(method, path, one, self.cookies[role])
                    if ROLES.index(role) < ROLES.index(one["x-role"]):
                        self.assertEqual(status, 403)
                    else:
                        self.assertNotIn(status, (401, 403, 500))

    def test_every_scope(self):
        for scope in SCOPES:
            for method, path, one in self.operations:
                with self.subTest(f"{scope} {one['operationId']}"):
                    status = self.asked(method, path, one, self.keys[scope])
                    if one["x-role"] == "public":
                        continue
                    if SCOPES.index(scope) < SCOPES.index(one["x-scope"]):
                        self.assertEqual(status, 403)
                    else:
                        self.assertNotIn(status, (401, 403, 500))
