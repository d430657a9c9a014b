"""The same work with pydantic-evals:  python pydantic_evals_run.py URL ITEMS.jsonl OUT.json"""

import json
import sys

import openai
from pydantic_evals import Case, Dataset
from pydantic_evals.evaluators import EqualsExpected

SYSTEM = "Classify the text into one of: alpha, beta, gamma, delta."


def main(url: str, items: str, out: str) -> None:
    client = openai.AsyncOpenAI(api_key="sk-bench", base_url=url, max_retries=0)

    async def ask(text: str) -> str:
        said = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]
        reply = await client.chat.completions.create(model="m", messages=said, max_tokens=5, temperature=0)
        return reply.choices[0].message.content or ""

    with open(items) as file:
        rows = [json.loads(line) for line in file]
    cases = [Case(name=row["id"], inputs=row["text"], expected_output=row["label"]) for row in rows]
    dataset = Dataset(name="speed", cases=cases, evaluators=[EqualsExpected()])
    report = dataset.evaluate_sync(ask, max_concurrency=256, progress=False)
    with open(out, "w") as file:
        json.dump([{"name": case.name, "output": case.output} for case in report.cases], file)
    print(report.averages().assertions)


main(*sys.argv[1:])
