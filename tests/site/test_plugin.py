"""The mkdocs plugin: what it does to the theme."""

import jinja2

from notesite.plugin import LabsPlugin


def test_lines_of_template_tags_leave_nothing_on_the_page():
    env = LabsPlugin().on_env(jinja2.Environment(), config=None, files=None)
    template = env.from_string("<ul>\n  {% for n in [1, 2] %}\n  <li>{{ n }}</li>\n  {% endfor %}\n</ul>")
    assert template.render() == "<ul>\n  <li>1</li>\n  <li>2</li>\n</ul>"
