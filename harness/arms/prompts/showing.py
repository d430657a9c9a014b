"""A template that shows examples: the one there is, or with a part for them before the item. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.arms.prompts import writing

if TYPE_CHECKING:
    from harness.arms.prompts.files import FewShot, Prompt

PART = """\
{% if examples %}

Examples:
{% for example in examples %}
{{ example.text }}TAGS => {{ example.ANSWER }}
{% endfor %}
{% endif %}
"""
TAGS = "{% if example.tags %} ({{ example.tags | join(', ') }}){% endif %}"
SYSTEM = re.compile(r"\{%-?\s*block\s+system\s*-?%\}")
USER = re.compile(r"\{%-?\s*block\s+user\s*-?%\}[ \t]*\n?")
END = re.compile(r"\{%-?\s*endblock\b")
SHOWS = re.compile(r"\bexamples\b")


def with_examples(prompt: Prompt, examples: FewShot) -> Prompt:
    """The prompt with these examples: at the end of its system block, else before the item, unless it shows some.

    `ConfigError` where the template cannot be read any more.
    """
    header = replace(prompt.header, examples=examples)
    source = prompt.template.source
    if not SHOWS.search(source):
        place = _place(source)
        source = source[:place] + _part(prompt) + source[place:]
    return writing.child(prompt, prompt.version, source, header)


def _place(source: str) -> int:
    """Where the part goes: blocks were read as a template before, so each is there and has an end."""
    system = SYSTEM.search(source)
    found = END.search(source, system.end()) if system else USER.search(source)
    assert found is not None
    return found.start() if system else found.end()


def _part(prompt: Prompt) -> str:
    """The part that lists them, with tags where the prompt shows an item's, by aliases where those are answered."""
    answer = "alias" if prompt.header.output == "choice" else "label"
    tags = TAGS if "item.tags" in prompt.template.source else ""
    return PART.replace("TAGS", tags).replace("ANSWER", answer)
