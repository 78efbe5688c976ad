"""matplotlib's SVG as a part of the page: in the site's colours and font, with unique ids, and without ballast."""

import re
from xml.etree import ElementTree

from .layers import VARIABLES

_COORDINATES = ("d", "x", "y", "width", "height", "transform", "points")


def theme(svg: str, name: str, alt: str) -> str:
    """Return the `<svg>` element of a matplotlib file, ready to stand in a page.

    Args:
        svg: What `savefig(format="svg")` wrote, drawn in the style of `notesite.figures`.
        name: The ids that are referred to begin with it; the others go.
        alt: The text alternative.
    """
    for color, variable in VARIABLES.items():
        svg = svg.replace(color, f"var(--fig-{variable})")
    root = ElementTree.fromstring(svg)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    for element in root.iter():
        element.tag = element.tag.partition("}")[2]
        _mend_attributes(element, name, used)
    _prune(root)
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    root.attrib |= {"role": "img", "aria-label": alt, "stroke-linejoin": "round"}
    return re.sub(r">\s+<", "><", ElementTree.tostring(root, encoding="unicode")).strip()


def _mend_attributes(element: ElementTree.Element, name: str, used: set[str]) -> None:
    """Make ids unique in the page, leave the font to the page, and round coordinates to a tenth."""
    for key, value in list(element.attrib.items()):
        del element.attrib[key]
        key = key.partition("}")[2] or key  # xlink:href is plain href today
        if key == "id":
            if value not in used:
                continue
            value = f"{name}-{value}"
        value = re.sub(r"url\(#", f"url(#{name}-", value)
        if key == "href":
            value = value.replace("#", f"#{name}-", 1)
        if key == "style":
            value = re.sub(r"font: (?:\w+ )*([\d.]+px) [^;]*", r"font-size: \1", value)
            value = re.sub(r"font-family: [^;]*;?\s*", "", value)
        if key == "style" and element.tag == "text":  # what the style sheet says already
            value = value.replace("font-size: 10px; ", "").replace("; fill: var(--fig-fg)", "")
        if key in _COORDINATES:
            value = re.sub(r"-?\d+\.\d{2,}", _rounded, value)
        if key == "d":
            value = re.sub(r"\s*([A-Za-z])\s*", r"\1", value)
        if not (key == "transform" and value.startswith("rotate(-0 ")):
            element.set(key, value)


def _rounded(match: re.Match[str]) -> str:
    return f"{float(match[0]):.1f}".removesuffix(".0")


def _prune(element: ElementTree.Element) -> None:
    """Drop what cannot be seen, and groups that group nothing; the style sheet's rule for * would reach the page."""
    kept: list[ElementTree.Element] = []
    for child in element:
        _prune(child)
        invisible = child.tag == "path" and child.get("style") == "fill: none"
        empty = child.tag in ("g", "defs") and len(child) == 0
        if child.tag in ("metadata", "style") or invisible or empty:
            continue
        kept += list(child) if child.tag == "g" and not child.attrib else [child]
    element[:] = kept
