"""A loopback proxy that loses answers: a request is carried out, and then the connection breaks instead of the answer.

usage: drop_after.py LISTEN_PORT UPSTREAM_PORT ACTION_REGEX TIMES
The first TIMES answers of every action that the expression finds are lost. An action is the `Action` of a query, the last
word of X-Amz-Target, or method and path. GET /__lost gives how many answers of each action were lost, as JSON.
"""

import collections
import http.client
import http.server
import json
import re
import sys
import threading

LISTEN, UPSTREAM, WANTED, TIMES = int(sys.argv[1]), int(sys.argv[2]), re.compile(sys.argv[3]), int(sys.argv[4])
LOST, GUARD = collections.Counter(), threading.Lock()
OWN_HEADERS = {"connection", "content-length", "transfer-encoding", "keep-alive", "server", "date"}


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in OWN_HEADERS:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def action(self, body):
        query = re.search(rb"(?:^|&)Action=(\w+)", body)
        if query:
            return query.group(1).decode()
        target = self.headers.get("X-Amz-Target", "").split(".")[-1]
        return target or f"{self.command} {self.path.split('?')[0]}"

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/__lost":
            return self.answer(200, [("Content-Type", "application/json")], json.dumps(LOST).encode())
        action = self.action(body)
        upstream = http.client.HTTPConnection("127.0.0.1", UPSTREAM, timeout=120)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("connection", "expect")}
        upstream.request(self.command, self.path, body, headers)
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        with GUARD:
            lose = answer.status < 300 and WANTED.search(action) and LOST[action] < TIMES
            if lose:
                LOST[action] += 1
        if lose:
            self.close_connection = True
            self.connection.close()
            return None
        return self.answer(answer.status, answer.getheaders(), content)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = serve


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A connection that we or the client broke is what this is about."""


Server(("127.0.0.1", LISTEN), Proxy).serve_forever()
