"""Turns sections into a page of HTML that needs no other file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

from tasks.reporting.blocks import Section
from tasks.reporting.canvas import DOTS_PER_INCH

TEMPLATES = Path(__file__).with_name("template")
CSS_PIXELS_PER_INCH = 96


def render(title: str, sections: Sequence[Section]) -> str:
    """Return sections as HTML; every text in them is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["base64"] = lambda content: base64.b64encode(content).decode("ascii")
    environment.filters["pixels"] = png_size
    environment.globals["css_pixels_per_dot"] = CSS_PIXELS_PER_INCH / DOTS_PER_INCH
    environment.tests["kind"] = lambda block, name: type(block).__name__ == name
    return environment.get_template("page.html").render(title=title, sections=sections)


def png_size(content: bytes) -> tuple[int, int]:
    """Return width and height of a PNG in pixels, so that the page does not jump while it loads."""
    return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
