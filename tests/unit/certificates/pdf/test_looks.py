"""How certificates look: rendered, and compared with the pictures that somebody looked at."""

import pytest
import zxingcpp
from PIL import Image, ImageChops, ImageStat

from certificates.pdf import design
from tests.unit.certificates.pdf.papers import VALUES, draw
from tests.unit.certificates.pdf.pictures import CASES, SAMPLES, picture

# Renderers smooth edges differently from version to version; a missing line is far above these.
_MEAN = 0.8  # of 255
_SHARE_OF_OTHERS = 0.004
_OTHER = 64


def difference(one: Image.Image, other: Image.Image) -> tuple[float, float]:
    """The mean difference of all pixels, and the share of those that are quite different."""
    assert one.size == other.size
    apart = ImageChops.difference(one.convert("L"), other.convert("L"))
    histogram = apart.histogram()
    return ImageStat.Stat(apart).mean[0], sum(histogram[_OTHER:]) / sum(histogram)


@pytest.mark.parametrize("name", CASES)
def test_it_looks_as_it_did(name: str) -> None:
    with Image.open(SAMPLES / f"{name}.png") as stored:
        mean, others = difference(picture(CASES[name]()), stored.convert("RGB"))
    assert mean < _MEAN
    assert others < _SHARE_OF_OTHERS


def test_the_comparison_sees_what_a_person_sees() -> None:
    """One letter of the name, or the date, is enough."""
    right = picture(draw())
    for wrong in (draw(name="Łukasz Nandu"), draw(issue_date="")):
        mean, others = difference(picture(wrong), right)
        assert mean > 0.02 or others > 0.0002
    moved = {**design.OPTIONS, "elements": {**design.OPTIONS["elements"]}}
    moved["elements"]["name"] = {**moved["elements"]["name"], "y": 325}
    mean, others = difference(picture(draw(moved)), right)
    assert mean > _MEAN
    assert others > _SHARE_OF_OTHERS


@pytest.mark.parametrize("name", ["packaged", "everything"])
def test_a_phone_reads_the_code(name: str) -> None:
    """At 100 dots to an inch, as a screen shows it."""
    (code,) = zxingcpp.read_barcodes(picture(CASES[name](), scale=100 / 72))
    assert code.text == VALUES["verify_url"]
