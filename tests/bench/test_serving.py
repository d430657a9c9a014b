"""A shipped folder under load: 64 clients for a minute, memory flat, beside what the bare classifier does."""

import subprocess
import sys
import threading

import pytest

from harness.app.serving.server import Asked
from harness.arms.encoders._loaded import embedder
from harness.arms.portable import kept
from harness.arms.portable.model import Portable
from harness.ground.clock import SystemClock
from tests.app.serving_load import load, resident_mb
from tests.app.standing import REF, made
from tests.conftest import TICKETS

pytestmark = pytest.mark.bench
SECONDS, CLIENTS = 60.0, 64
CLOCK = SystemClock()


def test_a_minute_of_many_clients(tmp_path, table):
    """No error, each answered; the memory after a minute is what it was after five seconds, to a twentieth."""
    made(tmp_path, arms=("minilm-lr",), fusions=())
    shipped = tmp_path / "shipped"
    command = [sys.executable, "-m", "harness", "ship", "minilm-lr", "--to", str(shipped), "--dataset", REF]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    texts = [text for text, _ in TICKETS]
    bare = bare_rate(shipped, texts)
    start_s = CLOCK.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-I", str(shipped / "serve.py"), "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        url = process.stdout.readline().split()[-1]
        began_s = CLOCK.monotonic() - start_s
        early = []
        watch = threading.Timer(5.0, lambda: early.append(resident_mb(process.pid)))
        watch.start()
        told = load(url, CLIENTS, SECONDS, texts)
        watch.join()
        late = resident_mb(process.pid)
    finally:
        process.terminate()
        process.communicate()
    waits = sorted(told["waits"])
    assert told["errors"] == []
    assert late <= 1.05 * early[0]
    table(
        f"{CLIENTS} clients for {SECONDS:.0f} s: {told['answered'] / SECONDS:.0f} answers a second, p95 "
        f"{1000 * waits[int(0.95 * len(waits))]:.0f} ms, no error; {early[0]:.0f} MB after 5 s, {late:.0f} at "
        f"the end; started in {began_s:.2f} s; the bare classifier, one by one: {bare:.0f} a second"
    )


def bare_rate(folder, texts):
    """Items a second of the shipped classifier itself, one at a time."""
    state = kept.of_bytes((folder / "model.json").read_bytes(), (folder / "numbers.npz").read_bytes())
    embed = embedder((folder / "encoder.onnx").read_bytes(), (folder / "tokenizer.json").read_bytes())
    classifier = Portable(state.spec, state.arrays, embed)
    items = [Asked(str(i), texts[i % len(texts)]) for i in range(200)]
    start_s = CLOCK.monotonic()
    for item in items:
        classifier.predict_proba([item])
    return len(items) / (CLOCK.monotonic() - start_s)
