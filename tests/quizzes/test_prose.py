import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizzes.prose import block, code, inline


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a < b & c", "<p>a &lt; b &amp; c</p>"),
        ("one `x < y` two", "<p>one <code>x &lt; y</code> two</p>"),
        ("a\nb\n\n  \nc", "<p>a\nb</p><p>c</p>"),
        (
            "a\n```python\nif a < b:\n\n    `c`\n```\nd",
            "<p>a</p><pre><code>if a &lt; b:\n\n    `c`</code></pre><p>d</p>",
        ),
        ("```\na\n```\n```\nb\n```", "<pre><code>a</code></pre><pre><code>b</code></pre>"),
        ('<script>"x"</script>', "<p>&lt;script&gt;&quot;x&quot;&lt;/script&gt;</p>"),
        ("a ` b", "<p>a ` b</p>"),
    ],
)
def test_block_when_given(text: str, html: str) -> None:
    assert block(text) == html


@given(st.text(alphabet="`<>&\"'\n a"))
def test_any_prose_when_it_holds_markup(text: str) -> None:
    for made in (block(text), inline(text), code(text)):
        rest = made
        for tag in ("<p>", "</p>", "<pre>", "</pre>", "<code>", "</code>"):
            rest = rest.replace(tag, "")
        assert "<" not in rest
        assert ">" not in rest
