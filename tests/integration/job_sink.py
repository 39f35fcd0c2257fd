"""A server that jobs of kind http call: keeps what came, answers what the test wants."""
import http.server
import json
import threading
import time


class Sink:
    """`calls` is a list of {path, key, fence, body, at}. A path /status/N answers N, /slow/S sleeps S seconds first."""

    def __init__(self):
        self.calls = []
        self.changed = threading.Condition()
        self.answers = {}  # path -> (status, value)
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with sink.changed:
                    sink.calls.append({"path": self.path, "key": self.headers.get("Idempotency-Key"),
                                       "fence": self.headers.get("X-Varde-Fence"), "body": body, "at": time.time()})
                    sink.changed.notify_all()
                parts = self.path.strip("/").split("/")
                if parts[0] == "slow":
                    time.sleep(float(parts[1]))
                status, value = (int(parts[1]), {}) if parts[0] == "status" else sink.answers.get(self.path, (200, {"ok": True}))
                text = value if isinstance(value, bytes) else json.dumps(value).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text)
                except OSError:  # the job was stopped and has gone
                    pass

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path="/"):
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def keys(self, path):
        """Slot keys of the calls of a path, in order."""
        with self.changed:
            return [call["key"] for call in self.calls if call["path"] == path]

    def wait_for(self, path, count, timeout=30):
        with self.changed:
            return self.changed.wait_for(lambda: sum(call["path"] == path for call in self.calls) >= count, timeout)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
