"""Proposals for a better template, as a model replies them: read strictly, and refused with a reason. Pure.

A reply is written by a stranger, and so are the texts that it was shown. What it may change is the template; the
front matter stays. Whatever is wrong with it is a stated outcome, and never an error of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from jinja2 import Environment, nodes

from harness.arms import choice
from harness.arms.prompts import writing
from harness.arms.prompts.files import FRONT_MATTER
from harness.datasets.replies import without_thinking
from harness.errors import ConfigError
from harness.types import Example, Item

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.arms.prompts.files import Prompt
    from harness.types import Dataset, Response

FENCE = "```"
BYTES_PER_TOKEN = 4  # of English text
SHORTEST_LEAK = 12  # bytes; of several words also shorter
PROBED = 20  # training items that every template is rendered for
BUSY = (nodes.Macro, nodes.CallBlock, nodes.Mul, nodes.Pow)
BUSY_NAMES = {"range", "lipsum"}
TEXT_MARK, TAG_MARK, FIELD_MARK = "qzxtextqzx", "qzxtagqzx", "qzxfieldqzx"
EXAMPLE_MARK = "qzxexampleqzx"


class Flaw(StrEnum):
    """Why a proposal is not tried."""

    REFUSED = "refused"
    CUT_OFF = "cut off"
    UNPARSABLE = "unparsable"
    MISTAKEN = "mistaken template"
    DROPPED = "drops what it must show"
    LEAK = "holds an item's text"
    KNOWN = "known already"
    LONG = "too long"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A version to try, or the flaw for which it is not tried, with what was found."""

    prompt: Prompt | None
    flaw: Flaw | None = None
    detail: str = ""


class FlawError(Exception):
    """A proposal cannot be tried; raised and caught by the reader alone."""

    def __init__(self, flaw: Flaw, detail: str = "") -> None:
        super().__init__(detail)
        self.flaw, self.detail = flaw, detail


class Reader:
    """Reads proposals for one parent on one dataset. `most_tokens` bounds a prompt for an item, examples aside."""

    def __init__(self, parent: Prompt, dataset: Dataset, most_tokens: int) -> None:
        self._parent, self._dataset, self._most_tokens = parent, dataset, most_tokens
        self._probes = [example.item for example in dataset.in_split("train")[:PROBED]]
        self._needed = {mark: name for mark, name in _marks(dataset).items() if mark in _probe(parent, dataset)}
        self._texts = _folded_texts(dataset, _folded(parent.template.source))

    def read(self, reply: Response, base: Prompt, known: Iterable[str] = ()) -> Proposal:
        """The proposal in a reply, a change of `base`; `known` are the ids of the prompts that were tried."""
        if reply.finish == "refusal":
            return Proposal(None, Flaw.REFUSED)
        if reply.finish == "length":
            return Proposal(None, Flaw.CUT_OFF)
        return self.judge_text(reply.text, base, known)

    def judge_text(self, text: str, base: Prompt, known: Iterable[str] = ()) -> Proposal:
        """The same of a reply's text."""
        try:
            return Proposal(self._prompt(fenced(text), base, known))
        except FlawError as error:
            return Proposal(None, error.flaw, error.detail)

    def _prompt(self, source: str, base: Prompt, known: Iterable[str]) -> Prompt:
        self._check_leaks(source)
        try:
            prompt = writing.child(base, "proposal", source)
            _check_work(source)
            shown = _probe(prompt, self._dataset)
            tokens = tokens_of(prompt, self._dataset, self._probes)
        except ConfigError as error:
            raise FlawError(Flaw.MISTAKEN, str(error)) from None
        missing = [name for mark, name in self._needed.items() if mark not in shown]
        if missing:
            raise FlawError(Flaw.DROPPED, ", ".join(missing))
        if prompt.id in {base.id, self._parent.id, *known}:
            raise FlawError(Flaw.KNOWN)
        if tokens > self._most_tokens:
            raise FlawError(Flaw.LONG, f"about {tokens:,} tokens, at most {self._most_tokens:,}")
        return prompt

    def _check_leaks(self, source: str) -> None:
        folded = _folded(source)
        for text, item_id in self._texts.items():
            if text in folded and _stands_alone(text, folded):
                raise FlawError(Flaw.LEAK, f"the text of item {item_id}")


def _check_work(source: str) -> None:
    """Refuse what can keep a machine busy for hours without making a long text: the sandbox bounds texts alone."""
    body = Environment(autoescape=False).parse(source)
    busy = [type(node).__name__ for node in body.find_all(BUSY)]
    busy += [node.name for node in body.find_all(nodes.Name) if node.name in BUSY_NAMES]
    if busy:
        raise FlawError(Flaw.MISTAKEN, f"{busy[0]} is not taken from a model")
    if any(any(_loops_within(loop)) for loop in body.find_all(nodes.For)):
        raise FlawError(Flaw.MISTAKEN, "loops in loops in loops")


def _loops_within(loop: nodes.For) -> Iterator[bool]:
    """Of each loop in a loop whether there is one more within."""
    return (next(inner.find_all(nodes.For), None) is not None for inner in loop.find_all(nodes.For))


def fenced(text: str) -> str:
    """What stands in the one fenced block of a text; front matter before the template is left out."""
    blocks: list[str] = []
    held: list[str] = []
    opened = ""
    for line in without_thinking(text).splitlines(keepends=True):
        mark = line.strip()
        if not opened and mark.startswith(FENCE):
            opened, held = "`" * (len(mark) - len(mark.lstrip("`"))), []
        elif opened and mark == opened:
            blocks.append("".join(held))
            opened = ""
        elif opened:
            held.append(line)
    if opened or len(blocks) != 1:
        count = f"{len(blocks)} fenced blocks" + (" and one without an end" if opened else "")
        raise FlawError(Flaw.UNPARSABLE, f"{count}; expected one")
    header = FRONT_MATTER.match(blocks[0])
    return blocks[0][header.end() :] if header else blocks[0]


def tokens_of(prompt: Prompt, dataset: Dataset, items: Sequence[Item]) -> int:
    """About how many tokens a prompt has for an item, on the average, its examples aside."""
    sizes = [len(_rendered(prompt, dataset, item).encode()) for item in items]
    return round(sum(sizes) / max(len(sizes), 1) / BYTES_PER_TOKEN)


def _rendered(prompt: Prompt, dataset: Dataset, item: Item, examples: Sequence[Example] = ()) -> str:
    labels, aliases = dataset.labels, None
    if prompt.header.output == "choice":
        aliases = choice.draws(labels, prompt.header.rotations, 1, 0)[0].alias_of
    messages = prompt.template.messages(item, labels, dataset.name, examples, aliases)
    return "\n".join(message.content for message in messages)


def _probe(prompt: Prompt, dataset: Dataset) -> str:
    """The prompt for an item whose parts can be told from everything else."""
    examples = [Example(Item("e", EXAMPLE_MARK), name, "train") for name in dataset.label_names[:1]]
    fields = dict.fromkeys(_field_names(dataset), FIELD_MARK)
    return _rendered(prompt, dataset, Item("i", TEXT_MARK, (TAG_MARK,), fields), examples)


def _marks(dataset: Dataset) -> Mapping[str, str]:
    """What may be seen in a prompt, and what it is called in a template."""
    parts = {TEXT_MARK: "item.text", TAG_MARK: "item.tags", FIELD_MARK: "item.fields", EXAMPLE_MARK: "examples"}
    return parts | {name: f"label {name!r}" for name in dataset.label_names}


def _field_names(dataset: Dataset) -> list[str]:
    return sorted({name for example in dataset.examples for name in example.item.fields})


def _folded_texts(dataset: Dataset, known: str) -> dict[str, str]:
    """The texts that a template may not hold, with their item's id: those that the parent or the labels hold may be."""
    said = [known, *(_folded(f"{label.name} {label.description}") for label in dataset.labels)]
    folded = {_folded(example.item.text): example.item.id for example in dataset.examples}
    long = {text: item for text, item in folded.items() if len(text.encode()) >= SHORTEST_LEAK or " " in text}
    return {text: item for text, item in long.items() if not any(text in one for one in said)}


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _stands_alone(text: str, within: str) -> bool:
    """Whether a text stands somewhere as words of its own: not as a part of longer ones."""
    start = within.find(text)
    while start >= 0:
        end = start + len(text)
        before, after = within[start - 1 : start], within[end : end + 1]
        if not (_joins(before, text[:1]) or _joins(text[-1:], after)):
            return True
        start = within.find(text, start + 1)
    return False


def _joins(left: str, right: str) -> bool:
    """Whether two characters belong to one word of a script that parts words by blanks."""
    return left.isascii() and right.isascii() and left.isalnum() and right.isalnum()
