"""Arms that ask no model, one file each: scikit-learn classifiers over items.

A file offers `VERSION` (raised when behaviour changes), `build(..., seed=0)`, and `NEEDS_TAGS`
where it does. A row of zeros from `predict_proba` says that the classifier abstains. The
estimators follow scikit-learn's contract, so `clone`, pipelines and grid searches take them.
"""
