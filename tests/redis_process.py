"""A Redis of one's own: a process on a free port of loopback, in a folder of its own."""

import contextlib
import shutil
import socket
import subprocess
import time

SERVER = shutil.which("redis-server")
WHY_NOT = "redis-server is not installed (Debian package redis-server)"


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class RedisProcess:
    """One server; it can be killed and started again on its port."""

    def __init__(self, folder, *, password="", options=()):
        self.port = free_port()
        self.address = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._options = [*options, *(["--requirepass", password] if password else [])]
        self._process = None

    def start(self):
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        kept = ["--save", "", "--appendonly", "yes", "--appendfsync", "no"]
        self._process = subprocess.Popen(
            [SERVER, *where, *kept, *self._options], stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.02)
        raise TimeoutError(f"redis-server does not answer on port {self.port}")

    def kill(self):
        self._process.kill()
        self._process.wait()

    def stop(self):
        self._process.terminate()
        self._process.wait(20)


@contextlib.contextmanager
def running_redis(folder, **options):
    server = RedisProcess(folder, **options)
    server.start()
    try:
        yield server
    finally:
        server.stop()
