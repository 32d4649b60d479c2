"""A server that speaks just enough of MongoDB's protocol (OP_MSG, OP_QUERY's hello) to say no.

    with FakeMongo({"saslStart": {"ok": 0.0, "code": 18, "errmsg": "..."}}) as server: server.url

It says hello and answers the commands it was given answers for; others succeed with {"ok": 1}."""

import socket
import struct
import threading

import bson

HELLO = {"ismaster": True, "isWritablePrimary": True, "maxBsonObjectSize": 16777216, "maxMessageSizeBytes": 48000000,
         "maxWriteBatchSize": 100000, "minWireVersion": 0, "maxWireVersion": 8, "ok": 1.0}
OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013


def exactly(connection, n):
    data = b""
    while len(data) < n:
        piece = connection.recv(n - len(data))
        if not piece:
            raise ConnectionError
        data += piece
    return data


class FakeMongo:
    def __init__(self, answers, hello=None):
        self.answers = answers
        self.hello = {**HELLO, **(hello or {})}
        self.asked = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    @property
    def url(self):
        return f"mongodb://127.0.0.1:{self.port}"

    def answer(self, command):
        name = next(iter(command))
        self.asked.append(command)
        if name.lower() in ("hello", "ismaster"):
            return self.hello
        found = self.answers.get(name, {"ok": 1.0})
        return found(command) if callable(found) else found

    def serve(self, connection):
        number = 0
        try:
            while True:
                length, request, _, code = struct.unpack("<iiii", exactly(connection, 16))
                body = exactly(connection, length - 16)
                number += 1
                if code == OP_MSG:
                    answer = struct.pack("<Ib", 0, 0) + bson.encode(self.answer(self.read(body[4:])))
                    code = OP_MSG
                else:
                    name_end = body.index(b"\0", 4)
                    answer = struct.pack("<iqii", 8, 0, 0, 1) + bson.encode(
                        self.answer(bson.decode(body[name_end + 9:])))
                    code = OP_REPLY
                connection.sendall(struct.pack("<iiii", 16 + len(answer), number, request, code) + answer)
        except OSError:
            pass
        finally:
            connection.close()

    @staticmethod
    def read(sections):
        """The command, with its document sequences (updates, documents) as lists in it."""
        command, lists = {}, {}
        while sections:
            kind, size = sections[0], struct.unpack("<i", sections[1:5])[0]
            part, sections = sections[1:1 + size], sections[1 + size:]
            if kind == 0:
                command = bson.decode(part)
            else:
                end = part.index(b"\0", 4)
                lists[part[4:end].decode()] = bson.decode_all(part[end + 1:])
        return {**command, **lists}

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def __enter__(self):
        threading.Thread(target=self.run, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
