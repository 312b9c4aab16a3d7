"""The typefaces that come with matplotlib and have digits and capital letters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Typeface:
    """One face: a family in one weight and slope.

    Attributes:
        file_name: its file among matplotlib's fonts.
        family: the design it belongs to. Faces of one family share their skeletons, so they are never split: regular,
            bold and oblique belong together, and so do DejaVu Sans and its monospaced cut.
    """

    file_name: str
    family: str

    def path(self) -> Path:
        """Return where the installed matplotlib keeps the file.

        Raises:
            FileNotFoundError: this matplotlib does not have it.
        """
        import matplotlib

        path = Path(matplotlib.get_data_path(), "fonts", "ttf", self.file_name)
        if not path.is_file():
            raise FileNotFoundError(f"{path} is absent; install a matplotlib that ships its fonts")
        return path


def _family(family: str, *file_names: str) -> tuple[Typeface, ...]:
    """Return the faces of one family."""
    return tuple(Typeface(file_name, family) for file_name in file_names)


# Left out of what matplotlib ships: faces without these glyphs (STIXNonUni*, STIXSiz*, DejaVu*Display), with other
# pictures in their places (cmex10, cmsy10, LastResortHE), and cmmi10, whose digits are those of old style while its
# capitals repeat cmti10.
TRAIN_TYPEFACES = (
    *_family(
        "dejavu_sans",
        "DejaVuSans.ttf",
        "DejaVuSans-Bold.ttf",
        "DejaVuSans-Oblique.ttf",
        "DejaVuSans-BoldOblique.ttf",
        "DejaVuSansMono.ttf",
        "DejaVuSansMono-Bold.ttf",
        "DejaVuSansMono-Oblique.ttf",
        "DejaVuSansMono-BoldOblique.ttf",
    ),
    *_family(
        "dejavu_serif",
        "DejaVuSerif.ttf",
        "DejaVuSerif-Bold.ttf",
        "DejaVuSerif-Italic.ttf",
        "DejaVuSerif-BoldItalic.ttf",
    ),
    *_family("computer_modern_roman", "cmr10.ttf", "cmb10.ttf", "cmti10.ttf"),
    *_family("computer_modern_typewriter", "cmtt10.ttf"),
)
TEST_TYPEFACES = (
    *_family("stix", "STIXGeneral.ttf", "STIXGeneralBol.ttf", "STIXGeneralItalic.ttf", "STIXGeneralBolIta.ttf"),
    *_family("computer_modern_sans", "cmss10.ttf"),
)
