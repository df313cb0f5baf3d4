"""A key at Credly dies after 180 days; it is watched, rotated, and encrypted anew."""

import io
from datetime import datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from credentials import tasks
from credentials.checks import keys_last
from credentials.models import CredlyOrganization
from credentials.providers.credly import account, keys, night
from credentials.providers.credly.keys import Rotation
from credly_client.sandbox import Running
from tests.functional.conftest import KEY
from tests.functional.stories import ACME

ROTATE = "POST organizations/<id>/authorization_tokens/rotate"
pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(credly: Running) -> CredlyOrganization:
    row = CredlyOrganization(uuid=ACME, name="Acme")
    account.store_key(row, key=KEY, now=timezone.now())
    return row


def rotate(organization: CredlyOrganization) -> keys.RotationResult:
    return keys.rotate(organization, clock=timezone.now)


def opens(organization: CredlyOrganization) -> bool:
    """Does the stored key open the account?"""
    with account.client(organization) as client:
        return client.get_organization().id == organization.uuid


class TestRotation:
    def test_the_new_key_is_stored_and_works(self, acme: CredlyOrganization) -> None:
        before = timezone.now()
        assert rotate(acme).rotation is Rotation.DONE

        acme.refresh_from_db()
        assert account.api_key(acme) != KEY
        assert opens(acme)
        assert acme.api_key_set_at is not None
        assert acme.api_key_set_at >= before
        assert keys.days_left(acme, now=timezone.now()) == 179
        assert acme.rotation_started_at is None

    def test_what_was_edited_meanwhile_stays(self, acme: CredlyOrganization) -> None:
        CredlyOrganization.objects.update(name="Acme of Today")
        rotate(acme)
        assert CredlyOrganization.objects.get().name == "Acme of Today"

    @pytest.mark.parametrize("fault", ["reset", "malformed", "rotated_token_hidden", "down_after"])
    def test_the_answer_is_lost(
        self, acme: CredlyOrganization, credly: Running, fault: str
    ) -> None:
        """Only Credly knows the new key: the account waits for a person, and says so."""
        credly.sandbox.control("switches", {fault: {"count": 1, "calls": ROTATE}})
        result = rotate(acme)
        assert result.rotation is Rotation.LOST
        acme.refresh_from_db()
        assert "Copy the new key" in acme.paused_reason
        assert account.api_key(acme) == KEY  # what we have is kept
        assert acme.rotation_started_at is not None

        account.store_key(acme, key="copied", now=timezone.now())
        assert not acme.paused_reason
        assert CredlyOrganization.objects.get().rotation_started_at is None

    @pytest.mark.parametrize("fault", ["down", "reset_before", "forbidden", "rate_limited"])
    def test_it_did_not_happen(self, acme: CredlyOrganization, credly: Running, fault: str) -> None:
        credly.sandbox.control("switches", {fault: {"count": 1, "calls": ROTATE}})
        result = rotate(acme)
        assert result.rotation is Rotation.REFUSED
        assert "Nothing was changed" in result.text
        acme.refresh_from_db()
        assert (acme.paused_reason, acme.rotation_started_at) == ("", None)
        assert opens(acme)

    def test_nobody_knows(self, acme: CredlyOrganization, credly: Running) -> None:
        credly.sandbox.control("switches", {"reset_before": 5})
        assert rotate(acme).rotation is Rotation.UNKNOWN
        acme.refresh_from_db()
        assert acme.rotation_started_at is not None  # the page says so
        assert acme.paused_reason == ""

    def test_a_key_that_is_refused_already(self, acme: CredlyOrganization) -> None:
        account.store_key(acme, key="wrong", now=timezone.now())
        assert rotate(acme).rotation is Rotation.REFUSED
        acme.refresh_from_db()
        assert "401" in acme.paused_reason
        assert acme.rotation_started_at is None

    @pytest.mark.usefixtures("acme")
    def test_a_key_of_the_environment_is_not_ours_to_rotate(self, credly: Running) -> None:
        CredlyOrganization.objects.update(api_key_env="ACME_CREDLY_KEY", api_key_encrypted="")
        result = rotate(CredlyOrganization.objects.get())
        assert result.rotation is Rotation.REFUSED
        assert "ACME_CREDLY_KEY" in result.text
        assert ROTATE not in credly.sandbox.control("state", {}, method="GET")["calls"]

    def test_a_key_that_was_entered_meanwhile_is_not_overwritten(
        self, acme: CredlyOrganization, credly: Running
    ) -> None:
        account.store_key(CredlyOrganization.objects.get(), key="newer", now=timezone.now())
        assert rotate(acme).rotation is Rotation.REFUSED
        assert account.api_key(CredlyOrganization.objects.get()) == "newer"
        assert ROTATE not in credly.sandbox.control("state", {}, method="GET")["calls"]


class TestAge:
    def test_the_night_asks_credly(
        self, acme: CredlyOrganization, credly: Running, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The key was 160 days old when it was entered here."""
        end = timezone.now() + timedelta(days=20, hours=1)
        credly.sandbox.control(
            "organizations",
            {"id": ACME, "name": "Acme", "token": KEY, "token_expires_at": end.isoformat()},
        )
        tasks.nightly()
        assert "key ends soon" in caplog.text
        acme.refresh_from_db()
        assert keys.days_left(acme, now=timezone.now()) == 20
        assert sorted(acme.runs.values_list("kind", flat=True)) == ["compare", "sync"]
        (warning,) = keys_last(databases=["default"])
        assert "ends in 20 days" in warning.msg
        assert warning.id == "credentials.W003"

    def test_a_credly_that_does_not_say(self, acme: CredlyOrganization, credly: Running) -> None:
        credly.sandbox.control("switches", {"forbidden": {"calls": "GET organizations/<id>/auth"}})
        keys.ask_expiry(acme)
        acme.refresh_from_db()
        assert acme.paused_reason == ""  # the right to read keys is one of its own
        assert keys.days_left(acme, now=timezone.now()) == 179

    @pytest.mark.parametrize(("days", "warned"), [(148, False), (151, True), (181, True)])
    @pytest.mark.usefixtures("acme")
    def test_thirty_days_ahead(self, days: int, warned: bool) -> None:
        set_at = timezone.now() - timedelta(days=days)
        CredlyOrganization.objects.update(api_key_set_at=set_at)
        assert bool(keys_last(databases=["default"])) is warned

    @pytest.mark.usefixtures("acme")
    def test_an_unknown_age_is_not_guessed(self) -> None:
        CredlyOrganization.objects.update(api_key_env="X", api_key_set_at=None)
        assert not keys_last(databases=["default"])

    def test_a_paused_account_is_left_alone(
        self, acme: CredlyOrganization, credly: Running
    ) -> None:
        account.pause(acme, reason="401")
        night.begin(now=timezone.now())
        assert not acme.runs.exists()
        assert not credly.sandbox.control("state", {}, method="GET")["calls"]


class TestEncryption:
    NEW = Fernet.generate_key().decode()

    def anew(self) -> str:
        output = io.StringIO()
        call_command("rotate_encryption", stdout=output)
        return output.getvalue()

    @pytest.mark.usefixtures("acme")
    def test_a_new_key_in_front_then_alone(self, settings: Settings) -> None:
        settings.LAUREL_ENCRYPTION_KEYS = [self.NEW, *settings.LAUREL_ENCRYPTION_KEYS]
        assert account.api_key(CredlyOrganization.objects.get()) == KEY
        assert "1 keys encrypted anew" in self.anew()
        settings.LAUREL_ENCRYPTION_KEYS = [self.NEW]
        assert account.api_key(CredlyOrganization.objects.get()) == KEY

    def test_a_key_that_fits_none_is_named_and_kept(
        self, acme: CredlyOrganization, settings: Settings
    ) -> None:
        stored = acme.api_key_encrypted
        other = CredlyOrganization(uuid="39a970c9-0000-4000-8000-000000000009", name="Beta")
        settings.LAUREL_ENCRYPTION_KEYS = [self.NEW]
        account.store_key(other, key="of-beta", now=timezone.now())
        with pytest.raises(CommandError, match="Acme: A stored key cannot be decrypted"):
            self.anew()
        acme.refresh_from_db()
        assert acme.api_key_encrypted == stored
        assert account.api_key(CredlyOrganization.objects.get(name="Beta")) == "of-beta"


def test_the_end_is_counted_at_the_latest() -> None:
    set_at = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    row = CredlyOrganization(uuid=ACME, api_key_encrypted="x", api_key_set_at=set_at)
    assert keys.days_left(row, now=set_at) == 180
