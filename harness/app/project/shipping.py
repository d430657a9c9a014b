"""A stored arm as a folder that needs no workspace: numbers, encoder, prompt, card, requirements, hashes, serve.py.

The same arm is the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from harness import __version__
from harness.analysis.fusion.foresight import Foresight
from harness.analysis.fusion.votes import Combined, Stacked, Weighted
from harness.app.project import fusions, model_card, watching
from harness.app.serving import answering, folder, packaged, sources
from harness.arms import encoding
from harness.arms.portable import kept
from harness.arms.portable.kept import State
from harness.arms.prompts import writing
from harness.errors import ConfigError
from harness.ground import plugins, private
from harness.runs import keeping
from harness.runs.scope import TRAIN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.analysis.results import RunResult
    from harness.app.project.project import Project
    from harness.app.project.standing import Ready
    from harness.types import Dataset

DOCKERFILE = """FROM python:3.12-slim
WORKDIR /arm
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
RUN useradd --create-home arm
USER arm
EXPOSE 8000
CMD ["python", "serve.py", "--host", "0.0.0.0", "--port", "8000"]
"""


@dataclass(slots=True)
class Parcel:
    """The files of a folder, as they come together."""

    project: Project
    dataset: Dataset
    files: dict[str, bytes] = field(default_factory=dict)
    encoders: dict[str, str] = field(default_factory=dict)
    libraries: set[str] = field(default_factory=set)

    def encoder(self, name: str) -> str:
        """Where the two files of an encoder stand; each encoder once."""
        if name not in self.encoders:
            at = f"encoder-{len(self.encoders)}/" if self.encoders else ""
            located = encoding.Located(name, self.project.workspace.extensions)
            self.files[f"{at}encoder.onnx"], self.files[f"{at}tokenizer.json"] = encoding.shipped(located)
            self.encoders[name] = at
        return self.encoders[name]

    def state(self, state: State, at: str) -> None:
        """The two files of what was learnt."""
        self.files |= {f"{at}{name}": content for name, content in kept.as_bytes(state).items()}

    def arm(self, ready: Ready, at: str = "") -> dict[str, Any]:
        """The description of an arm; its files join the others."""
        if ready.choice is not None:
            return self._fusion(ready, at)
        if ready.model is not None:
            return self._prompt(ready, at)
        return self._classifier(ready, at)

    def _classifier(self, ready: Ready, at: str) -> dict[str, Any]:
        state = keeping.kept_state(self.project.workspace, ready.run)
        if state is None:
            raise ConfigError(
                f"{ready.run.arm} cannot be shipped: what it has learnt has no form but its own library's; "
                "harness predict uses it here, and arms that can be shipped are in docs/shipping.md"
            )
        self.state(state, at)
        encoder, library = keeping.encoder_of(state), keeping.library_of(state)
        self.libraries |= {library} if library is not None else set()
        return {
            "how": "built" if state.spec["kind"] == keeping.BUILT else "fitted",
            "name": ready.run.arm,
            "at": at,
            "encoder": None if encoder is None else self.encoder(encoder),
            "cost_usd": ready.arm.cost_usd,  # type: ignore[attr-defined]  # it is a classifier's
        }

    def _prompt(self, ready: Ready, at: str) -> dict[str, Any]:
        run, stack = ready.run, ready.model
        assert stack is not None  # it is a prompt that asks one
        provider = stack.model.provider
        if provider not in plugins.names("providers"):
            raise ConfigError(f"{run.arm} cannot be shipped: {provider}/ is a provider of this workspace's own")
        row = self.project.store.prompts([str(run.params["prompt"])]).to_dict("records")[0]
        prompt = writing.as_stored(row["content"], row["task"], row["version"], str(run.params["prompt"]))
        self.files[f"{at}prompt.j2"] = prompt.content.encode("utf-8", "surrogatepass")
        self.files[f"{at}examples.jsonl"] = self._pool(ready).encode("ascii")
        endpoint = str(run.params.get("endpoint") or "")
        return {
            "how": "prompt",
            "name": run.arm,
            "at": at,
            "task": row["task"],
            "version": row["version"],
            "task_name": self.dataset.name,
            "dataset_id": self.dataset.id,
            "kind": self.dataset.kind,
            "labels": [[label.name, label.description] for label in self.dataset.labels],
            "model": str(stack.model),
            "base_url": endpoint if endpoint.startswith("http") else None,
        }

    def _pool(self, ready: Ready) -> str:
        """The training items that a prompt chooses its examples from, as JSON lines; none where it shows none."""
        pool = tuple(self.dataset.in_split(TRAIN)) if ready.run.n_train else ()
        rows = [
            {"id": i.id, "text": i.text, "tags": list(i.tags), "fields": dict(i.fields), "label": one.label}
            for one in pool
            for i in (one.item,)
        ]
        return "".join(json.dumps(row) + "\n" for row in rows)

    def _fusion(self, ready: Ready, at: str) -> dict[str, Any]:
        choice = ready.choice
        assert choice is not None  # it is a fusion
        spec: dict[str, Any] = {
            "how": choice.how,
            "name": choice.name,
            "thresholds": list(choice.thresholds),
            "members": [self.arm(one, f"{at}members/{place}/") for place, one in enumerate(ready.members)],
        }
        if choice.how == "cascade":
            return spec
        learnt = fusions.learnt(self.project, choice, self.dataset)
        if isinstance(learnt, Foresight):
            assert choice.toll is not None  # a router has one
            spec |= {"cost_usd": choice.toll.cost_usd, "latency_s": choice.toll.latency_s}
            spec["encoder"] = self.encoder(self.project.workspace.preferences.encoder)
            spec["learnt"] = [self._foreseen(one, f"{at}learnt/{place}/") for place, one in enumerate(learnt.models)]
        elif isinstance(learnt, Weighted):
            spec["learnt"] = {"weights": list(learnt.weights), "order": list(learnt.order)}
        elif isinstance(learnt, Combined):
            spec["learnt"] = {"weights": list(learnt.weights), "kind": learnt.kind}
        else:
            stacked = cast("Stacked", learnt)
            self._regression(stacked.model, f"{at}learnt/")
            spec["learnt"] = {"at": f"{at}learnt/", "labels": list(stacked.labels)}
        return spec

    def _foreseen(self, model: Any, at: str) -> float | str:  # noqa: ANN401  (scikit-learn has no types)
        if isinstance(model, float):
            return model
        self._regression(model, at)
        return at

    def _regression(self, model: Any, at: str) -> None:  # noqa: ANN401
        classes = [str(name) for name in model.classes_]
        arrays = {"weights": np.asarray(model.coef_), "intercepts": np.asarray(model.intercept_)}
        self.state(State({"kind": "linear", "classes": classes}, arrays), at)


def files_of(project: Project, ready: Ready, dataset: Dataset, result: RunResult, *, docker: bool) -> dict[str, bytes]:
    """Every file of the folder, its manifest among them; `ConfigError` says what cannot be shipped."""
    parcel = Parcel(project, dataset)
    spec = parcel.arm(ready)
    files = parcel.files | watching.files_of(project, ready.run)
    needs_package = spec["how"] != "fitted"
    card = model_card.facts(ready, dataset, result)
    card |= {"package": __version__, "cost_usd": spec.get("cost_usd")}
    if needs_package:
        preferences = project.workspace.preferences
        tree = {"arm": spec, "prices": preferences.prices, "cpu_usd_per_hour": preferences.cpu_usd_per_hour}
        files[packaged.ARM] = _json(tree)
        files["serve.py"] = sources.packaged()
        card["at_once"] = 64 if ready.stacks else None  # who waits for a model needs no core meanwhile
    else:
        files["serve.py"] = sources.fitted(has_encoder=bool(parcel.encoders))
    files[answering.CARD] = _json(card)
    files["MODEL_CARD.md"] = model_card.text(card).encode("utf-8", "replace")
    learnt_with = sorted(parcel.libraries)
    packages = ["numpy", *(("onnxruntime", "tokenizers") if parcel.encoders else ()), *learnt_with]
    pins = [f"{name}=={version(name)}" for name in (learnt_with if needs_package else packages)]
    pins = [f"prompt-harness=={__version__}", *pins] if needs_package else pins
    files["requirements.txt"] = ("\n".join(pins) + "\n").encode()
    if docker:
        files["Dockerfile"] = DOCKERFILE.encode()
    return files | {folder.MANIFEST: folder.manifest_of(files)}


def write(files: dict[str, bytes], to: Path) -> Sequence[str]:
    """The names of the files, written into a new folder; `ConfigError` when something else is there."""
    try:
        with private.files():
            for old in _replaced(files, to) if to.exists() else ():
                old.unlink()
            for name, content in sorted(files.items()):
                (to / name).parent.mkdir(parents=True, exist_ok=True)
                (to / name).write_bytes(content)
    except OSError as error:
        raise ConfigError(f"--to {error.filename or to}: {error.strerror}; give a folder that may be written") from None
    return sorted(files)


def _replaced(files: dict[str, bytes], to: Path) -> Sequence[Path]:
    """The files of the folder that was shipped there before and that the new one has not; nobody else's is touched."""
    if not to.is_dir() or (any(to.iterdir()) and not (to / folder.MANIFEST).is_file()):
        raise ConfigError(f"--to {to} is there already and is no shipped folder; give another name")
    gone = [path for path in sorted(to.rglob("*")) if path.is_file() and str(path.relative_to(to)) not in files]
    hashes = folder.hashes(to) if gone else {}
    for path in gone:
        if hashes.get(str(path.relative_to(to))) != hashlib.sha256(path.read_bytes()).hexdigest():
            raise ConfigError(f"--to {to} holds {path.name}, which was not shipped so; give another name")
    return gone


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True, allow_nan=False).encode("ascii") + b"\n"
