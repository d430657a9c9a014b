"""A planted landscape: a model that is right where the prompt says the phrase of a label, and who proposes phrases."""

import json
import re
from hashlib import sha256

from tests.conftest import write_tickets

PHRASES = {
    "billing": "Money matters go to billing.",
    "bug": "Broken things go to bug.",
    "question": "Whoever asks how goes to question.",
}
WORDS = {"billing": "invoice", "bug": "crash", "question": "manual"}
TEMPLATE = "{% block user %}\nSort the ticket.\nTicket: {{ item.text }}\nLabel:\n{% endblock %}\n"
V1 = "---\nmodel: {max_tokens: 8}\n---\n" + TEMPLATE
SIZES = {"train": 150, "dev": 90, "test": 120}


def plant(root, sizes=None):
    """The small workspace with other tickets: a label's word and a number in each."""
    labels = list(WORDS)
    rows = [
        (f"the {WORDS[labels[i % 3]]} numbered {i} of {split}", labels[i % 3], "t", split)
        for split, n in (sizes or SIZES).items()
        for i in range(n)
    ]
    write_tickets(root, rows, name="planted")
    (root / "harness.toml").write_text('dataset = "planted@v1"\nmodel = "openai/gpt-4o-mini"\n', encoding="utf-8")
    folder = root / "prompts" / "planted"
    folder.mkdir(parents=True)
    (folder / "v1.j2").write_text(V1, encoding="utf-8")


def chance(text):
    return int(sha256(text.encode()).hexdigest()[:8], 16) / 2**32


def served(text, base=0.4):
    """The answer to a ticket: its label where its phrase stands in the prompt, else often another one."""
    ticket = re.search(r"Ticket: (.*)", text).group(1)
    gold = next(label for label, word in WORDS.items() if f"the {word} numbered" in ticket)
    if PHRASES[gold] in text or chance(ticket) < base:
        return gold
    return next(label for label in WORDS if label != gold)


def proposing(text):
    """A proposal that adds the phrase of a label which is wrong among the items that are shown."""
    template = text.partition("## The template\n")[2].partition("\n\n## The labels")[0]
    wrong = text.partition("## Wrong replies\n")[2].partition("\n\n## Right replies")[0]
    golds = [json.loads(line)["right_answer"] for line in wrong.splitlines() if line.startswith("{")]
    mark = chance(text)
    left = [label for label in PHRASES if PHRASES[label] not in template and label in golds] or list(PHRASES)
    wanted = left[int(mark * len(left))]
    return f"More is said.\n```jinja\n{template.replace('Ticket:', PHRASES[wanted] + chr(10) + 'Ticket:', 1)}\n```"


def useless(text):
    """A proposal that changes nothing that matters, each time another."""
    template = text.partition("## The template\n")[2].partition("\n\n## The labels")[0]
    mark = sha256(text.encode()).hexdigest()[:6]
    return f"```jinja\n{template.replace('Ticket:', f'Be careful {mark}.{chr(10)}Ticket:', 1)}\n```"


def answer(text, propose=proposing, base=0.4):
    """One server for both models."""
    return propose(text) if "## The template" in text else served(text, base)
