"""The storage that a URL names, as Django's setting STORAGES wants it.

    file:///var/lib/laurel
    s3://bucket/prefix?region=eu-west-1
    s3://KEY:SECRET@bucket?endpoint=http://127.0.0.1:9000

Without key and secret, S3 takes them from where AWS programs look for them.
"""

from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_OPTIONS: Final = {"region": "region_name", "endpoint": "endpoint_url"}


def storage_of(url: str) -> dict[str, Any]:
    """Raises ImproperlyConfigured."""
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        options: dict[str, Any] = {"location": unquote(parts.path)}
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    if parts.scheme == "s3" and parts.hostname:
        return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": _s3_options(parts)}
    raise ImproperlyConfigured(
        "STORAGE_URL must look like file:///a/folder or s3://bucket/prefix?region=eu-west-1"
    )


def _s3_options(parts: SplitResult) -> dict[str, Any]:
    """Private and written over: who may see a file is for our views to say."""
    options: dict[str, Any] = {
        # Not `hostname`, which makes small letters of it.
        "bucket_name": parts.netloc.rpartition("@")[2],
        "location": unquote(parts.path).strip("/"),
        "default_acl": None,
        "file_overwrite": True,
    }
    if parts.username and parts.password:
        options["access_key"] = unquote(parts.username)
        options["secret_key"] = unquote(parts.password)
    for name, value in parse_qsl(parts.query):
        if name not in _OPTIONS:
            raise ImproperlyConfigured(
                f"STORAGE_URL: {name} is not known, known: {', '.join(sorted(_OPTIONS))}"
            )
        options[_OPTIONS[name]] = value
    if "endpoint_url" in options:
        options["addressing_style"] = "path"
    return options
