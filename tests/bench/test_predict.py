"""`predict` over many short texts with minilm-lr: bounded memory, and at the encoder's own speed."""

import json

import pytest

from tests.app.standing import REF, made, written
from tests.bench.conftest import measured
from tests.conftest import TICKETS

pytestmark = pytest.mark.bench
MOST_MB = 1_000
BARE = """
import json, sys, time
from harness.arms import encoding
texts = [json.loads(line)["text"] for line in open("new.jsonl", encoding="utf-8")]
encoder = encoding.connect(encoding.DEFAULT)
encoder.embed(texts[:1])
start = time.process_time()
for first in range(0, len(texts), 256):
    encoder.embed(texts[first:first + 256])
print(time.process_time() - start)
"""


@pytest.mark.parametrize("rows", [5_000, 100_000])
def test_many_short_texts(tmp_path, table, rows):
    """Peak memory below 1 GB whatever the number of rows, and at most a tenth of the time outside the encoder.

    Times are seconds of computing, less those of a file of one row, so that a busy machine tells the same.
    """
    made(tmp_path, arms=("minilm-lr",), fusions=())
    lines = [json.dumps({"text": f"{TICKETS[i % len(TICKETS)][0]} {i}"}) for i in range(rows)]
    (tmp_path / "new.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    written(tmp_path / "one.csv", [{"text": "refund"}])
    asked = ("-m", "harness", "predict", "minilm-lr", "--dataset", REF)
    start = measured(tmp_path, *asked, "one.csv")
    whole = measured(tmp_path, *asked, "new.jsonl", "--to", "out.parquet", "--json")
    bare = measured(tmp_path, "-c", BARE)
    assert (start.code, whole.code, bare.code) == (0, 0, 0), start.err + whole.err + bare.err
    assert json.loads(whole.out)["outcomes"]["answered"] == rows
    labelling_s, encoder_s = whole.cpu_s - start.cpu_s, float(bare.out)
    outside = 1 - encoder_s / labelling_s
    table(
        f"{rows:,} rows: {whole.seconds:.1f} s, of computing {labelling_s:.1f} s, the encoder alone {encoder_s:.1f} s: "
        f"{100 * outside:.1f}% outside; peak {whole.peak_mb:.0f} MB"
    )
    assert whole.peak_mb < MOST_MB
    assert outside <= 0.1
