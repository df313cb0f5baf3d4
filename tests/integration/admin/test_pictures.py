"""The pictures of badge templates, as Credly has them, in our list and form."""

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from credentials.models import BadgeTemplate

pytestmark = pytest.mark.django_db
LIST = "/admin/credentials/badgetemplate/"


PNG = b"\x89PNG\r\n\x1a\n and so on"


@pytest.fixture
def pictured(explorer: BadgeTemplate) -> BadgeTemplate:
    """With the copy that a synchronisation makes."""
    explorer.image.save(f"badges/{explorer.uuid}.png", ContentFile(PNG))
    return explorer


def test_list_and_form_show_it(admin_client: Client, pictured: BadgeTemplate) -> None:
    url = f"{LIST}{pictured.pk}/picture/"
    assert f'<img src="{url}?' in admin_client.get(LIST).content.decode()
    assert f'<img src="{url}?' in admin_client.get(f"{LIST}{pictured.pk}/change/").content.decode()

    answer = admin_client.get(url)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.getvalue() == PNG


def test_a_template_without_one_has_none(admin_client: Client, explorer: BadgeTemplate) -> None:
    assert "<img" not in admin_client.get(LIST).content.decode().partition("result_list")[2]
    page = admin_client.get(f"{LIST}{explorer.pk}/change/").content.decode()
    assert "/picture/" not in page
    assert admin_client.get(f"{LIST}{explorer.pk}/picture/").status_code == 404
    assert admin_client.get(f"{LIST}0/picture/").status_code == 404


def test_a_picture_that_is_gone_from_the_storage_breaks_no_page(
    admin_client: Client, pictured: BadgeTemplate
) -> None:
    default_storage.delete(str(pictured.image.name))
    assert admin_client.get(LIST).status_code == 200
    assert admin_client.get(f"{LIST}{pictured.pk}/picture/").status_code == 404


def test_what_is_no_picture_is_never_shown_as_a_page(
    admin_client: Client, explorer: BadgeTemplate
) -> None:
    explorer.image.save("badges/x.html", ContentFile(b"<script>"))
    answer = admin_client.get(f"{LIST}{explorer.pk}/picture/")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_only_who_may_see_the_template_sees_its_picture(
    client: Client, pictured: BadgeTemplate
) -> None:
    client.force_login(User.objects.create_user("bob", is_staff=True))
    assert client.get(f"{LIST}{pictured.pk}/picture/").status_code == 403
