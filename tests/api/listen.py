"""The stock python-socketio client as a filter: [event, data] lines in, {"event", "data"} lines out.

listen.py URL {"transports": [...], "headers": {...}, "auth": {...}}: run by test_events.py with
the interpreter of build/venv. Bytes inside events are shown as hex.
"""

import json
import sys

import socketio


def plain(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value


def say(event, data=None):
    print(json.dumps({"event": event, "data": plain(data)}), flush=True)


def main():
    url, options = sys.argv[1], json.loads(sys.argv[2])
    client = socketio.Client(reconnection=False)
    client.on("connect", lambda: say("connect"))
    client.on("disconnect", lambda *_: say("disconnect"))
    client.on("*", lambda event, *data: say(event, data[0] if data else None))
    refused = []
    client.on("connect_error", refused.append)
    try:
        client.connect(url, **{"transports": ["websocket"], **options}, wait_timeout=20)
    except socketio.exceptions.ConnectionError as error:
        say("refused", refused[0].get("message") if refused and isinstance(refused[0], dict)
            else str(error))
        return
    for line in sys.stdin:
        event, data = json.loads(line)
        say("ack", client.call(event, data, timeout=20))
    client.disconnect()


main()
