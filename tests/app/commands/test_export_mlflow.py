"""`runs export --to mlflow`: what MLflow's own client reads back from a real tracking store."""

import os
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import duckdb
import pytest

from tests.loopback import serve

pytest.importorskip("mlflow", reason="the extra is missing: pip install 'prompt-harness[mlflow]'")

# Not ours: MLflow calls what SQLAlchemy 2.1 deprecates, and leaves its connections to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

KEY = "sk-planted-key-0123456789abcdef"


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory):
    """A tracking store with its tables made once: MLflow takes seconds for that."""
    from mlflow import MlflowClient  # noqa: PLC0415  (an optional package)

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    with chdir(path.parent):  # where its Default experiment will keep files
        MlflowClient(f"sqlite:///{path}").search_experiments()
    return path.read_bytes()


@pytest.fixture
def client(root, empty_store, monkeypatch):
    """MLflow's own client on the store that the variable names."""
    from mlflow import MlflowClient  # noqa: PLC0415

    path = root / "mlflow.db"
    path.write_bytes(empty_store)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{path}")
    return MlflowClient(f"sqlite:///{path}")


def runs_of(client, experiment="tickets@v1"):
    return client.search_runs([client.get_experiment_by_name(experiment).experiment_id])


def test_a_run_is_a_run_there(harness, client):
    """Params, metrics with their intervals, tags: as the run object has them, in an experiment of the dataset."""
    harness("baselines", "--arm", "rules")
    sent = harness("runs", "export", "rules", "--to", "mlflow", "--json").json["runs"]
    (run,) = runs_of(client)
    shown = harness("runs", "show", "rules", "--json").json
    assert [(one["run_id"], one["mlflow_run_id"], one["is_new"]) for one in sent] == [
        (shown["run_id"], run.info.run_id, True)
    ]
    assert (run.info.status, run.info.run_name) == ("FINISHED", "rules")
    params = run.data.params
    assert (params["dataset"], params["split"], params["arm"], params["seed"]) == ("tickets@v1", "test", "rules", "0")
    assert {"dataset_id", "arm_id"} < set(params)
    assert "model" not in params
    metrics = run.data.metrics
    for name in ("accuracy", "macro_f1"):
        found = [metrics[name], metrics[f"{name}_low"], metrics[f"{name}_high"]]
        assert found == pytest.approx([shown[name][end] for end in ("value", "low", "high")])
    for name in ("p50", "p95", "p99"):
        assert metrics[f"latency_s_{name}"] == pytest.approx(shown["latency_s"][name])
    assert {name: metrics[f"outcomes_{name}"] for name in shown["outcomes"]} == shown["outcomes"]
    assert metrics["cost_per_1000_usd"] == pytest.approx(shown["cost_per_1000_usd"])
    assert run.data.tags["harness.run_id"] == shown["run_id"]
    assert {"harness.content_hash", "harness.code_version"} < set(run.data.tags)


def test_a_prompts_run_says_what_was_asked(harness, client):
    """Model, prompt id and tokens are there, and its repeats are runs of their own."""
    harness("eval", "--prompt", "v1", "--repeat", "2")
    assert harness("runs", "export", "prompt:v1", "--to", "mlflow").code == 0
    found = runs_of(client)
    shown = harness("runs", "show", "prompt:v1", "--json").json
    assert {run.data.params["repeat"] for run in found} == {"0", "1"}
    assert {run.data.params["model"] for run in found} == {"fake/first"}
    assert all(run.data.params["prompt"].startswith("s1:") for run in found)
    mine = next(run for run in found if run.data.tags["harness.run_id"] == shown["run_id"])
    assert mine.data.metrics["tokens_input_fresh"] == shown["tokens"]["input_fresh"] > 0


def test_the_key_goes_nowhere(harness, client, monkeypatch, root, tmp_path):
    """A server that repeats the key in its error: neither the tracking store nor the predictions have it."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serve(lambda _: "billing", faults={3: "400 echo"}) as server:
        harness("eval", "--prompt", "v1", "--model", "openai/planted", "--base-url", server.openai_url)
    assert harness("runs", "export", "prompt:v1", "--to", "mlflow").code == 0
    (run,) = runs_of(client)
    assert run.data.metrics["outcomes_failed"] == 1
    (file,) = Path(client.download_artifacts(run.info.run_id, "predictions", str(tmp_path))).iterdir()
    with duckdb.connect() as connection:
        rows = str(connection.execute(f"select * from '{file}'").fetchall())
        told = str(connection.execute(f"select * from parquet_kv_metadata('{file}')").fetchall())
    assert "RequestRejected" in rows
    assert KEY not in rows + told
    assert KEY.encode() not in (root / "mlflow.db").read_bytes()


def test_the_predictions_lie_beside_it(harness, client, tmp_path):
    """The artifact is the file that `runs export` writes: another workspace imports it as it is."""
    harness("baselines", "--arm", "rules")
    harness("runs", "export", "rules", "--to", "mlflow")
    harness("runs", "export", "rules", "--to", "own.parquet")
    (run,) = runs_of(client)
    folder = Path(client.download_artifacts(run.info.run_id, "predictions", str(tmp_path)))
    (file,) = folder.iterdir()
    assert file.name == "tickets@v1-test-rules.parquet"
    assert file.read_bytes() == Path("own.parquet").read_bytes()
    assert harness("runs", "import", str(file), "--db", "other.duckdb").code == 0


def test_twice_is_one_run(harness, client):
    """A run that is there with the same rows is named and left alone; one with other rows is a new one."""
    harness("baselines", "--arm", "rules")
    first, second = (harness("runs", "export", "rules", "--to", "mlflow", "--json").json["runs"][0] for _ in range(2))
    assert (first["mlflow_run_id"], first["is_new"]) == (second["mlflow_run_id"], True)
    assert second["is_new"] is False
    assert "was there already" in harness("runs", "export", "rules", "--to", "mlflow").out
    with duckdb.connect("results/harness.duckdb") as connection:
        connection.execute("update runs set content_hash = 'another'")
    assert harness("runs", "export", "rules", "--to", "mlflow", "--json").json["runs"][0]["is_new"] is True
    assert len(runs_of(client)) == 2


def test_the_experiment_is_mlflows_variables(harness, client, monkeypatch):
    """MLFLOW_EXPERIMENT_NAME and MLFLOW_EXPERIMENT_ID name another experiment than the dataset's."""
    harness("baselines", "--arm", "rules")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine")
    assert "'mine'" in harness("runs", "export", "rules", "--to", "mlflow").out
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", client.get_experiment_by_name("Default").experiment_id)
    assert "'Default'" in harness("runs", "export", "rules", "--to", "mlflow").out
    assert len(runs_of(client, "mine")) == len(runs_of(client, "Default")) == 1


@pytest.mark.parametrize(
    ("uri", "variable"),
    [
        ("http://user:geheimnis@127.0.0.1:9", None),
        ("nonsense://user:geheimnis@127.0.0.1/x", None),
        (None, ("MLFLOW_EXPERIMENT_ID", "777")),
    ],
)
def test_a_server_that_takes_nothing(harness, client, monkeypatch, uri, variable):
    """Nobody listens, an address that is none, an experiment that is not there: exit 3, one line, no password."""
    harness("baselines", "--arm", "rules")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    if uri is not None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    if variable is not None:
        monkeypatch.setenv(*variable)
    done = harness("runs", "export", "rules", "--to", "mlflow")
    assert (done.code, done.err.count("\n"), done.out) == (3, 1, "")
    assert "did not take run" in done.err
    assert "geheimnis" not in done.err


def test_what_was_begun_and_failed_is_marked(harness, client, monkeypatch, root):
    """A file that cannot be stored leaves a failed run, not one that looks whole; the same command then makes it."""
    harness("baselines", "--arm", "rules")
    (root / "mlruns").write_text("a file where MLflow wants a folder")
    assert harness("runs", "export", "rules", "--to", "mlflow").code == 3
    (root / "mlruns").unlink()
    assert harness("runs", "export", "rules", "--to", "mlflow").code == 0
    assert sorted(run.info.status for run in runs_of(client)) == ["FAILED", "FINISHED"]


def test_mlflow_tells_nobody(harness, client):
    """Its own usage reports are switched off, unless the user has said otherwise."""
    code = (
        "import os; from harness.app.exporters import mlflow; mlflow._mlflow(); "
        "from mlflow.telemetry import get_telemetry_client; print(get_telemetry_client())"
    )
    environment = {name: value for name, value in os.environ.items() if name not in ("MLFLOW_DISABLE_TELEMETRY", "CI")}
    environment.pop("PYTEST_CURRENT_TEST", None)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "None"
