"""An import of a million rows: its time and its memory."""

import csv
import json

import pytest

from tests.bench.conftest import measured, rows

pytestmark = pytest.mark.bench
ROWS = 1_000_000


def test_a_million_rows(tmp_path, table):
    """Imported with under 60 s of computing, in memory that is a few hundred bytes a row."""
    with (tmp_path / "big.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "label"])
        writer.writerows(rows(ROWS))
    columns = ["--name", "big", "--text", "text", "--label", "label"]
    done = measured(tmp_path, "-m", "harness", "dataset", "import", "big.csv", *columns, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["n"] == ROWS
    table(
        f"{ROWS:,} rows     seconds  CPU s  peak MB",
        f"import           {done.seconds:10.1f} {done.cpu_s:6.1f} {done.peak_mb:8.0f}",
    )
    assert done.cpu_s < 60
    assert done.peak_mb < 500
