"""An outside feature service for tests: a real HTTP server that can be told to misbehave."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Service:
    """Answers `level` of each key by `values`; `manner` says how well."""

    def __init__(self):
        self.values = {"phone": 0.25, "desktop": 0.75}
        self.manner = "well"
        self._patience = threading.Event()
        self.asked = []
        self.tokens = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.asked.append(body)
                outer.tokens.append(self.headers.get("authorization"))
                outer.answer(self, body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/level"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def answer(self, handler, body):
        rows = [{"level": self.values.get(key)} for key in body["keys"]]
        text = json.dumps({"rows": rows}).encode()
        if self.manner == "slow":
            # Longer than any limit of a test; `behave` lets go.
            self._patience.wait(60)
        elif self.manner == "nonsense":
            text = b"<html>"
        elif self.manner == "short":
            text = b'{"rows": []}'
        elif self.manner == "wrong type":
            text = json.dumps({"rows": [{"level": "high"} for _ in rows]}).encode()
        elif self.manner == "hangs up":
            handler.close_connection = True
            handler.connection.close()
            return
        elif self.manner == "drips headers":
            self._drip(handler, b"HTTP/1.1 200 OK\r\nx-slow: " + b"y" * 100)
            return
        handler.send_response(500 if self.manner == "fails" else 200)
        handler.send_header("content-length", str(len(text)))
        handler.end_headers()
        if self.manner == "drips":
            self._drip(handler, text)
            return
        handler.wfile.write(text)

    def _drip(self, handler, text):
        for each in text:
            handler.wfile.write(bytes([each]))
            handler.wfile.flush()
            if self._patience.wait(0.5):
                handler.close_connection = True
                return

    def behave(self):
        """Answer well from now on, and let those go who are kept waiting."""
        self._patience.set()
        self._patience = threading.Event()
        self.manner = "well"
        self.asked.clear()
        self.tokens.clear()

    def close(self):
        self._patience.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


BAD_MANNERS = ["slow", "nonsense", "short", "wrong type", "hangs up", "fails", "drips"]
