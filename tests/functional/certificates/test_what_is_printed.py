"""What stands on an issued certificate, read back from the file that anybody gets."""

from io import BytesIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from pypdf import PdfReader

from certificates.assets import digest
from certificates.models import Asset
from credentials.models import Issuance
from tests.fakes import generators
from tests.functional.certificates.conftest import certificate, earn, load, public_file
from tests.functional.conftest import Service
from tests.functional.exam_stories import ANN, idv
from tests.functional.stories import passes
from tests.unit.certificates.pdf.papers import blank, places, text

A4 = (595.0, 842.0)
LONG = "María Aurelia Francisca Xaveria von Hohenzollern-Sigmaringen de la Vega y Castellanos "
LONG = (LONG + "Montemayor de la Torre y Wolfeschlegelstein").ljust(120, "x")[:120]


def upload(slug: str, data: bytes) -> None:
    file = ContentFile(data, name=f"{slug}.pdf")
    Asset.objects.create(slug=slug, kind="pdf", file=file, sha256=digest(data), size=len(data))


def earn_as(service: Service, name: str) -> None:
    """The badge of ann, who is called so."""
    events = [passes("ann", number, minute=number) for number in (1, 2)]
    for each in events:
        each["data"]["course_passing_status"]["user"]["pii"]["name"] = name
    service.publish(events)
    service.consume()
    service.issue()


def issued_to(service: Service, client: Client, name: str) -> bytes:
    earn_as(service, name)
    data = public_file(client)
    assert data is not None, Issuance.objects.get().last_error
    return data


def element(**more: Any) -> dict[str, Any]:
    return {"x": 50, "y": 400, "size": 40, "width": 495, **more}


def test_lc_5_verified_name_context_local_date_and_key(service: Service, client: Client) -> None:
    load(service)
    generators.lay_out(
        options={
            "template": "laurel",
            "language": "es",
            "time_zone": "Pacific/Kiritimati",  # 14 hours ahead: the award is tomorrow there
            "context_name": "Exploración de datos",
            "elements": {
                "name": {"x": 50, "y": 400},
                "context": {"x": 50, "y": 300},
                "date": {"x": 50, "y": 200},
                "verify_uuid": {"x": 50, "y": 100},
            },
        }
    )
    service.publish([idv("approved", 7, "Anne Leigh", 0, {**ANN, "name": "Ann Lee"})])
    earn(service)
    service.issue()
    data = public_file(client)
    assert data is not None
    assert text(data).strip().split("\n") == [
        "Anne Leigh",
        "Exploración de datos",
        "2 de marzo de 2026",
        str(certificate().verify_uuid),
    ]


def test_lc_5_all_pages_of_the_template_are_kept(service: Service, client: Client) -> None:
    load(service)
    upload("two", blank(A4, (400, 400)))
    generators.lay_out(options={"template": "two", "elements": {"name": element()}})
    pages = PdfReader(BytesIO(issued_to(service, client, "Ann Lee"))).pages
    assert [page.extract_text().strip() for page in pages] == ["Ann Lee", ""]
    assert [float(page.mediabox.width) for page in pages] == [595, 400]


@pytest.mark.parametrize(
    ("name", "first_line"), [("Ann Lee", (400, 40)), (LONG, (450, 20))], ids=["one line", "several"]
)
def test_lc_5_a_name_of_several_lines_has_its_own_layout(
    service: Service, client: Client, name: str, first_line: tuple[float, float]
) -> None:
    load(service)
    upload("plain", blank(A4))
    generators.lay_out(
        options={
            "template": "plain",
            "elements": {"name": element()},
            "multi_line": {"name": {"y": 450, "size": 20, "min_size": 20}},
        }
    )
    printed = places(issued_to(service, client, name))
    assert printed[0][2:] == first_line
    assert (len(printed) > 1) == (name == LONG)


@pytest.mark.parametrize("name", ["Łukasz Ñandú", "李雷"])
def test_lc_6_the_same_characters_come_back(service: Service, client: Client, name: str) -> None:
    load(service)
    assert name in text(issued_to(service, client, name))
    assert certificate().name == name


def test_lc_6_a_script_that_no_font_draws_is_named(service: Service, client: Client) -> None:
    load(service)
    earn_as(service, "Ann عائشة")
    error = Issuance.objects.get().last_error
    assert all(f"U+{ord(each):04X}" in error for each in "عائشة")
    assert "U+0041" not in error
    assert public_file(client) is None


def test_lc_6_120_characters_stay_on_the_page(service: Service, client: Client) -> None:
    load(service)
    data = issued_to(service, client, LONG)
    printed = places(data)
    assert LONG.replace(" ", "") in "".join(what for what, *_ in printed).replace(" ", "")
    width, height = (float(side) for side in PdfReader(BytesIO(data)).pages[0].mediabox[2:])
    assert all(0 <= x < width and 0 <= y < height - size for _, x, y, size in printed)
