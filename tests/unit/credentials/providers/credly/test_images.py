"""Which addresses of pictures are fetched at all, and what counts as a picture."""

import pytest

from credentials.providers.credly.images import ImageRefusedError, _checked, _extension

API = "https://api.credly.com/v1/"
LOCAL = "http://127.0.0.1:8090/v1/"


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/a.png",
        "https://10.0.0.1/a.png",
        "https://192.168.1.1/a.png",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/a.png",
        "https://0.0.0.0/a.png",
        "https://224.0.0.1/a.png",
        "https://[::1]/a.png",
        "https://[fe80::1]/a.png",
        "https://[fd00::1]/a.png",
        "https://[::ffff:127.0.0.1]/a.png",
        "https://[2002:7f00:1::]/a.png",
        "https://[64:ff9b::7f00:1]/a.png",
        "https://2130706433/a.png",
        "https://127.1/a.png",
    ],
)
def test_an_address_of_the_inside_is_refused(url: str) -> None:
    with pytest.raises(ImageRefusedError, match=r"not a public one|not known"):
        _checked(url, api_url=API)


@pytest.mark.parametrize(
    "url",
    [
        "http://93.184.216.34/a.png",
        "ftp://93.184.216.34/a.png",
        "file:///etc/passwd",
        "//93.184.216.34/a.png",
        "a.png",
        "",
        "https://",
        "https://user@93.184.216.34/a.png",
        "https://[::1/a.png",
        "https://93.184.216.34:99999/a.png",
        "https://" + "a" * 300 + "/",
        "https://\ud800/",
    ],
)
def test_what_is_no_https_address_is_refused(url: str) -> None:
    with pytest.raises(ImageRefusedError):
        _checked(url, api_url=API)


def test_a_public_address_is_connected_to_as_checked() -> None:
    target = _checked("https://93.184.216.34/a.png?x=1", api_url=API)
    assert (target.address, target.port) == ("93.184.216.34", 443)


def test_the_configured_api_itself_is_trusted_and_nothing_beside_it() -> None:
    assert _checked("http://127.0.0.1:8090/a.png", api_url=LOCAL).port == 8090
    for url in ("http://127.0.0.1:6379/", "https://127.0.0.1:8090/", "http://127.0.0.1/"):
        with pytest.raises(ImageRefusedError):
            _checked(url, api_url=LOCAL)


@pytest.mark.parametrize(
    ("content", "extension"),
    [
        (b"\x89PNG\r\n\x1a\nrest", "png"),
        (b"\xff\xd8\xff\xe0rest", "jpg"),
        (b"GIF89arest", "gif"),
        (b"RIFF\x00\x00\x00\x00WEBPrest", "webp"),
    ],
)
def test_a_picture_is_known_by_its_first_bytes(content: bytes, extension: str) -> None:
    assert _extension(content) == extension


@pytest.mark.parametrize("content", [b"", b"<svg></svg>", b"<html>", b"RIFF\x00\x00\x00\x00WAVE"])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(ImageRefusedError, match="no PNG"):
        _extension(content)
