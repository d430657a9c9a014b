import pytest

from harness.arms.prompts.rendering import Phrasing, Template
from harness.errors import ConfigError
from harness.types import Example, Item, Label

ITEM = Item("1", "grinning face", ("face", "{{ 7*7 }}"), {"source": "{% raw %}"})
LABELS = (Label("A", "the first"), Label("B"))


def rendered(block, item=ITEM, examples=()):
    template = Template(f"{{% block user %}}{block}{{% endblock %}}", "p.j2")
    return template.messages(item, LABELS, "task", examples)[0].content


def test_blocks_become_messages_in_order():
    """System, user, assistant: whatever their order in the file; an empty block is not sent."""
    source = "{% block user %}u{% endblock %}\n{% block assistant %} {% endblock %}\n{% block system %}s{% endblock %}"
    messages = Template(source, "p.j2").messages(ITEM, LABELS, "task")
    assert [(m.role, m.content) for m in messages] == [("system", "s"), ("user", "u")]


def test_templates_see_plain_data():
    """Item, labels, task and examples are there as texts and lists."""
    example = Example(Item("2", "cat", ("pet",)), "B", "train")
    block = (
        "{{ item.text }}|{{ item.tags | join(',') }}|{{ item.fields.source }}|"
        "{% for l in labels %}{{ l.name }}:{{ l.description }} {% endfor %}|{{ task }}|"
        "{% for e in examples %}{{ e.text }} {{ e.tags[0] }} {{ e.label }}{% endfor %}"
    )
    assert rendered(block, examples=[example]) == (
        "grinning face|face,{{ 7*7 }}|{% raw %}|A:the first B: |task|cat pet B"
    )


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("{{ labels | join(', ') }}", "A, B"),
        ("{% for label in labels %}{{ label }};{% endfor %}", "A;B;"),
        ("{{ labels }}", "[A, B]"),
        ("{{ 'is ' ~ labels[0] }}", "is A"),
        ("{{ item }}", "grinning face"),
        ("{{ examples | first }}", "cat"),
        ("{{ labels[0] | tojson }}", '{"description": "the first", "name": "A"}'),
    ],
)
def test_a_label_prints_as_its_name_and_an_item_as_its_text(block, said):
    """No braces of a program's ever stand in a prompt; the fields are there as before."""
    assert rendered(block, examples=[Example(Item("2", "cat", ("pet",)), "B", "train")]) == said


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("{{ itm.text }}", "p.j2:1: 'itm' is undefined; templates see item.text"),
        ("\n\n{{ item.txt }}", "p.j2:3: .*has no attribute 'txt'"),
        ("{{ item.tags | map(attribute='name') | list }}", "has no attribute 'name'"),
        ("{{ item.fields.nope }}", "has no attribute 'nope'"),
        ("{{ 1 / 0 }}", "p.j2:1: division by zero"),
        ("{{ 'A' * 10**7 }}", "longer than 1,000,000"),
        ("{% include '/etc/passwd' %}", "no loader"),
    ],
)
def test_mistakes_name_file_and_line(block, message):
    """An undefined name is an error, not an empty text."""
    with pytest.raises(ConfigError, match=message):
        rendered(block)


@pytest.mark.parametrize(
    "block",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ item.text.__class__ }}",
        "{{ item | attr('__class__') }}",
        "{{ item.tags | map(attribute='__class__') | list }}",
        "{{ '{0.__class__}'.format(item) }}",
        "{{ self.__init__.__globals__ }}",
        "{{ item.tags.append('x') }}",
        "{{ item.update({'text': 'x'}) }}",
        "{% set item = {} %}{{ lipsum.__globals__ }}",
        "{{ namespace.__init__.__globals__ }}",
    ],
)
def test_the_sandbox_holds(block):
    """Every known way out, and every change of what was passed in, is an error."""
    with pytest.raises(ConfigError):
        rendered(block)


def test_rows_are_rendered_once():
    """Template syntax in a dataset row stays text."""
    assert rendered("{{ item.tags[1] }}") == "{{ 7*7 }}"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("hello {% block user %}u{% endblock %}", "p.j2:1: this stands outside the blocks"),
        ("{% block usr %}u{% endblock %}", "block 'usr' is no message.*did you mean 'user'"),
        ("{% block system %}s{% endblock %}", "no {% block user %}"),
        ("{% block user %}\n{% for %}\n{% endblock %}", "p.j2:2"),
    ],
)
def test_the_shape_of_a_template_is_checked(source, message):
    """Text that would never be sent, and blocks that are no message, are refused at once."""
    with pytest.raises(ConfigError, match=message):
        Template(source, "p.j2")


def test_lines_count_from_the_top_of_the_file():
    """Front matter above the template does not shift the line that an error names."""
    with pytest.raises(ConfigError, match="p.j2:6"):
        Template("{% block user %}\n{{ nope }}{% endblock %}", "p.j2", first_line=5).messages(ITEM, LABELS, "t")


def test_what_a_block_sets_is_its_own():
    """A name that one block sets is undefined in the next, and a set item stays the item there."""
    source = "{% block system %}{% set mood = 'kind' %}{{ mood }}{% endblock %}{% block user %}{{ mood }}{% endblock %}"
    with pytest.raises(ConfigError, match="'mood' is undefined"):
        Template(source, "v1.j2").messages(ITEM, LABELS, "tickets")
    source = "{% block system %}{% set item = 1 %}{{ item }}{% endblock %}{% block user %}{{ item.text }}{% endblock %}"
    assert Template(source, "v1.j2").messages(ITEM, LABELS, "tickets")[1].content == ITEM.text


@pytest.mark.parametrize(
    ("block", "shared"),
    [
        ("Labels: {{ labels | map(attribute='name') | join(', ') }} of {{ task }}", True),
        ("{% for l in labels %}{{ loop.index }} {{ l.name }}{% endfor %}{% set x = 1 %}{{ x }}", True),
        ("{{ item.text }}", False),
        ("{% if item.tags %}tagged{% endif %}", False),
        ("{% for e in examples %}{{ e.text }}{% endfor %}", False),
        ("{% macro told(x) %}{{ x or item.text }}{% endmacro %}{{ told('') }}", False),
        ("{{ self.user() }}", False),
        ("{{ labels | map(attribute='name') | list | random }}", False),
        ("{{ [['a', 'b']] | map('random') | join }}", False),
        ("{{ lipsum(1) }}", False),
    ],
)
def test_what_is_the_same_for_every_item_is_said_once(block, shared):
    """A block that names neither item nor examples, and draws no lots, is rendered once; the messages stay the same."""
    template = Template(
        f"{{% block system %}}{block}{{% endblock %}}{{% block user %}}{{{{ item.text }}}}{{% endblock %}}", "p"
    )
    assert template.is_shared("system") is shared
    assert not template.is_shared("user")
    phrasing = Phrasing(template, LABELS, "task")
    items = [ITEM, Item("2", "another", ()), Item("3", "third", ("t",))]
    shown = [Example(Item("9", "shown", ()), "B", "train")]
    told = [phrasing.messages(item, shown) for item in items]
    assert [messages[-1].content for messages in told] == [item.text for item in items]
    if "random" not in block and "lipsum" not in block:
        assert told == [template.messages(item, LABELS, "task", shown) for item in items]


def test_a_mistake_in_a_shared_block_is_said_each_time():
    """It is kept as little as a good rendering is forgotten."""
    phrasing = Phrasing(
        Template("{% block system %}{{ nope }}{% endblock %}{% block user %}u{% endblock %}", "p"), LABELS, "t"
    )
    for _ in range(2):
        with pytest.raises(ConfigError, match="'nope' is undefined"):
            phrasing.messages(ITEM)


@pytest.mark.parametrize(
    "expression",
    [
        "'A' * 10**10",
        "10**10 * 'A'",
        "10 ** (10 ** 10)",
        "'A'.center(10**9)",
        "'A'.ljust(10**9)",
        "'{:>1000000000}'.format(1)",
        "'%1000000000d' % 1",
        "'A' | center(10**9)",
        "('A' * 1000000).replace('A', 'B' * 1000)",
    ],
)
def test_what_would_be_too_large_is_refused_before_it_is_made(expression):
    """No product, power, format or padding takes memory before its size is known."""
    with pytest.raises(ConfigError, match="longer than 1,000,000"):
        rendered(f"{{{{ {expression} }}}}")


@pytest.mark.parametrize(
    ("expression", "text"), [("'ab' * 3", "ababab"), ("2 ** 8", "256"), ("'a' | center(3) ~ 'b'", "a b")]
)
def test_ordinary_sizes_are_computed(expression, text):
    """Bounds are not felt by a template that stays within them."""
    assert rendered(f"{{{{ {expression} }}}}") == text
