"""The picture of a badge template: our own copy, shown to those who may see the template."""

from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from credentials.admin.base import display
from credentials.models import BadgeTemplate

# Copies are only made of these: credentials.providers.credly.images.
_TYPES: Final = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
}
VIEW: Final = "credentials_badgetemplate_picture"


def picture_view(page: Any, request: HttpRequest, object_id: str) -> FileResponse:
    """`page` is the admin of templates. A picture is a new file when it changes."""
    if not page.has_view_permission(request):
        raise PermissionDenied
    template = page.get_object(request, object_id)
    if template is None or not template.image:
        raise Http404
    kind = _TYPES.get(template.image.name.rpartition(".")[2])
    try:
        file = template.image.open()
    except OSError as error:  # somebody emptied the storage
        raise Http404 from error
    answer = FileResponse(file, content_type=kind or "application/octet-stream")
    answer["Cache-Control"] = "private, max-age=300"
    return answer


class ShowsPicture:
    """Mixin for the admin of templates."""

    @display(description="picture")
    def thumbnail(self, obj: BadgeTemplate) -> str | None:
        return _image(obj, pixels=32)

    @display(description="picture")
    def picture(self, obj: BadgeTemplate) -> str | None:
        return _image(obj, pixels=160)


def _image(template: BadgeTemplate, *, pixels: int) -> str | None:
    """None without a copy: the original is at an address that is not ours."""
    name = template.image.name
    if not name:
        return None
    url = reverse(f"admin:{VIEW}", args=[template.pk])
    style = f"width: {pixels}px; height: {pixels}px; object-fit: contain"
    return format_html(
        '<img src="{}?{}" alt="" loading="lazy" style="{}">',
        url,
        name.rpartition("/")[2],
        style,
    )
