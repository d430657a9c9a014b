import io

import pytest

from harness.ground.escaping import Cleaned, in_json


def printed(*parts, **options):
    stream = io.StringIO()
    cleaned = Cleaned(stream, **options)
    for part in parts:
        cleaned.write(part)
    return stream.getvalue()


@pytest.mark.parametrize(
    "hostile", ["\x1b]52;c;eA==\x07", "\x1b]0;title\x07", "\x1b[2J", "\x9b2J", "a\rb", "\x00", "\u202e", "\ud800"]
)
def test_no_control_character_reaches_a_terminal(hostile):
    """Neither the clipboard, nor the title, nor the cursor, nor the order of the letters."""
    shown = printed(f"label {hostile} end\n")
    assert not set(shown) & set("\x1b\x07\x9b\r\x00\u202e\ud800")
    assert shown.startswith("label ")
    assert shown.endswith(" end\n")


@pytest.mark.parametrize("parts", [["x\n::stop-commands::t\n"], ["x\n", "  ::add-mask::t\n"], ["##[command]x\n"]])
def test_no_line_gives_a_command_to_ci(parts):
    """However it is written, no line begins as a workflow command."""
    for line in printed(*parts).splitlines():
        assert not line.lstrip().startswith(("::", "##["))
    assert "stop-commands" in printed(*parts) or "x" in printed(*parts) or "mask" in printed(*parts)


def test_what_is_meant_is_printed():
    """Colours, line ends, tabs and two colons inside a line stay; annotations on the stream of messages too."""
    text = "\x1b[1mstd::vector\x1b[0m\tétude 🎉\n"
    assert printed(text) == text
    assert printed("a ", "::b\n") == "a ::b\n"
    assert printed("::error title=x::y\n", annotates=True) == "::error title=x::y\n"
    assert not printed("::set-output name=x::y\n", annotates=True).startswith("::")
    assert printed("\x1b[2K\r50%", has_bar=True) == "\x1b[2K\r50%"


def test_json_escapes_what_json_lets_through():
    """The text is the same once it is read, and has no control character before."""
    assert in_json('"a\x9b\x7f"') == '"a\\u009b\\u007f"'
