"""The same work with Inspect:  inspect eval inspect_task.py -T items=ITEMS.jsonl"""

from inspect_ai import Task, task
from inspect_ai.dataset import FieldSpec, json_dataset
from inspect_ai.scorer import exact
from inspect_ai.solver import generate, system_message

SYSTEM = "Classify the text into one of: alpha, beta, gamma, delta."


@task
def speed(items: str) -> Task:
    fields = FieldSpec(input="text", target="label", id="id")
    return Task(
        dataset=json_dataset(items, fields), solver=[system_message(SYSTEM), generate(max_tokens=5)], scorer=exact()
    )
