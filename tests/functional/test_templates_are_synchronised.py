"""Badge templates come from Credly: all of them, page by page, each field from who owns it."""

import io
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from badges.models import BadgeRequirement
from credentials.models import BadgeTemplate, CredlyOrganization, CredlyRun
from credentials.providers.credly import account, templates
from credly_client.sandbox import Running
from tests.functional.conftest import Service
from tests.functional.stories import ACME, EXPLORER, explorer, passes

PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 10


@pytest.fixture
def acme(service: Service, credly: Running) -> CredlyOrganization:
    service.load({"version": 1, "organizations": explorer()["organizations"], "templates": []})
    return CredlyOrganization.objects.get()


def sync() -> str:
    output = io.StringIO()
    call_command("sync_badge_templates", stdout=output)
    return output.getvalue()


def put(credly: Running, **values: Any) -> str:
    known = {"id": str(uuid4()), "organization_id": ACME, "name": "A badge"}
    return str(credly.sandbox.control("templates", known | values)["id"])


def number(value: int) -> str:
    return str(UUID(int=value))


@pytest.mark.usefixtures("acme")
class TestPages:
    def test_all_pages(self, credly: Running) -> None:
        for n in range(120):
            put(credly, id=number(n), name=f"Badge {n}")
        assert "121 created, 0 changed, 0 unchanged, 0 archived" in sync()
        assert BadgeTemplate.objects.count() == 121
        assert not BadgeTemplate.objects.filter(is_active=True).exists()
        assert "0 created, 0 changed, 121 unchanged" in sync()
        run = CredlyRun.objects.first()
        assert run is not None
        assert (run.kind, run.state, run.counts["unchanged"]) == ("sync", "done", 121)
        assert CredlyOrganization.objects.get().synced_at is not None

    def test_each_page_costs_the_same(self, credly: Running) -> None:
        def cost(pages: int, name: str) -> int:
            for n in range(pages * 50 - 1):
                put(credly, id=number(n), name=f"{name} {n}", state="draft")
            with CaptureQueriesContext(connection) as queries:
                sync()
            return len(queries)

        created, changed = cost(3, "First"), cost(3, "Second")
        assert cost(6, "First") - created <= 3 * 10
        assert cost(6, "Second") - changed <= 6 * 10

    def test_a_page_that_fails_in_the_middle(self, credly: Running) -> None:
        """What came before is taken over, nothing is archived, and it can be repeated."""
        lost = put(credly, name="Lost")
        sync()
        credly.sandbox.control(f"templates/{lost}/delete", {})
        for n in range(100):
            put(credly, id=number(n))
        put(credly, id=number(75), public="perhaps")
        with pytest.raises(CommandError, match="public is not true or false"):
            sync()
        run = CredlyRun.objects.first()
        assert run is not None
        assert (run.state, run.counts["created"]) == ("failed", 49)
        assert "What was done before stays" in run.message
        assert BadgeTemplate.objects.get(uuid=lost).provider_state == "active"

        put(credly, id=number(75), public=True)
        assert "51 created, 0 changed, 50 unchanged, 1 archived" in sync()

    def test_odd_values(self, credly: Running) -> None:
        odd = put(credly, name="N\x00ul \ud800" + "x" * 300, image_url="https://x/" + "y" * 2000)
        sync()
        template = BadgeTemplate.objects.get(uuid=odd)
        assert template.name.startswith("Nul ?x")
        assert (len(template.name), template.image_url) == (255, "")

    def test_a_template_of_another_organization_is_left_alone(self) -> None:
        other = CredlyOrganization.objects.create(uuid=uuid4(), name="Globex", paused_reason="x")
        BadgeTemplate.objects.create(uuid=EXPLORER, name="Theirs", organization=other)
        with pytest.raises(CommandError, match="Globex: The account is paused"):
            sync()
        assert BadgeTemplate.objects.get(uuid=EXPLORER).name == "Theirs"


@pytest.mark.usefixtures("credly", "earned")
class TestVanished:
    @pytest.fixture
    def earned(self, service: Service) -> Service:
        service.load(explorer())
        service.publish([passes("ann", 1, minute=1), passes("ann", 2, minute=2)])
        service.consume()
        service.issue()
        return service

    def test_it_is_archived_and_keeps_all_it_has(self, credly: Running) -> None:
        credly.sandbox.control(f"templates/{EXPLORER}/delete", {})
        assert "1 archived" in sync()
        template = BadgeTemplate.objects.get()
        assert (template.provider_state, template.is_active) == ("archived", False)
        assert "no longer listed" in template.note
        assert BadgeRequirement.objects.count() == 2
        assert template.credentials.count() == 1
        assert "0 archived" in sync()

    def test_what_a_list_left_out_is_asked_for(self, credly: Running) -> None:
        """Half of the list is not shown: what is there all the same is not archived."""
        credly.sandbox.control("templates", {"id": EXPLORER, "name": "Still there"})
        row = BadgeTemplate.objects.get()
        organization = CredlyOrganization.objects.get()
        with account.patient_client(organization) as client:
            found = templates._look_again(organization, row, client=client)
        assert found == "changed"
        row.refresh_from_db()
        assert (row.name, row.is_active) == ("Still there", True)

    def test_what_came_while_the_list_was_read_is_not_archived(self) -> None:
        started = timezone.now()
        time.sleep(0.002)
        organization = CredlyOrganization.objects.get()
        BadgeTemplate.objects.create(uuid=uuid4(), name="By a webhook", organization=organization)
        gone = templates._vanished(organization, seen=set(), before=started)
        assert [row.name for row in gone] == ["Data Explorer"]


@pytest.mark.usefixtures("credly", "_synced")
class TestWhoseField:
    """See Note [Whose field is whose] in credentials/providers/credly/templates.py."""

    @pytest.fixture
    def _synced(self, service: Service) -> None:
        service.load(explorer(name="As in the file", description="Of the file."))
        sync()

    def test_a_synchronisation_leaves_what_is_decided_here(self, credly: Running) -> None:
        BadgeTemplate.objects.update(reissue="allowed", name_policy="profile")
        put(credly, id=EXPLORER, name="Renamed at Credly")
        sync()
        row = BadgeTemplate.objects.get()
        assert (row.name, row.is_active, row.reissue, row.name_policy) == (
            "Renamed at Credly",
            True,
            "allowed",
            "profile",
        )

    def test_an_import_leaves_what_credly_decides(self, service: Service) -> None:
        """Else the two would overwrite one another for ever."""
        service.load(explorer(name="As in the file", reissue="allowed"))
        row = BadgeTemplate.objects.get()
        assert (row.name, row.reissue) == ("Data Explorer", "allowed")
        assert "0 created, 0 changed, 1 unchanged" in sync()
        output = io.StringIO()
        call_command("badges_import", str(service.folder / "import.json"), stdout=output)
        assert "0 updated" in output.getvalue()

    def test_what_is_saved_at_the_same_moment_stays(self) -> None:
        stale = BadgeTemplate.objects.get()
        BadgeTemplate.objects.update(reissue="allowed", name="Edited")
        templates.archive(stale, why="It vanished.")
        row = BadgeTemplate.objects.get()
        assert (row.reissue, row.name, row.provider_state) == ("allowed", "Edited", "archived")

    def test_nothing_activates_it_again_but_a_person(self, credly: Running) -> None:
        put(credly, id=EXPLORER, state="archived")
        sync()
        put(credly, id=EXPLORER, state="active")
        sync()
        row = BadgeTemplate.objects.get()
        assert (row.provider_state, row.is_active) == ("active", False)


class _Pictures(BaseHTTPRequestHandler):
    answers: ClassVar[dict[str, tuple[int, dict[str, str], bytes]]] = {}
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        status, headers, body = self.answers.get(self.path, (404, {}, b""))
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.mark.usefixtures("acme")
class TestPictures:
    @pytest.fixture
    def pictures(self) -> Iterator[str]:
        """A server beside the sandbox; the address of the API is not touched."""
        with ThreadingHTTPServer(("127.0.0.1", 0), _Pictures) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            _Pictures.answers.clear()
            _Pictures.asked.clear()
            yield f"http://127.0.0.1:{server.server_address[1]}"
            server.shutdown()
            thread.join()

    def fetched(self, url: str, pictures: str) -> BadgeTemplate:
        """As if Credly's API stood where the pictures do."""
        row = BadgeTemplate.objects.create(name="Pictured", image_url=url)
        with override_settings(CREDLY_API_BASE_URL=pictures):
            templates.fetch_picture(row)
        row.refresh_from_db()
        return row

    def test_a_picture_is_kept_and_fetched_once(self, pictures: str) -> None:
        _Pictures.answers["/a.png"] = (200, {"Content-Type": "text/html"}, PNG)
        row = self.fetched(f"{pictures}/a.png", pictures)
        assert row.image.name == f"badges/{row.uuid}.png"
        assert default_storage.open(row.image.name).read() == PNG
        assert not list(templates.without_picture(BadgeTemplate.objects.all()))

    def test_another_picture_replaces_it(self, pictures: str) -> None:
        _Pictures.answers["/a.png"] = (200, {}, PNG)
        _Pictures.answers["/b.gif"] = (200, {}, b"GIF89a other")
        row = self.fetched(f"{pictures}/a.png", pictures)
        former = str(row.image.name)
        BadgeTemplate.objects.filter(pk=row.pk).delete()
        row.image_url = f"{pictures}/b.gif"
        row.save()
        (waiting,) = templates.without_picture(BadgeTemplate.objects.all())
        with override_settings(CREDLY_API_BASE_URL=pictures):
            assert templates.fetch_picture(waiting)
        assert not default_storage.exists(former)

    def test_the_picture_of_a_template_that_was_deleted_meanwhile_is_not_kept(
        self, pictures: str
    ) -> None:
        _Pictures.answers["/a.png"] = (200, {}, PNG)
        row = BadgeTemplate.objects.create(name="Pictured", image_url=f"{pictures}/a.png")
        BadgeTemplate.objects.all().delete()
        with override_settings(CREDLY_API_BASE_URL=pictures):
            templates.fetch_picture(row)
        assert not default_storage.exists(f"badges/{row.uuid}.png")

    @pytest.mark.parametrize(
        ("status", "headers", "body"),
        [
            (200, {}, b"<svg onload='alert(1)'></svg>"),
            (200, {}, b""),
            (200, {}, PNG + b"x" * 5 * 1024 * 1024),
            (404, {}, PNG),
            (500, {}, b"<html>"),
            (200, {"Content-Length": "999"}, PNG),
            (302, {"Location": "/a.png"}, b""),
            (302, {"Location": "http://127.0.0.1:1/b.png"}, b""),
            (302, {"Location": "https://169.254.169.254/latest/meta-data/"}, b""),
            (302, {"Location": "file:///etc/passwd"}, b""),
            (302, {"Location": "//[::1"}, b""),
            (302, {}, b""),
        ],
    )
    def test_what_is_no_sound_picture_is_left_out(
        self, pictures: str, status: int, headers: dict[str, str], body: bytes
    ) -> None:
        _Pictures.answers["/a.png"] = (status, headers, body)
        assert not self.fetched(f"{pictures}/a.png", pictures).image

    def test_a_redirect_is_followed(self, pictures: str) -> None:
        _Pictures.answers["/a.png"] = (302, {"Location": "/there/b.png"}, b"")
        _Pictures.answers["/there/b.png"] = (200, {}, PNG)
        assert self.fetched(f"{pictures}/a.png", pictures).image

    def test_a_synchronisation_fetches_from_the_inside_of_nobody(
        self, credly: Running, pictures: str
    ) -> None:
        """The address of a template is not asked when it leads to a machine of our network."""
        _Pictures.answers["/a.png"] = (200, {}, PNG)
        put(credly, image_url=f"{pictures}/a.png")
        assert "2 created, 0 changed, 0 unchanged, 0 archived, 1 pictures refused" in (sync())
        assert not _Pictures.asked
