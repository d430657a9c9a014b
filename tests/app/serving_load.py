"""Many clients at once on a server of a shipped folder: what they got, and what the server's process took."""

import http.client
import json
import threading
from pathlib import Path
from urllib.parse import urlsplit

from harness.ground.clock import SystemClock


def resident_mb(pid: int) -> float:
    """The memory of a process, from Linux' own count."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def load(url: str, clients: int, seconds: float, texts: list[str]) -> dict:
    """`clients` ask one item after the other for so long: how many were answered, what went wrong."""
    over, lock = threading.Event(), threading.Lock()
    told = {"answered": 0, "errors": [], "waits": []}

    def ask(number: int) -> None:
        clock, waits = SystemClock(), []
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        try:
            while not over.is_set():
                body = json.dumps({"text": texts[(number + len(waits)) % len(texts)]})
                start_s = clock.monotonic()
                connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
                reply = connection.getresponse()
                answer = json.loads(reply.read())
                assert reply.status == 200, answer
                assert answer["outcome"] == "answered"
                waits.append(clock.monotonic() - start_s)
        except (OSError, http.client.HTTPException, ValueError, AssertionError) as error:
            with lock:
                told["errors"].append(repr(error))
        finally:
            connection.close()
        with lock:
            told["answered"] += len(waits)
            told["waits"] += waits

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    over.wait(seconds)
    over.set()
    for thread in threads:
        thread.join()
    return told
