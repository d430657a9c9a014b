"""Emoji by name and keywords to their group, from Unicode's own data: the default task.

The text is the emoji's English name, its tags are the hand-written CLDR keywords without the
name, its label is the group of emoji-test.txt. Left out: skin tones, Flags (recognised by one
keyword), and emoji without a keyword of their own. That leaves 1,479 items in 8 groups.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from harness.datasets.fetching import RemoteFile
from harness.datasets.import_spec import ImportSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.datasets.cells import Cell

FILES = (
    RemoteFile(
        "annotations-en.xml",
        "https://raw.githubusercontent.com/unicode-org/cldr/release-41/common/annotations/en.xml",
        "170a989b9aff71fd06b9f7bbd70aa3b4a3d228e15fa734692d4fc80206e536e1",
    ),
    RemoteFile(
        "emoji-test.txt",
        "https://unicode.org/Public/emoji/15.0/emoji-test.txt",
        "8445f23ac8388e096be19d0262e14fceff856ff52093f2356dc89485f1a853db",
    ),
    RemoteFile(
        "LICENSE-unicode",
        "https://raw.githubusercontent.com/unicode-org/cldr/release-41/unicode-license.txt",
        "e65a02b1c28fbdc57e6abf1d0048685d031a705dfaa813a4532ee352a7cb2754",
    ),
)
EXTRA = ("LICENSE-unicode",)
SOURCE = {
    "from": "Unicode CLDR 41 annotations/en.xml and Emoji 15.0 emoji-test.txt "
    "(Debian packages unicode-cldr-core 41-0.1 and unicode-data 15.0.0-1)",
    "licence": "Unicode-DFS-2016, see LICENSE-unicode",
    "labelled_by": "the Unicode Consortium",
}
SPEC = ImportSpec(
    name="emoji-tags",
    version="v1",
    text="text",
    label="label",
    id="id",
    tags="tags",
    description="Emoji, by their English name and keywords, to the group they are listed under.",
    labels={
        "Activities": "events and holidays, sport, games, arts and crafts, prizes",
        "Animals & Nature": "animals of every kind, plants and flowers",
        "Food & Drink": "fruit, vegetables, prepared food, sweets, drinks, dishes and cutlery",
        "Objects": "things: clothing, sound, music, phones, computers, light, books, money, mail, tools, "
        "medicine, household",
        "People & Body": "hands and parts of the body, persons, gestures, roles and professions, families",
        "Smileys & Emotion": "faces, animal faces that show a feeling, hearts and other signs of emotion",
        "Symbols": "signs: warnings, arrows, religion, zodiac, gender, mathematics, punctuation, currency, "
        "keycaps, geometric shapes",
        "Travel & Places": "maps, places, buildings, vehicles on land, water and in the air, hotels, time, "
        "sky and weather",
    },
)
GROUP = re.compile(r"# group: (.+)")
EMOJI = re.compile(r"([0-9A-F ]+?) +; fully-qualified +# (\S+) E\d")
SKIN_TONES = frozenset("\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
VARIATION = "\ufe0f"  # CLDR writes its characters without it


def rows(files: Mapping[str, bytes]) -> Iterator[tuple[str | None, str, dict[str, Cell]]]:
    """One row per emoji, in the order of emoji-test.txt, still to be split; the id is its code points."""
    names, keywords = _annotations(files["annotations-en.xml"])
    group = ""
    for number, line in enumerate(files["emoji-test.txt"].decode("utf-8").splitlines(), start=1):
        if found := GROUP.match(line):
            group = found.group(1)
        elif (found := EMOJI.match(line)) and group != "Flags" and not SKIN_TONES & set(found.group(2)):
            emoji = found.group(2)
            bare = emoji.replace(VARIATION, "")
            tags = [keyword for keyword in keywords.get(bare, ()) if keyword != names[bare]]
            if tags:
                row: dict[str, Cell] = {
                    "id": found.group(1).replace(" ", "-"),
                    "text": names[bare],
                    "tags": tags,
                    "label": group,
                    "emoji": emoji,
                }
                yield None, f"emoji-test.txt:{number}", row


def _annotations(xml: bytes) -> tuple[dict[str, str], dict[str, list[str]]]:
    names: dict[str, str] = {}
    keywords: dict[str, list[str]] = {}
    for element in ElementTree.fromstring(xml).iter("annotation"):
        emoji, text = element.get("cp", ""), element.text or ""
        if element.get("type") == "tts":
            names[emoji] = text.strip()
        else:
            keywords[emoji] = [keyword.strip() for keyword in text.split("|")]
    return names, keywords
