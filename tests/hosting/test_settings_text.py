from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.errors import ConfigError
from crmkit.hosting.settings_text import edit_list

SHOP = """# our shop
plugins = [
  "telecom", # phones
  "hotel",
]
currency = "EUR" # money
"""


@pytest.mark.parametrize(
    ("before", "names", "after"),
    [
        ('plugins = ["a"]\n', ["a", "b"], 'plugins = ["a", "b"]\n'),
        ('plugins = ["a", "b"]\n', ["b"], 'plugins = ["b"]\n'),
        ('plugins = ["a", "b"]\n', ["a"], 'plugins = ["a"]\n'),
        ('plugins = ["a"]\n', [], "plugins = []\n"),
        ("plugins = []\n", ["a"], 'plugins = ["a"]\n'),
        ('plugins=["a",]\n', ["a", "b"], 'plugins=["a", "b"]\n'),
        ("plugins = ['a']\n", ["a", "b"], 'plugins = ["a", "b"]\n'),
        ('currency = "EUR"\n', ["a"], 'plugins = ["a"]\ncurrency = "EUR"\n'),
        ('plugins = ["a"]\n', ["a"], 'plugins = ["a"]\n'),
        (SHOP, ["telecom", "hotel", "new"], SHOP.replace('"hotel",', '"hotel", "new",')),
        (SHOP, ["telecom"], SHOP.replace('  "hotel",\n', "")),
    ],
)
def test_only_the_list_changes(before, names, after):
    assert edit_list(before, "plugins", names) == after


def test_a_list_that_cannot_be_edited_is_refused_with_the_line_to_write():
    before = 'plugins = ["""a\n"""]\n'
    with pytest.raises(ConfigError) as caught:
        edit_list(before, "plugins", ["b"])
    assert caught.value.hint == 'Write it by hand: plugins = ["b"]'


NAMES = st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True)
GAPS = st.sampled_from(["", " ", "\n", "\n  ", ' # note, with ] and "\n'])


@given(
    before=NAMES, after=NAMES, gaps=st.lists(GAPS, min_size=9, max_size=9), trailing=st.booleans()
)
def test_any_layout_keeps_its_notes_and_gets_the_names(before, after, gaps, trailing):
    """Whatever blanks and notes stand between the items, the result reads as asked."""
    body = gaps[0]
    for place, name in enumerate(before):
        last = place == len(before) - 1
        body += f'"{name}"{gaps[2 * place + 1]}' + ("" if last and not trailing else ",")
        body += gaps[min(2 * place + 2, 8)]
    text = f'# top\nplugins = [{body}]\ncurrency = "EUR" # money\n'
    # Names that stay keep their order; new ones come last, as enabling and disabling ask for.
    wanted = [n for n in before if n in after] + [n for n in after if n not in before]
    edited = edit_list(text, "plugins", wanted)
    assert tomllib.loads(edited) == {"plugins": wanted, "currency": "EUR"}
    assert edited.count("# note") == text.count("# note")
    assert edited.startswith("# top\n")
    assert edited.endswith('currency = "EUR" # money\n')
