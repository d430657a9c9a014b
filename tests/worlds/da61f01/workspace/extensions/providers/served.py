"""Answers planted in answers/NAME.json, by item and repeat; a file NAME.down beside it is an outage."""

import json
from pathlib import Path

from harness.errors import TransientError
from harness.types import Model, Response, Usage

DEFAULT_MODEL = "steady"
MODELS = ("steady",)
RUNS_HERE = False
GIVES_SCORES = False
HERE = Path(__file__).parents[2] / "answers"


def available():
    return None


class Served:
    def __init__(self, model, name):
        self.model, self.name = model, name

    async def send(self, request):
        if (HERE / f"{self.name}.down").exists():
            raise TransientError("503 the server is down", status=503)
        planted = json.loads((HERE / f"{self.name}.json").read_text())
        token = next(word for word in request.messages[-1].content.split() if word in planted)
        answers = planted[token]
        text = answers[request.sample % len(answers)]
        return Response(text, "stop", Usage(input_fresh=10, output_visible=1), None, 0.01, self.name)

    async def close(self):
        pass


def connect(model, base_url=None):
    port = "" if base_url is None else "-" + base_url.rpartition(":")[2].partition("/")[0]
    return Served(Model("served", model, base_url or ""), model + port)
