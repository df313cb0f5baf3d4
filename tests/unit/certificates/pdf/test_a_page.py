"""What stands on a certificate, read back from it."""

from io import BytesIO

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.constants import UserAccessPermissions

from certificates.pdf import pages, typefaces
from tests.unit.certificates.pdf.papers import VALUES, blank, draw, page, places, simple, text

LONG = (
    "María Aurelia Francisca Xaveria von Hohenzollern-Sigmaringen de la Vega y Castellanos-"
    "Montemayor Wolfeschlegelstein"
).ljust(120, "x")


def test_lc_5_the_packaged_design_says_it_all() -> None:
    found = text(draw())
    for name in ("name", "context_name", "issuer", "issue_date", "verify_url"):
        assert VALUES[name] in found


def test_lc_5_all_pages_are_kept_and_the_chosen_one_is_drawn_upon() -> None:
    two = blank((400, 400), (595, 842))
    data = draw({**simple(name={"x": 50, "y": 50}), "page": 2}, template=two)
    assert len(PdfReader(BytesIO(data)).pages) == 2
    assert (text(data, 1), text(data, 2).strip()) == ("", "Łukasz Ñandú")


def test_a_page_that_is_not_there() -> None:
    with pytest.raises(pages.TemplateError, match="has 1 pages"):
        draw({**simple(name={"x": 50, "y": 50}), "page": 2}, template=blank())


def test_lc_5_a_long_name_has_the_multi_line_layout() -> None:
    options = {
        **simple(name={"x": 50, "y": 400, "size": 40, "width": 495}, date={"x": 50, "y": 300}),
        "multi_line": {
            "name": {"y": 420, "size": 20, "min_size": 20},
            "date": {"y": 200, "uppercase": True},
        },
    }
    short = places(draw(options, template=blank(), name="Ann Lee"))
    assert [(what, y, size) for what, _, y, size in short] == [
        ("Ann Lee", 400, 40),
        ("1 March 2026", 300, 12),
    ]
    long = places(draw(options, template=blank(), name="Ann Lee of the very long name " * 2))
    (first, _, y, size), *_, (date, _, date_y, _) = long
    assert first.startswith("Ann Lee")
    assert (y, size) == (420, 20)
    assert (date, date_y) == ("1 MARCH 2026", 200)


@pytest.mark.parametrize(
    "name", ["Łukasz Ñandú", "李雷", "李雷 Ann", "김민준", "Ẹ́lẹ́ṣin", "ΑΒΓ Жанна", "ひらがな"]
)
def test_lc_6_the_same_characters_come_back(name: str) -> None:
    assert name in text(draw(name=name))


@pytest.mark.parametrize("name", ["आन", "عائشة", "דוד", "ก", "👩", "Ann \U0001f600"])
def test_lc_6_what_no_font_draws_is_refused_by_name(name: str) -> None:
    with pytest.raises(typefaces.UndrawableError) as refused:
        draw(name=name)
    for character in set(name) - set("Ann "):
        assert f"U+{ord(character):04X}" in str(refused.value)
    assert "(U+0041" not in str(refused.value)


@pytest.mark.parametrize("name", [LONG, "x" * 120, "李" * 120, "W " * 60])
@pytest.mark.parametrize("design", ["packaged", "in a corner"])
def test_lc_6_120_characters_stay_on_the_page(name: str, design: str) -> None:
    assert len(name.strip()) >= 119
    if design == "packaged":
        data = draw(name=name)
    else:
        data = draw(
            simple(name={"x": 550, "y": 40, "size": 60, "align": "center", "max_lines": 9}),
            template=blank(),
            name=name,
        )
    got = "".join(what for what, *_ in places(data))
    assert "".join(name.split()) in "".join(got.split())
    width, height = (float(side) for side in page(data).mediabox[2:])
    for what, x, y, size in places(data):
        assert 0 <= x <= width - 10
        assert 10 <= y <= height - size
        right = x + typefaces.width(what, font=typefaces.packaged("serif-bold")) * size
        assert right <= width + 5


def test_align() -> None:
    options = simple(
        name={"x": 300, "y": 500, "size": 20},
        context={"x": 300, "y": 400, "size": 20, "align": "right"},
        date={"x": 300, "y": 300, "size": 20, "align": "center"},
    )
    sans = typefaces.packaged("sans")
    left, right, middle = places(draw(options, template=blank()))
    assert left[1] == 300
    assert right[1] + typefaces.width(VALUES["context_name"], font=sans) * 20 == pytest.approx(300)
    half = typefaces.width(VALUES["issue_date"], font=sans) * 10
    assert middle[1] + half == pytest.approx(300)


def test_placeholders_are_filled_once() -> None:
    options = simple(note={"text": "{name}: {nobody} {name}", "x": 20, "y": 20})
    assert text(draw(options, template=blank(), name="{issuer}")).strip() == (
        "{issuer}: {nobody} {issuer}"
    )


def test_it_stands_upright_on_a_turned_page_and_on_a_cropped_one() -> None:
    options = simple(name={"x": 100, "y": 50})
    turned = draw(options, template=blank((595, 842), rotation=90))
    assert page(turned).rotation == 0
    assert (float(page(turned).mediabox.width), float(page(turned).mediabox.height)) == (842, 595)
    writer = PdfWriter(clone_from=PdfReader(BytesIO(blank())))
    writer.pages[0].cropbox.lower_left = (30, 40)
    buffer = BytesIO()
    writer.write(buffer)
    (_, x, y, _) = places(draw(options, template=buffer.getvalue()))[0]
    assert (x, y) == (100, 50) or (x + 30, y + 40) == (130, 90)


def test_what_the_file_says_of_itself() -> None:
    reader = PdfReader(BytesIO(draw()))
    assert reader.metadata is not None
    assert reader.metadata.title == "Data Explorer: Łukasz Ñandú"
    assert reader.metadata.author == "Acme Academy"
    assert str(reader.root_object["/Lang"]) == "en"


def test_fonts_are_embedded() -> None:
    resources = page(draw(name="Ann 李雷")).get("/Resources")
    assert resources is not None
    fonts = [font.get_object() for font in resources.get_object()["/Font"].values()]
    names = {str(font["/BaseFont"]) for font in fonts if "FontDescriptor" in str(font.keys())}
    assert any("DroidSansFallback" in name for name in names)
    for font in fonts:
        if "/FontDescriptor" in font:
            assert "/FontFile2" in font["/FontDescriptor"]


def test_the_same_input_is_the_same_file() -> None:
    assert draw() == draw()


def test_protected_is_read_by_everybody_and_changed_by_nobody() -> None:
    options = {**simple(name={"x": 50, "y": 50}), "protected": True}
    reader = PdfReader(BytesIO(draw(options, template=blank())))
    assert reader.is_encrypted
    assert reader.pages[0].extract_text().strip() == "Łukasz Ñandú"
    allowed = reader.user_access_permissions
    assert allowed is not None
    assert UserAccessPermissions.PRINT in allowed
    assert UserAccessPermissions.MODIFY not in allowed


def test_pictures_keep_their_shape() -> None:
    buffer = BytesIO()
    Image.new("RGB", (40, 20), "#ff0000").save(buffer, "PNG")
    options = {
        **simple(name={"x": 50, "y": 50}),
        "images": [{"image": "seal", "x": 100, "y": 200, "width": 80}],
    }
    data = draw(options, template=blank(), images={"seal": buffer.getvalue()})
    assert b"80 0 0 40 100 200 cm" in page(data).get_contents().get_data()  # type: ignore[union-attr]


def test_drawing_does_not_slow_down_with_the_number_drawn_before() -> None:
    """Fonts of reportlab keep something for each document, as long as that lives."""
    for _ in range(5):
        draw()
    assert len(typefaces.packaged("sans").state) <= 1
