"""A server of the standard library's kind that runs in a thread for a while, on this machine alone."""

import threading
from contextlib import contextmanager


@contextmanager
def running(server):
    """The server while it answers; afterwards its thread has ended and its socket is closed."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
