"""The fences of a page are found as superfences would find them."""

from notesite.fences import find_fences


def find(text: str):
    return find_fences(text.splitlines())


def test_find_fences_reads_symbols_body_and_options():
    (fence,) = find('a\n```python symbol="pkg.f pkg.g" hl_lines="2"\nprint(f())\n```\nb')
    assert fence.symbols == ("pkg.f", "pkg.g")
    assert fence.body == ("print(f())",)
    assert fence.options == 'hl_lines="2"'
    assert (fence.first, fence.end) == (1, 4)


def test_find_fences_reads_a_figure():
    (fence,) = find('``` { figure="transport.piles.a" }\n```')
    assert fence.figure == "transport.piles.a"
    assert not fence.is_python


def test_find_fences_ignores_fences_inside_longer_fences():
    fences = find('````text\n```python symbol="pkg.f"\n```\n````\n')
    assert len(fences) == 1
    assert fences[0].symbols == ()


def test_find_fences_keeps_the_indent_apart_from_the_body():
    (fence,) = find("- item\n\n    ```python wrong\n    x = 1\n      y\n    ```")
    assert (fence.indent, fence.body) == ("    ", ("x = 1", "  y"))
    assert fence.is_wrong


def test_find_fences_takes_an_unclosed_fence_to_the_end():
    (fence,) = find("```python\nx = 1")
    assert (fence.end, fence.body) == (2, ("x = 1",))


def test_find_fences_does_not_take_inline_code_for_a_fence():
    assert find("```not a fence```\n") == []
