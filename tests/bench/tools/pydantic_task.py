"""A dataset of pydantic-evals' asked of an OpenAI server: `pydantic_task.py ITEMS REPORT` writes the report as JSON."""

import inspect
import json
import sys
from pathlib import Path

from openai import OpenAI
from pydantic_core import to_json
from pydantic_evals import Case, Dataset
from pydantic_evals.evaluators import EqualsExpected

items = [json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()]
client = OpenAI()


def ask(text):
    """The model's reply."""
    messages = [{"role": "user", "content": text}]
    return client.chat.completions.create(model="gpt-4o-mini", messages=messages).choices[0].message.content


cases = [Case(name=one["id"], inputs=one["text"], expected_output=one["label"]) for one in items]
named = {"name": "tickets"} if "name" in inspect.signature(Dataset.__init__).parameters else {}
report = Dataset(cases=cases, evaluators=[EqualsExpected()], **named).evaluate_sync(ask, progress=False)
Path(sys.argv[2]).write_bytes(to_json(report, fallback=str))
