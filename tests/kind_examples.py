"""A small dataset of each kind beside one label, of our own making: rows, rules and prompts, in a workspace."""

import json
from pathlib import Path

from harness import datasets
from harness.ground.ids import unit_interval

TOPICS = {
    "billing": ("charged", "invoice", "refund", "card"),
    "bug": ("crash", "error", "blank", "broken"),
    "question": ("how", "where", "which", "can"),
}
NAMES = ("Ann", "Bo", "Cleo", "Dev", "Eva", "Finn")
TIMES = ("8 pm", "noon", "7:30", "6 pm")
PARTIES = ("two", "4", "six", "3")
WORDS = {"great": 2.0, "good": 1.0, "fine": 0.5, "slow": -1.0, "bad": -1.5, "awful": -2.0}
FILLERS = ("the app", "my phone", "this place", "our order", "that day", "the desk")


def draw(*key):
    return unit_interval("kind examples", *map(str, key))


def one_of(options, *key):
    return options[int(draw(*key) * len(options))]


def split(i):
    return ("train", "train", "train", "dev", "test")[i % 5]


def multi_rows(n=120):
    rows = []
    for i in range(n):
        labels = [label for label in TOPICS if draw("has", i, label) < 0.4]
        words = [one_of(TOPICS[label], "word", i, label) for label in labels]
        text = " ".join([one_of(FILLERS, "filler", i), *words, f"no {i}"])
        rows.append({"text": text, "label": labels, "split": split(i), "tags": "|".join(words)})
    return rows


def extract_rows(n=120):
    rows = []
    for i in range(n):
        asked = one_of(("time", "people", ""), "asked", i)
        values = {"time": one_of(TIMES, "t", i), "people": one_of(PARTIES, "p", i), "name": one_of(NAMES, "n", i)}
        said = {name: value for name, value in values.items() if draw("has", i, name) < 0.5}
        parts = {"time": "at {}", "people": "a table for {}", "name": "I am {}"}
        text = ", ".join([*(parts[name].format(value) for name, value in said.items()), f"booking {1000 + i}"])
        places = [
            {"start": text.index(value, text.index(parts[name].format(value))), "label": name, "end": 0}
            for name, value in said.items()
        ]
        for place, value in zip(places, said.values(), strict=True):
            place["end"] = place["start"] + len(value)
        rows.append({"text": text, "label": places, "split": split(i), "asked": asked})
    return rows


def score_rows(n=120):
    rows = []
    for i in range(n):
        words = [one_of(tuple(WORDS), "w", i, k) for k in range(2)]
        mean = sum(WORDS[word] for word in words) / 2
        text = f"{one_of(FILLERS, 'f', i)} was {words[0]} and {words[1]} on day {i}"
        raters = {f"r{k}": min(2, max(-2, round(mean + 2 * draw("r", i, k) - 1))) for k in (1, 2)}
        rows.append({"text": text, "label": mean, "split": split(i), **raters})
    return rows


PROMPT = """---
description: Planted.
output: {output}
model: {{temperature: 0, max_tokens: 200}}
{examples}---
{{% block user %}}
{{% for example in examples %}}{{{{ example.text }}}} => {{{{ example.label }}}}
{{% endfor %}}{{{{ labels | length }}}} names. {{{{ item.text }}}}
{{% endblock %}}
"""
RULES = {
    "multi": "\n".join(
        f'[[rule]]\nlabel = "{label}"\nkeyword = "{word}"' for label, words in TOPICS.items() for word in words
    )
    + "\n",
    "extract": "[[rule]]\nregex = 'at (?P<time>[0-9][0-9:]*( pm)?|noon)'\n[[rule]]\nregex = 'for (?P<people>\\w+)'\n",
    "score": "squeeze = 6.0\ndefault = 0.0\n[lexicon]\n" + "".join(f"{word} = {w}\n" for word, w in WORDS.items()),
}
ROWS = {"multi": multi_rows, "extract": extract_rows, "score": score_rows}
OPTIONS = {"multi": {"tags": "tags"}, "extract": {}, "score": {"range": (-2.0, 2.0), "raters": ("r1", "r2")}}


def write(root: Path, kind: str, n: int = 120):
    """The dataset of a kind with its rules and prompts `v1` (JSON), `v2` (text) and `v3` (JSON with examples)."""
    path = root / f"{kind}.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in ROWS[kind](n)), encoding="utf-8")
    spec = datasets.ImportSpec(
        name=kind, version="v1", text="text", label="label", split_column="split", kind=kind, **OPTIONS[kind]
    )
    datasets.import_file(root, spec, {None: path})
    prompts = root / "prompts" / kind
    prompts.mkdir(parents=True)
    shots = "examples: {how: random, k: 2, seed: 1}\n"
    for name, output, examples in (("v1", "json", ""), ("v2", "label", ""), ("v3", "json", shots)):
        (prompts / f"{name}.j2").write_text(PROMPT.format(output=output, examples=examples), encoding="utf-8")
    (prompts / "rules-v1.toml").write_text(RULES[kind], encoding="utf-8")
    return datasets.load(root, kind)
