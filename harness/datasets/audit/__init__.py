"""Whether a dataset can carry a verdict: duplicates, leaks, wrong labels, broken texts, private matters.

Each file in `checks/` looks for one kind of defect. `auditing.audit` runs them all over one
`Subject`, which holds what several of them need; `record` turns what they found into JSON and
back; `equality` is the quick part, for reports. Pure: datasets in, findings out.
"""
