"""What a page is made of: sections of paragraphs, figures, tables and tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of plain text.

    Attributes:
        text: not HTML; it is escaped.
        is_remark: whether it says that something is missing or to be read with care.
        is_lead: whether it sums up what follows.
        code: a long name behind the text, which may break anywhere.
    """

    text: str
    is_remark: bool = False
    is_lead: bool = False
    code: str = ""


@dataclass(frozen=True)
class Figure:
    """A drawing.

    Attributes:
        name: of its file, without the ending.
        png: the file's bytes.
        alternative: what it shows, for those who cannot see it.
        caption: with seeds, spread, budget and machine.
        is_wide: whether it is shown as large as it was drawn, up to the page's width, and not in a column.
    """

    name: str
    png: bytes
    alternative: str
    caption: str
    is_wide: bool = False


@dataclass(frozen=True)
class FigureGroup:
    """Figures that stand side by side where there is room.

    Attributes:
        figures: one or more.
        caption: what holds for all of them; empty for none.
        is_compact: whether they stay readable when they are small, so that more fit beside each other.
    """

    figures: tuple[Figure, ...]
    caption: str = ""
    is_compact: bool = False


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        caption: with seeds and spread.
        header: a name a column.
        rows: as many cells each as the header has.
        num_text_columns: so many columns from the left hold words, the others numbers.
        emphasized: indices of the rows that stand out.
        code_column: index of a column of long names, which may break anywhere; None for none.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    num_text_columns: int = 1
    emphasized: frozenset[int] = frozenset()
    code_column: int | None = None

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.header):
                raise ValueError(f"a row has {len(row)} cells {row}, the header {len(self.header)}; give one a column")


@dataclass(frozen=True)
class Tile:
    """One number that stands out: what it is, the number, and what it is to be compared with."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class Tiles:
    """Tiles beside each other."""

    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class Listing:
    """Text with its line breaks, such as commands or a file.

    Attributes:
        title: what it is.
        text: as it is.
        is_open: whether it shows before anybody asks for it.
    """

    title: str
    text: str
    is_open: bool = False


Block = Paragraph | Figure | FigureGroup | Table | Tiles | Listing


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        anchor: its address in the page.
        title: its heading.
        blocks: from top to bottom.
    """

    anchor: str
    title: str
    blocks: tuple[Block, ...] = field(default=())

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every figure of the section."""
        return _figures(self.blocks)


def _figures(blocks: Sequence[Block]) -> tuple[Figure, ...]:
    found: list[Figure] = []
    for block in blocks:
        if isinstance(block, Figure):
            found.append(block)
        elif isinstance(block, FigureGroup):
            found.extend(block.figures)
    return tuple(found)
