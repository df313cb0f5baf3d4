"""STORAGE_URL names a bucket: the same certificates, on a local server that speaks S3."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.config import Config
from django.core.files.storage import default_storage
from django.test import Client
from moto.server import ThreadedMotoServer
from pytest_django import Settings

from certificates.delivery import files
from certificates.issuing import begin
from credentials.models import Issuance
from credentials.storage import storage_of
from tests.functional.certificates.conftest import certificate, public_file
from tests.functional.conftest import Service
from tests.functional.stories import passes
from tests.processes import HOST, free_port

BUCKET = "laurel-certificates"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    port = free_port()
    server = ThreadedMotoServer(ip_address=HOST, port=port, verbose=False)
    server.start()
    yield f"http://{HOST}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def bucket(endpoint: str, settings: Settings) -> Iterator[None]:
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="ann",
        aws_secret_access_key="se/cret",
    )
    client.create_bucket(Bucket=BUCKET)
    url = f"s3://ann:se%2Fcret@{BUCKET}/laurel?region=us-east-1&endpoint={endpoint}"
    settings.STORAGES = {**settings.STORAGES, "default": storage_of(url)}
    yield
    for each in client.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        client.delete_object(Bucket=BUCKET, Key=each["Key"])
    client.delete_bucket(Bucket=BUCKET)


def test_issued_and_withdrawn(earned: Service, client: Client) -> None:
    earned.issue()
    key = certificate().verify_uuid
    assert Issuance.objects.get().state == "available"
    assert (public_file(client) or b"").startswith(b"%PDF-")
    assert default_storage.exists(f"certificates/public/{key}.pdf")

    earned.publish([passes("ann", 1, minute=5, passing=False)])
    earned.consume()
    earned.issue()

    assert public_file(client) is None
    assert not default_storage.exists(f"certificates/public/{key}.pdf")
    assert default_storage.exists(f"certificates/archive/{key}.pdf")


def test_nobody_reads_the_bucket_without_a_signature(earned: Service, endpoint: str) -> None:
    """What is written says nothing of being public: that is for the bucket's owner to grant."""
    earned.issue()
    resource = default_storage.bucket.Object(  # type: ignore[attr-defined]
        f"laurel/certificates/public/{certificate().verify_uuid}.pdf"
    )
    grants = resource.Acl().grants
    assert not [each for each in grants if each["Grantee"].get("URI", "").endswith("AllUsers")]


def test_a_half_written_file_is_written_over(earned: Service, client: Client) -> None:
    row = begin(Issuance.objects.get())
    files.publish(row.verify_uuid, data=b"%PDF-1.4 half")
    earned.issue()
    assert (public_file(client) or b"").endswith(b"%%EOF\n")


def test_a_storage_that_is_down_is_tried_again(
    earned: Service, client: Client, settings: Settings
) -> None:
    good = settings.STORAGES
    url = f"s3://ann:secret@{BUCKET}?endpoint=http://{HOST}:{free_port()}"
    down = storage_of(url)
    down["OPTIONS"]["client_config"] = Config(
        connect_timeout=1, retries={"max_attempts": 0}, s3={"addressing_style": "path"}
    )
    del down["OPTIONS"]["addressing_style"]
    settings.STORAGES = {**good, "default": down}
    earned.issue()
    issuance = Issuance.objects.get()
    assert issuance.state == "error"
    assert issuance.last_error.startswith("The certificate could not be stored: ")
    assert "secret" not in issuance.last_error

    settings.STORAGES = good
    Issuance.objects.update(next_attempt_at=issuance.created)
    earned.issue()
    assert Issuance.objects.get().state == "available"
