"""Layouts and their files in the admin: refused with a reason, looked at before they are used."""

import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pypdf import PdfReader

from certificates.models import Asset, Certificate, CertificateLayout
from certificates.pdf import design, typefaces
from credentials.models import BadgeTemplate
from tests.functional.certificates.conftest import earn, load, public_file, stored
from tests.functional.conftest import Service
from tests.unit.certificates.pdf.papers import blank
from tests.unit.certificates.pdf.test_uploads import encrypted, no_pages

NOTO = (design.FILE.parent.parent / "fonts" / "NotoSans-Bold.ttf").read_bytes()
ADMIN = "/admin/certificates"
ASSETS = "certificates/assets"


@pytest.fixture
def prof(client: Client, transactional_db: None) -> Client:
    client.force_login(User.objects.create_superuser("prof"))
    return client


def upload(prof: Client, slug: str, kind: str, data: bytes) -> dict[str, list[str]]:
    """The messages, by field; none when it was taken."""
    file = SimpleUploadedFile("../whatever.bin", data)
    answer = prof.post(f"{ADMIN}/asset/add/", {"slug": slug, "kind": kind, "file": file})
    return {} if answer.status_code == 302 else dict(answer.context["adminform"].form.errors)


def save(prof: Client, options: Any, **more: Any) -> list[str]:
    """The messages about the options."""
    template = BadgeTemplate.objects.get()
    row = CertificateLayout.objects.filter(template=template).first()
    where = f"{row.pk}/change/" if row else "add/"
    text = options if isinstance(options, str) else json.dumps(options)
    entered = {"template": template.pk, "generator": "standard", "options": text, **more}
    answer = prof.post(f"{ADMIN}/certificatelayout/{where}", entered)
    if answer.status_code == 302:
        assert answer["Location"].endswith("/change/" if row is None else "/certificatelayout/")
        return []
    found: list[str] = answer.context["adminform"].form.errors["options"]
    return list(found)


def text_of(data: bytes | None) -> str:
    assert data is not None
    return PdfReader(BytesIO(data)).pages[0].extract_text()


def test_lc_7_files_that_cannot_be_drawn_with(prof: Client) -> None:
    assert upload(prof, "mine", "pdf", b"<html>") == {"file": ["This is not a PDF."]}
    assert upload(prof, "mine", "pdf", encrypted())["file"][0].startswith("This PDF is encrypted.")
    assert upload(prof, "mine", "pdf", no_pages()) == {"file": ["This PDF has no pages."]}
    assert upload(prof, "mine", "font", blank())["file"][0].startswith("This font cannot be put")
    assert upload(prof, "mine", "image", NOTO) == {"file": ["This is neither a PNG nor a JPEG."]}
    large = blank() + b"\n" * (10 * 1024 * 1024)
    assert upload(prof, "mine", "pdf", large) == {"file": ["This file is larger than 10 MB."]}
    assert upload(prof, "sans", "font", NOTO)["slug"] == [
        "sans is the name of something that Laurel brings along."
    ]
    assert upload(prof, "Mine!", "font", NOTO)["slug"] == [
        "Small letters, digits, - and _, beginning with a letter or a digit."
    ]
    assert not Asset.objects.exists()
    assert upload(prof, "mine", "font", NOTO) == {}
    assert Asset.objects.get().file.name == "certificates/assets/mine.bin"


def test_lc_7_options_have_an_error_for_each_field(service: Service, prof: Client) -> None:
    load(service)
    wrong: Mapping[str, Any] = {
        "elements": {"name": {"x": 1, "size": "32", "color": "red"}},
        "colour": 1,
    }
    known = "context_name, elements, images, language, multi_line, page, protected, qr, template"
    assert sorted(save(prof, wrong)) == [
        f"colour: is not known here, known: {known}, time_zone, title",
        'elements.name.color: must look like #1a2b3c, not "red"',
        'elements.name.size: must be a number, not "32"',
        "elements.name.y: is missing",
        "template: is missing",
    ]
    element = {"x": 1, "y": 1}
    assert save(prof, {"template": "acme", "elements": {"name": element}}) == [
        "template: no pdf is called acme; laurel is the design of Laurel"
    ]
    strange = {
        "template": "laurel",
        "page": 2,
        "language": "xx",
        "time_zone": "Mars/Base",
        "elements": {"name": {**element, "font": "comic"}},
        "images": [{"image": "seal", "x": 1, "y": 1, "width": 1}],
    }
    assert [each.partition(":")[0] for each in save(prof, strange)] == [
        "page",
        "elements.name.font",
        "images.0.image",
        "language",
        "time_zone",
    ]
    assert save(prof, "{") != []
    assert not CertificateLayout.objects.exists()


def test_a_layout_is_looked_at_then_used(service: Service, prof: Client) -> None:
    load(service)
    earn(service)
    assert upload(prof, "acme", "pdf", blank((400, 300), (400, 300))) == {}
    assert upload(prof, "acme-font", "font", NOTO) == {}
    options = {
        "template": "acme",
        "page": 2,
        "elements": {"name": {"x": 30, "y": 100, "font": "acme-font", "uppercase": True}},
    }
    assert save(prof, options) == []
    row = CertificateLayout.objects.get()
    preview = f"{ADMIN}/certificatelayout/{row.pk}/preview/"
    page = prof.get(f"{ADMIN}/certificatelayout/{row.pk}/change/").content.decode()
    assert "Not in use" in page
    assert f"{preview}?sample=long%20name" in page
    shown = prof.get(f"{preview}?sample=name+with+accents")
    assert shown["Content-Type"] == "application/pdf"
    pages = PdfReader(BytesIO(shown.content)).pages
    assert [each.extract_text().strip() for each in pages] == ["", "ŁUKASZ ÑANDÚ"]
    assert (
        "100" in PdfReader(BytesIO(prof.get(f"{preview}?grid=1").content)).pages[1].extract_text()
    )
    assert not Certificate.objects.exists()

    service.issue()  # not in use yet
    assert "Data Explorer" in text_of(public_file(prof))
    assert save(prof, options, in_use="on") == []
    earn(service, "bob")
    service.issue()
    bob = Certificate.objects.get(name="Bob Ray")
    answer = prof.get(f"/certificates/{bob.verify_uuid}.pdf")
    data = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert PdfReader(BytesIO(data)).pages[1].extract_text().strip() == "BOB RAY"


def test_a_file_in_use_can_be_replaced_but_not_deleted(service: Service, prof: Client) -> None:
    load(service)
    upload(prof, "acme", "pdf", blank((400, 300)))
    save(prof, {"template": "acme", "elements": {"name": {"x": 30, "y": 100}}}, in_use="on")
    asset = Asset.objects.get()
    page = f"{ADMIN}/asset/{asset.pk}"
    assert "Used by Data Explorer" in prof.get(f"{page}/change/").content.decode()
    assert prof.post(f"{page}/delete/", {"post": "yes"}).status_code == 403

    file = SimpleUploadedFile("new.pdf", blank((500, 300)))
    assert prof.post(f"{page}/change/", {"file": file}).status_code == 302
    row = CertificateLayout.objects.get()
    shown = prof.get(f"{ADMIN}/certificatelayout/{row.pk}/preview/").content
    assert float(PdfReader(BytesIO(shown)).pages[0].mediabox.width) == 500


def test_a_file_that_was_replaced_is_removed_and_what_was_issued_stays(
    service: Service, prof: Client
) -> None:
    load(service)
    upload(prof, "acme", "pdf", blank((400, 300)))
    upload(prof, "other", "pdf", blank((300, 300)))
    save(prof, {"template": "acme", "elements": {"name": {"x": 30, "y": 100}}}, in_use="on")
    earn(service)
    service.issue()
    issued, layout = public_file(prof), CertificateLayout.objects.get()
    acme, other = Asset.objects.get(slug="acme"), Asset.objects.get(slug="other")
    assert len(stored(ASSETS)) == 2

    page = f"{ADMIN}/asset/{acme.pk}/change/"
    refused = prof.post(page, {"file": SimpleUploadedFile("new.pdf", b"<html>")})
    assert refused.status_code == 200
    assert len(stored(ASSETS)) == 2
    for size in (500, 600):
        file = SimpleUploadedFile("new.pdf", blank((size, 300)))
        assert prof.post(page, {"file": file}).status_code == 302
        acme.refresh_from_db()
        shown = prof.get(f"{ADMIN}/certificatelayout/{layout.pk}/preview/").content
        assert float(PdfReader(BytesIO(shown)).pages[0].mediabox.width) == size  # not a former one
        assert sorted(stored(ASSETS)) == sorted(
            str(each.file).removeprefix(f"{ASSETS}/") for each in (acme, other)
        )
    assert prof.post(page, {}).status_code == 302  # saved without another file
    assert default_storage.exists(str(acme.file))
    assert public_file(prof) == issued

    assert prof.post(f"{ADMIN}/asset/{other.pk}/delete/", {"post": "yes"}).status_code == 302
    assert [f"{ASSETS}/{name}" for name in stored(ASSETS)] == [acme.file.name]


def test_a_file_that_a_layout_could_not_be_drawn_with_replaces_nothing(
    service: Service, prof: Client
) -> None:
    load(service)
    upload(prof, "acme", "pdf", blank((400, 300), (400, 300)))
    save(prof, {"template": "acme", "page": 2, "elements": {"name": {"x": 30, "y": 100}}})
    page = f"{ADMIN}/asset/{Asset.objects.get().pk}/change/"
    answer = prof.post(page, {"file": SimpleUploadedFile("new.pdf", blank((400, 300)))})
    assert answer.context["adminform"].form.errors["file"] == [
        (
            "Layout of Data Explorer would not work any more: page: "
            "The template has 1 pages, and the text is to stand on page 2."
        )
    ]
    assert len(stored(ASSETS)) == 1


def test_a_file_that_another_asset_has_is_kept(prof: Client) -> None:
    """Nobody uploads that; whoever copies a database by hand may."""
    upload(prof, "acme", "pdf", blank())
    acme = Asset.objects.get()
    Asset.objects.create(slug="copy", kind="pdf", file=acme.file.name, sha256=acme.sha256, size=1)
    assert prof.post(f"{ADMIN}/asset/{acme.pk}/delete/", {"post": "yes"}).status_code == 302
    assert len(stored(ASSETS)) == 1


def test_a_preview_that_cannot_be_drawn_says_why(service: Service, prof: Client) -> None:
    load(service)
    save(prof, {"template": "laurel", "elements": {"motto": {"text": "ॐ", "x": 1, "y": 1}}})
    row = CertificateLayout.objects.get()
    answer = prof.get(f"{ADMIN}/certificatelayout/{row.pk}/preview/")
    assert answer.status_code == 409
    assert "U+0950" in answer.content.decode()


def test_every_page_of_the_admin_opens(service: Service, prof: Client) -> None:
    load(service)
    earn(service)
    service.issue()
    for name in ("asset", "certificatelayout", "certificate", "certificatemail"):
        assert prof.get(f"{ADMIN}/{name}/").status_code == 200
    for name in ("asset", "certificatelayout"):
        assert prof.get(f"{ADMIN}/{name}/add/").status_code == 200
    row = Certificate.objects.get()
    page = prof.get(f"{ADMIN}/certificate/{row.pk}/change/").content.decode()
    assert f"/verify/{row.verify_uuid}/" in page


def test_whoever_may_not_look_sees_no_preview(service: Service, prof: Client) -> None:
    load(service)
    save(prof, {"template": "laurel", "elements": {"name": {"x": 1, "y": 1}}})
    row = CertificateLayout.objects.get()
    prof.force_login(User.objects.create_user("nobody", is_staff=True))
    answer = prof.get(f"{ADMIN}/certificatelayout/{row.pk}/preview/")
    assert answer.status_code == 403


def test_packaged_fonts_are_named_in_messages(service: Service, prof: Client) -> None:
    load(service)
    wrong = {"template": "laurel", "elements": {"name": {"x": 1, "y": 1, "font": "comic"}}}
    (message,) = save(prof, wrong)
    assert all(slug in message for slug in typefaces.PACKAGED)
