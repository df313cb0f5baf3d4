from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from credentials.storage import storage_of


def test_a_folder() -> None:
    found = storage_of("file:///var/lib/laurel%20files")
    assert found["BACKEND"] == "django.core.files.storage.FileSystemStorage"
    assert found["OPTIONS"] == {"location": "/var/lib/laurel files"}


@pytest.mark.parametrize(
    ("url", "more"),
    [
        ("s3://Bucket.x", {"bucket_name": "Bucket.x", "location": ""}),
        ("s3://b/a/b/", {"bucket_name": "b", "location": "a/b"}),
        ("s3://b?region=eu-west-1", {"bucket_name": "b", "region_name": "eu-west-1"}),
        ("s3://K:s%2Fc@b", {"bucket_name": "b", "access_key": "K", "secret_key": "s/c"}),
        (
            "s3://b?endpoint=http://127.0.0.1:9000",
            {"endpoint_url": "http://127.0.0.1:9000", "addressing_style": "path"},
        ),
    ],
)
def test_a_bucket_is_private_and_written_over(url: str, more: dict[str, Any]) -> None:
    found = storage_of(url)
    assert found["BACKEND"] == "storages.backends.s3.S3Storage"
    options = found["OPTIONS"]
    assert options.items() >= {"default_acl": None, "file_overwrite": True, **more}.items()
    assert ("access_key" in options) is ("access_key" in more)


@pytest.mark.parametrize(
    "url", ["", "/var/files", "file://files", "file://host/files", "s3://", "s3://b?acl=public"]
)
def test_what_is_not_understood(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="STORAGE_URL"):
        storage_of(url)
