"""Every importer faces the same checks: a file that its tool really wrote, broken files, hostile values.

The samples are twelve rows of our own, answered by a stand-in server with planted mistakes, and written
by the tools themselves: Inspect 0.3.285, pydantic-evals 2.62.0, promptfoo 0.121.20, OpenAI Evals 3.0.1.post1 and
lm-evaluation-harness; only blanks between JSON tokens were taken out. That of OpenAI's hosted evals was written by
hand after the definition of its API: the service needs a key.
"""

import json
from pathlib import Path

import pytest

from harness import datasets
from harness.errors import HarnessError
from harness.ground import plugins
from harness.store import importing, matching
from harness.types import Outcome

SAMPLES = Path(__file__).parent / "samples"
# The accuracy that each tool itself reported for its sample. Inspect takes `Question` for `question`.
NAMES = plugins.names("importers")
JUDGED = dict.fromkeys(NAMES, 8 / 12) | {"inspect": 9 / 12}


def sample(name):
    (path,) = SAMPLES.glob(f"{name.replace('-', '_')}.json*")
    return path


@pytest.fixture
def dataset(tmp_path):
    rows = [json.loads(line) for line in (SAMPLES / "items.jsonl").read_text().splitlines()]
    path = tmp_path / "items.jsonl"
    path.write_text("".join(json.dumps(row | {"split": "test"}) + "\n" for row in rows))
    spec = datasets.ImportSpec("items", "v1", "text", "label", id="id", split_column="split")
    datasets.import_file(tmp_path, spec, {None: path})
    return datasets.load(tmp_path, "items@v1")


@pytest.mark.parametrize("name", NAMES)
def test_accuracy_is_the_tools_own(name, dataset):
    """Each file is recognised without being named, every row finds its item, and accuracy is what the tool said."""
    found = matching.match(importing.rows(sample(name), None, None), dataset, "test", "import:x")
    gold = {example.item.id: example.label for example in dataset.examples}
    right = sum(prediction.label == gold[prediction.item_id] for prediction in found.predictions)
    assert importing.recognised(sample(name)) == name
    assert (found.rows, len(found.predictions), found.unmatched, found.missing) == (12, 12, (), ())
    assert right / 12 == pytest.approx(JUDGED[name])
    assert found.judged == pytest.approx(JUDGED[name])
    assert found.differently_judged == ()


@pytest.mark.parametrize("name", NAMES)
def test_wrong_answers_are_the_planted_ones(name, dataset):
    """t3 and t7 have another label, t9 has prose and is unparsed with its text kept."""
    found = matching.match(importing.rows(sample(name), name, None), dataset, "test", "import:x")
    said = {prediction.item_id: prediction for prediction in found.predictions}
    assert (said["t3"].label, said["t7"].label) == ("bug", "question")
    assert (said["t9"].outcome, said["t9"].raw) == (Outcome.UNPARSED, "I would say this is a question.")


@pytest.mark.parametrize("name", NAMES)
def test_no_file_of_another_is_recognised(name):
    """A sample is taken for its own tool's, and a table or a picture for nobody's."""
    module = plugins.load("importers", name)
    others = [path for path in SAMPLES.iterdir() if path.stem != name.replace("-", "_")]
    assert not [path.name for path in others if module.recognises(path)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "3",
        '{"cases": 3, "samples": 3, "results": 3}',
        '{"results": {"results": [3]}}',
        "[" * 9999,
    ],
)
def test_broken_files_are_one_line(name, content, tmp_path):
    """Whatever a file holds: predictions, nothing, or one error of ours; never a traceback."""
    path = tmp_path / "broken.json"
    path.write_text(content)
    try:
        rows = list(importing.rows(path, name, None))
    except HarnessError as error:
        said = str(error)
    else:
        said = "".join(row.answer or "" for row in rows)
    assert "\n" not in said


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [None, True, 1e400, -1, [], {}, "\x00", ["x", 3]])
def test_hostile_values_are_not_believed(name, value, tmp_path, dataset):
    """Any value replaced by any other: rows come out or one error does, and no number is below 0 or infinite."""
    text = sample(name).read_text()
    lines = [json.loads(line) for line in text.splitlines()] if sample(name).suffix == ".jsonl" else [json.loads(text)]
    path = tmp_path / sample(name).name
    for key in {key for line in lines for key in keys(line)}:
        changed = [replaced(line, key, value) for line in lines]
        path.write_text("\n".join(json.dumps(line) for line in changed))
        try:
            found = matching.match(importing.rows(path, name, None), dataset, "test", "import:x")
        except HarnessError:
            continue
        for one in found.predictions:
            assert one.latency_s is None or 0 <= one.latency_s < float("inf")
            assert one.cost_usd is None or 0 <= one.cost_usd < float("inf")


INTERESTING = {
    *("id", "input", "scores", "value", "answer", "output", "completion", "samples", "time"),
    *("cases", "inputs", "assertions", "name", "task_duration", "metrics"),
    *("doc", "filtered_resps", "exact_match"),
    *("data", "sample_id", "type", "prompt", "correct", "sampled", "picked"),
    *("results", "vars", "response", "success", "latencyMs", "cost", "provider", "error"),
    *("arguments", "filter", "doc_id", "choices", "input", "gradingResult", "prompt", "spec", "metrics"),
    *("sample", "datasource_item", "item", "status", "object", "passed", "content"),
}


def keys(value):
    if isinstance(value, dict):
        return (set(value) & INTERESTING) | {key for one in value.values() for key in keys(one)}
    return {key for one in value for key in keys(one)} if isinstance(value, list) else set()


def replaced(value, key, new):
    if isinstance(value, dict):
        return {k: new if k == key else replaced(v, key, new) for k, v in value.items()}
    return [replaced(one, key, new) for one in value] if isinstance(value, list) else value


REPEATED = tuple(sorted((SAMPLES / "repeated").iterdir()))


@pytest.mark.parametrize("path", REPEATED, ids=lambda path: path.stem)
def test_each_time_is_kept(path, dataset):
    """Two epochs of Inspect (packed with zstd, as it writes them), two repeats of promptfoo and pydantic-evals.

    The second time t3 was answered rightly and t5 wrongly: planted.
    """
    found = matching.match(importing.rows(path, None, None), dataset, "test", "import:x")
    first, second = ({one.item_id: one.label for one in time} for time in found.times)
    assert (found.rows, found.unmatched, found.duplicates, found.missing) == (24, (), (), ())
    assert (first["t3"], second["t3"], first["t5"], second["t5"]) == ("bug", "billing", "bug", "billing")
    assert found.judged == 18 / 24  # as each tool said
    assert found.differently_judged == ()


def test_repeats_of_promptfoo_are_no_guess(tmp_path, dataset):
    """A test that is there twice, while the others are there once, is a duplicate."""
    log = json.loads(sample("promptfoo").read_text())
    log["results"]["results"].append(log["results"]["results"][0])
    path = tmp_path / "log.json"
    path.write_text(json.dumps(log))
    found = matching.match(importing.rows(path, None, None), dataset, "test", "import:x")
    assert (len(found.predictions), found.repeats, len(found.duplicates)) == (12, (), 1)


def damaged(raw, method):
    """Every compressed byte of the first sample turned over, or its method replaced by one that there is not."""
    raw = bytearray(raw)
    if method is not None:
        start = raw.rindex(b"PK\x01\x02", 0, raw.index(b"samples/t1_epoch_1.json", raw.index(b"PK\x01\x02")))
        raw[start + 10 : start + 12] = method.to_bytes(2, "little")
    else:
        start = raw.index(b"samples/t1_epoch_1.json") + 100
        raw[start : start + 500] = bytes(255 - byte for byte in raw[start : start + 500])
    return bytes(raw)


@pytest.mark.parametrize("method", [None, 8, 12, 14, 97])
def test_a_damaged_archive_is_one_line(tmp_path, method):
    """What cannot be unpacked is named, with the place in the file."""
    path = tmp_path / "log.eval"
    path.write_bytes(damaged((SAMPLES / "repeated" / "inspect.eval").read_bytes(), method))
    with pytest.raises(HarnessError, match=r"log.eval: samples/t1_epoch_1.json cannot be unpacked: ") as found:
        list(importing.rows(path, None, None))
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("epoch", [0, -1, 1001, 1.5, True, "2", []])
def test_a_wrong_epoch_is_named(tmp_path, epoch):
    """An epoch is a whole number from 1."""
    log = json.loads(sample("inspect").read_text())
    log["samples"][3]["epoch"] = epoch
    path = tmp_path / "log.json"
    path.write_text(json.dumps(log))
    with pytest.raises(HarnessError, match=r"sample 4: repeat .*; expected a whole number from 1"):
        list(importing.rows(path, None, None))
