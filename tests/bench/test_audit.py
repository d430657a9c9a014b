"""The audit on the public sets, fact by fact, and its speed on a hundred thousand rows.

Needs the public sets beside the checkout. Counts of near-duplicates as in two published
comparisons: 440 of Banking77's 3,080 test rows have a near row among all 10,003 training rows
(418 of them with the same label) when n-grams are weighted by all rows; 425 (400) among 9,387 of
them, eight per label set aside, when they are weighted by those alone.
"""

import csv
import json

import numpy as np
import pytest

from harness import datasets
from harness.datasets.audit import auditing
from harness.datasets.audit.subject import Near
from harness.datasets.importing import import_rows
from harness.ground import plugins
from harness.types import Dataset
from tests.bench.conftest import measured
from tests.conftest import PUBLIC_DATA

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(not PUBLIC_DATA.is_dir(), reason="the public sets are not in ../shared/data"),
]
SEED = 20260821
FOLDERS = {"emoji-tags": "emoji"}
FACTS = {
    ("banking77", "duplicates"): {
        "train exact": 0,
        "train normalised": 4,
        "test exact": 0,
        "test normalised": 1,
    },
    ("banking77", "leaks"): {
        "train to test": 440,
        "train to test exact": 0,
        "train to test normalised": 7,
        "train to test same label": 418,
    },
    ("banking77", "blanks"): {"train": 9, "test": 3},
    ("banking77", "blanks 2"): {"train": 10, "test": 3},
    ("banking77", "label-names"): {"odd": 2},
    ("clinc150", "conflicts"): {"texts": 4, "within a split": 0, "across splits": 4},
    ("clinc150", "leaks"): {"train to dev exact": 3, "train to dev normalised": 3},
    ("clinc150", "leaks 2"): {"train to test exact": 2, "train to test normalised": 2},
    ("clinc150", "split-shares"): {},
    ("sms-spam", "blanks"): {"rows": 187},
    ("sms-spam", "encoding"): {},
    ("trec", "duplicates"): {"train exact": 71, "train normalised": 72, "test exact": 0, "test normalised": 0},
    ("trec", "leaks"): {"train to test exact": 10, "train to test normalised": 11},
    ("trec fine", "conflicts"): {"within a split": 1},
    ("trec fine", "small-classes"): {},
}


def fetched(root, name):
    """A set from its local copy; `trec fine` is TREC with its fine labels."""
    recipe = name.partition(" ")[0]
    module = plugins.load("datasets/recipes", recipe)
    folder = PUBLIC_DATA / FOLDERS.get(recipe, recipe.replace("-", "_"))
    if name == "trec fine":
        files = {file.name: (folder / file.name).read_bytes() for file in module.FILES}
        spec = datasets.ImportSpec(name="trec-fine", version="v1", text="text", label="fine")
        return datasets.load(root, import_rows(root, spec, list(module.rows(files)), {}, "trec").parent.name)
    datasets.fetch(root, recipe, folder)
    return datasets.load(root, module.SPEC.name)


@pytest.fixture(scope="module")
def audits(tmp_path_factory):
    """The audits of the public sets, each made once."""
    root, made = tmp_path_factory.mktemp("public"), {}

    def audit(name):
        if name not in made:
            made[name] = auditing.audit(fetched(root, name))
        return made[name]

    return audit


@pytest.mark.parametrize(("name", "check"), FACTS, ids=lambda part: part)
def test_every_known_fact_is_found(audits, name, check):
    """The audit counts what independent counts of the same files say."""
    check, _, number = check.partition(" ")
    found = [finding for finding in audits(name).findings if finding.check == check]
    finding = found[int(number or 1) - 1]
    expected = FACTS[name, f"{check} {number}".strip()]
    assert {fact: finding.facts[fact] for fact in expected} == expected


def test_sms_repeats_and_quotes(audits):
    """403 messages repeat another one exactly, 415 but for case and blanks; stray quotes are noticed."""
    by_check = {finding.check: finding for finding in audits("sms-spam").findings}
    facts = by_check["duplicates"].facts
    assert sum(n for name, n in facts.items() if name.endswith("exact")) == 403
    assert sum(n for name, n in facts.items() if name.endswith("normalised")) == 415
    said = [finding.message for finding in audits("sms-spam").findings if finding.check == "encoding"]
    assert any("quotation mark without a partner" in message for message in said)


def test_clinc_out_of_scope_shares(audits):
    """The label `oos` is 0.7% of train and 18% of test: the first row of the evidence."""
    found = [f for f in audits("clinc150").findings if f.check == "split-shares"]
    rows = {finding.evidence.columns: finding.evidence.rows[0] for finding in found}
    label, train, test = rows["label", "share in train", "share in test"]
    assert label == "oos"
    assert (round(train.value, 4), round(test.value, 4)) == (round(100 / 15_100, 4), round(1_000 / 5_500, 4))


def test_trec_fine_labels_that_test_never_asks(audits):
    """Eight fine labels never occur in the test split."""
    facts = [f.facts for f in audits("trec fine").findings if f.check == "small-classes"]
    assert {"absent from test": 8} in facts


def test_flags_give_themselves_away(tmp_path):
    """With Flags among the groups one keyword tells them; keywords that repeat the name are noticed, joiners too."""
    with (PUBLIC_DATA / "emoji" / "emoji_keywords.tsv").open(encoding="utf-8", newline="") as file:
        given = list(csv.DictReader(file, delimiter="\t"))
    rows = [
        (None, f"line {i}", {"text": f"{row['name']} {row['emoji']}", "label": row["group"], "tags": row["keywords"]})
        for i, row in enumerate(given)
    ]
    spec = datasets.ImportSpec(name="all", version="v1", text="text", label="label", tags="tags")
    import_rows(tmp_path, spec, rows, {}, "emoji")
    found = {f.check: f for f in auditing.audit(datasets.load(tmp_path, "all")).findings}
    assert "Flags" in {row[0] for row in found["giveaways"].evidence.rows}
    assert "joiners" in found["characters"].message


def pool_of(dataset):
    """Banking77 with eight rows per label of its training split set aside, drawn as the published split was."""
    train = [example for example in dataset.examples if example.split == "train"]
    rng, aside = np.random.default_rng(SEED), set()
    for label in sorted({example.label for example in train}):
        rows = np.array([i for i, example in enumerate(train) if example.label == label], dtype=object)
        rng.shuffle(rows)
        aside.update(train[i].item.id for i in rows[:8])
    kept = tuple(example for example in dataset.examples if example.item.id not in aside)
    return Dataset("pool", "v1", "s1:pool", "single", dataset.labels, kept)


def test_the_published_count_of_near_duplicates(tmp_path):
    """425 of 3,080 test rows have a near row in the training pool, 400 with the same label, as was published."""
    pool = pool_of(fetched(tmp_path, "banking77"))
    assert len(pool.in_split("train")) == 9_387
    found = auditing.audit(pool, Near(by_train=True))
    facts = next(finding.facts for finding in found.findings if finding.check == "leaks")
    assert abs(facts["train to test"] - 425) <= 2
    assert abs(facts["train to test same label"] - 400) <= 2


def mixed_rows(n):
    """Rows of two halves of Banking77 questions each: as many n-grams as real ones, and few equal rows."""
    with (PUBLIC_DATA / "banking77" / "train.csv").open(newline="", encoding="utf-8") as file:
        rows = [(row["text"].split(), row["category"]) for row in csv.DictReader(file)]
    rng = np.random.default_rng(0)
    for _ in range(n):
        (first, label), (second, _) = (rows[i] for i in rng.integers(len(rows), size=2))
        yield " ".join(first[: rng.integers(2, 2 + len(first))] + second[rng.integers(len(second)) :]), label


def test_a_hundred_thousand_rows(tmp_path, table):
    """Audited in under three minutes of computing and two gigabytes."""
    with (tmp_path / "big.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *mixed_rows(100_000)])
    columns = ["--name", "big", "--text", "text", "--label", "label"]
    imported = measured(tmp_path, "-m", "harness", "dataset", "import", "big.csv", *columns)
    done = measured(tmp_path, "-m", "harness", "dataset", "audit", "big@v1", "--json")
    said = json.loads(done.out)
    table(
        f"{said['n']:,} rows       seconds  CPU s  peak MB",
        f"audit           {done.seconds:10.1f} {done.cpu_s:6.1f} {done.peak_mb:8.0f}",
    )
    assert (imported.code, done.code) == (0, 1)
    assert done.cpu_s < 180
    assert done.peak_mb < 2_000
