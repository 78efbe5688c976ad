"""The fences of a page are found as superfences would find them."""

import pytest

from notesite.fences import fenced, find_fences


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


@pytest.mark.parametrize("kind", ["wrong", "right", "stub"])
@pytest.mark.parametrize("info", ["python {}", '{{ .python .{} symbol="pkg.f" }}', 'python hl_lines="2" {}'])
def test_find_fences_reads_what_kind_of_code_stands_there(kind, info):
    (fence,) = find(f'```{info.format(kind)} symbol="pkg.f"\nx = 1\n```')
    assert [k for k in ("wrong", "right", "stub") if getattr(fence, f"is_{k}")] == [kind]


@pytest.mark.parametrize(
    "info", ['python values="wrong=1 right=2 stub=3" symbol="pkg.wrong.stub"', "text wrong right"]
)
def test_find_fences_takes_no_word_in_quotes_or_outside_python_for_a_kind(info):
    (fence,) = find(f"```{info}\nx = 1\n```")
    assert not any([fence.is_wrong, fence.is_right, fence.is_stub])


def test_find_fences_takes_no_stub_without_a_symbol():
    (fence,) = find("```python stub\n```")
    assert not fence.is_stub


@pytest.mark.parametrize(
    ("info", "runs"),
    [
        ('python symbol="pkg.f"', True),
        ("python wrong", True),
        ("python right", True),
        ("python", False),
        ("text", False),
    ],
)
def test_fence_runs_only_if_it_says_so_and_holds_lines(info, runs):
    (full,) = find(f"```{info}\nx = 1\n```")
    (empty,) = find(f"```{info}\n\n```")
    assert (full.runs, empty.runs) == (runs, False)


def test_find_fences_reads_a_record():
    (fence,) = find('``` { record="bench" }\n```')
    assert (fence.record, fence.figure, fence.runs) == ("bench", None, False)


@pytest.mark.parametrize("info", ["{ claims }", "{claims}"])
def test_find_fences_reads_a_list_of_claims(info):
    (fence,) = find(f"``` {info}\n```")
    assert fence.lists_claims


@pytest.mark.parametrize("info", ["claims", "text claims", "{ .claims }", "{ claims here }"])
def test_find_fences_takes_nothing_else_for_a_list_of_claims(info):
    (fence,) = find(f"``` {info}\n```")
    assert not fence.lists_claims


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ("half=1/2", {"half": "1/2"}),
        ("half", {"half": "half"}),
        (" a=f(1,2)  b=x==2 c ", {"a": "f(1,2)", "b": "x==2", "c": "c"}),
        ("", {}),
    ],
)
def test_fence_values_are_names_with_expressions(values, found):
    (fence,) = find(f'```python right values="{values}"\nx = 1\n```')
    assert fence.values == found


@pytest.mark.parametrize("values", ["a = 1", "a=f(1, 2)", "a=1 a=2", "a-b=1", "=1", "2"])
def test_fence_values_refuses_what_it_cannot_read(values):
    (fence,) = find(f'```python right values="{values}"\nx = 1\n```')
    with pytest.raises(ValueError, match="expected name or name=expression"):
        _ = fence.values


@pytest.mark.parametrize(
    ("info", "options"),
    [
        ('python right values="a=1" symbol="pkg.f" hl_lines="2 3"', 'hl_lines="2 3"'),
        ('python wrong title="The right way, wrong"', 'title="The right way, wrong"'),
        ('python symbol="pkg.f" stub', ""),
    ],
)
def test_fence_options_are_what_is_left_for_superfences(info, options):
    (fence,) = find(f"```{info}\nx = 1\n```")
    assert fence.options == options


@pytest.mark.parametrize(
    ("text", "marks"), [("x", "```"), ("```", "````"), ("a ````` b", "``````"), ("`x`", "```")]
)
def test_fenced_uses_marks_longer_than_any_inside(text, marks):
    assert fenced(text, ".text") == [f"{marks}{{ .text }}", text, marks]
