"""A lake whose rows are in a bucket: written, read, forgotten; the credentials are in the environment alone."""

import pytest

from harness.ground.clock import SystemClock
from harness.ground.traces import Traces
from harness.store import Erasure, Store
from harness.store.lake.address import LakeAddress
from tests.team import buckets
from tests.team.test_lake import TEXT, dumped, filled


@pytest.fixture
def bucket(monkeypatch):
    with buckets.served() as server:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", buckets.KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", buckets.SECRET)
        monkeypatch.setenv("AWS_REGION", "eu-central-1")
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        yield server


def test_rows_in_a_bucket_are_written_read_and_forgotten(bucket, postgres, root):
    """As in a folder: no object says what was forgotten, and no secret stands in catalogue, answer or object."""
    conninfo = postgres.database()
    store = Store(LakeAddress(conninfo, "s3://team/harness/"), SystemClock(), wait_s=60)
    dataset, run = filled(store, root)
    assert len(store.predictions([run.id])) == 30
    before = set(bucket.objects)
    assert before
    assert all(name.startswith("/team/harness/main/") for name in before)
    assert store.verify() == []
    (gone,) = [e.item for e in dataset.in_split("test") if e.item.text == TEXT]
    store.erase(Erasure({dataset.id: frozenset({gone.id})}, {}, Traces([TEXT])))
    assert len(store.predictions([run.id])) == 29
    assert not before & set(bucket.objects)
    assert not any(TEXT.encode() in content for content in bucket.objects.values())
    assert store.verify() == []
    everything = dumped(postgres, conninfo) + b"".join(bucket.objects.values())
    assert buckets.SECRET.encode() not in everything
    store.close()
