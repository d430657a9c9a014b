"""To MLflow: a run of ours becomes a run of theirs, where MLFLOW_TRACKING_URI says (an optional extra).

Without it MLflow's own default holds: since version 3.7 the file mlflow.db in the current folder. The
experiment is MLFLOW_EXPERIMENT_ID's or MLFLOW_EXPERIMENT_NAME's, else named after the dataset version,
for only runs on the same version compare. A run that is there already, with the same rows, stays as it is.
"""

from __future__ import annotations

import os
import re
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from harness.app.parcel import NotTaken, Receipt

if TYPE_CHECKING:
    from harness.app.parcel import Parcel

PREFIX = "harness."
ARTIFACTS = "predictions"
CREDENTIALS = re.compile(r"//[^/@]*@")
NO_REPORTS = "MLFLOW_DISABLE_TELEMETRY"


def send(parcel: Parcel) -> Receipt:
    """The MLflow run of a parcel: params, metrics, tags, and the predictions as a Parquet file.

    Raises `NotTaken` when the tracking server does not take it; what was begun is marked as failed there.
    """
    mlflow = _mlflow()
    errors = (mlflow.exceptions.MlflowException, import_module("sqlalchemy").exc.SQLAlchemyError, OSError)
    where = _public(mlflow.get_tracking_uri())
    try:
        client = mlflow.MlflowClient()
        experiment = _experiment(client, parcel.record.dataset)
        known = _known(client, experiment.experiment_id, parcel)
        run_id = known or _filled(client, experiment.experiment_id, parcel, errors)
    except errors as error:
        reason = " ".join(str(error).split()).replace(mlflow.get_tracking_uri(), where)
        raise NotTaken(f"MLflow at {where} did not take run {parcel.record.run_id}: {reason}") from None
    said = "is MLflow run" if known is None else "was there already: MLflow run"
    facts = {"mlflow_run_id": run_id, "experiment": experiment.name, "tracking_uri": where, "is_new": known is None}
    return Receipt(parcel.record.run_id, f"{said} {run_id} of experiment {experiment.name!r} at {where}", facts)


def _mlflow() -> Any:  # noqa: ANN401  (an optional package)
    # Without this MLflow tells its makers which of its calls are used; a user who wants that says so.
    os.environ.setdefault(NO_REPORTS, "true")
    return import_module("mlflow")


def _experiment(client: Any, dataset: str) -> Any:  # noqa: ANN401
    given = os.environ.get("MLFLOW_EXPERIMENT_ID")
    if given:
        return client.get_experiment(given)
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or dataset
    return client.get_experiment_by_name(name) or client.get_experiment(client.create_experiment(name))


def _known(client: Any, experiment_id: str, parcel: Parcel) -> str | None:  # noqa: ANN401
    """The finished run there that has the same rows."""
    wanted = {name: parcel.origin()[name] for name in ("run_id", "content_hash")}
    tags = [f"tags.`{PREFIX}{name}` = '{value}'" for name, value in wanted.items()]
    found = client.search_runs([experiment_id], " and ".join((*tags, "attributes.status = 'FINISHED'")), max_results=1)
    return found[0].info.run_id if found else None


def _filled(client: Any, experiment_id: str, parcel: Parcel, errors: tuple[type[Exception], ...]) -> str:  # noqa: ANN401
    started, ended = (_milliseconds(text) for text in (parcel.record.started_at, parcel.record.finished_at))
    name = " ".join(filter(None, (parcel.record.arm, parcel.record.model)))
    tags = {PREFIX + name: value for name, value in parcel.origin().items()}
    run_id: str = client.create_run(experiment_id, started, tags, name).info.run_id
    try:
        _fill(client, run_id, parcel, ended or 0)
    except errors:
        client.set_terminated(run_id, "FAILED")
        raise
    client.set_terminated(run_id, "FINISHED", ended)
    return run_id


def _fill(client: Any, run_id: str, parcel: Parcel, timestamp: int) -> None:  # noqa: ANN401
    entities = import_module("mlflow.entities")
    params = [entities.Param(name, str(value)) for name, value in parcel.identity().items()]
    metrics = [entities.Metric(name, value, timestamp, step=0) for name, value in parcel.measures().items()]
    client.log_batch(run_id, metrics=metrics, params=params)
    client.log_artifact(run_id, str(parcel.file), ARTIFACTS)


def _milliseconds(text: str | None) -> int | None:
    return None if text is None else round(datetime.fromisoformat(text).timestamp() * 1000)


def _public(uri: str) -> str:
    """The address without credentials."""
    return CREDENTIALS.sub("//", uri.partition("?")[0])
