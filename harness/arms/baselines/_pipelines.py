"""What pipelines of scikit-learn have learnt: vectorizers or embeddings, then a head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline

from harness.arms.baselines._features import Embedded
from harness.arms.portable import kept
from harness.arms.portable.kept import State

if TYPE_CHECKING:
    from numpy.typing import NDArray


def state_of(classifier: object) -> State | None:
    """What a classifier over items has learnt; a pipeline's is put together from its two steps."""
    if not isinstance(classifier, Pipeline):
        return kept.state_of(classifier)
    features, head = classifier[0], classifier[-1]
    told = _regression(head) if isinstance(head, LogisticRegression) else kept.state_of(head)
    if told is None:
        return None
    if isinstance(features, Embedded):
        return State({**told.spec, "encoder": str(features.encoder)}, told.arrays)
    spec, idf = _vectorizers(features)
    return State({**told.spec, "vectorizers": spec}, {**told.arrays, **idf})


def on_features(features: Any, how: str, weights: NDArray[Any], intercepts: NDArray[Any]) -> State | None:  # noqa: ANN401
    """Weights, a column each, on what features give of items; None where features have no form that can be kept."""
    if isinstance(features, Embedded):
        on_vectors = {"kind": "linear", "how": how, "encoder": str(features.encoder)}
        return State(on_vectors, {"weights": weights.T, "intercepts": intercepts})
    if not isinstance(features, CountVectorizer | FeatureUnion):
        return None
    vectorizers, idf = _vectorizers(features)
    spec = {"kind": "counted", "how": how, "vectorizers": vectorizers}
    return State(spec, {"weights": weights, "intercepts": intercepts, **idf})


def _regression(fitted: LogisticRegression) -> State:
    spec = {"kind": "linear", "classes": fitted.classes_.tolist()}
    return State(spec, {"weights": fitted.coef_, "intercepts": fitted.intercept_})


def _vectorizers(features: Any) -> tuple[list[dict[str, Any]], dict[str, NDArray[np.float64]]]:  # noqa: ANN401
    """The vectorizers of a step, and the weights of their terms where they have some."""
    several = [one for _, one in features.transformer_list] if isinstance(features, FeatureUnion) else [features]
    weighed = {f"idf{place}": one.idf_ for place, one in enumerate(several) if isinstance(one, TfidfVectorizer)}
    return [_vectorizer(one) for one in several], weighed


def _vectorizer(fitted: CountVectorizer) -> dict[str, Any]:
    is_weighed = isinstance(fitted, TfidfVectorizer)
    return {
        "terms": fitted.get_feature_names_out().tolist(),
        "analyzer": fitted.analyzer,
        "pattern": fitted.token_pattern,
        "ngrams": list(fitted.ngram_range),
        "sublinear": is_weighed and fitted.sublinear_tf,
        "is_unit": is_weighed and fitted.norm == "l2",
    }
