"""The requirements of a template, as its page is being posted, else as they are stored: what other
forms of the same page speak of may be as new as they are.
"""

from collections.abc import Mapping
from typing import Any, Final

import attrs
from django.forms.formsets import DEFAULT_MAX_NUM

from badges.models import BadgeRequirement

REQUIREMENTS: Final = "requirements"  # prefix of the requirements on the template's page


@attrs.frozen
class Sibling:
    """`group` is empty for a requirement that stands alone."""

    key: str
    description: str = ""
    group: str = ""

    @property
    def label(self) -> str:
        return f"{self.description} ({self.key})" if self.description else self.key


def siblings(template: Any, posted: Mapping[str, Any] | None) -> list[Sibling]:
    """Those that stay, in the order of the page. One query, none for a new template."""
    stored: dict[str, Sibling] = {}
    if template.pk is not None:
        rows = BadgeRequirement.objects.filter(template_id=template.pk).order_by("pk")
        stored = {str(row.pk): Sibling(row.key, row.description, row.group) for row in rows}
    total = posted.get(f"{REQUIREMENTS}-TOTAL_FORMS", "") if posted else ""
    if not posted or not total.isdecimal():
        return list(stored.values())
    found: dict[str, Sibling] = {}
    for number in range(min(int(total), DEFAULT_MAX_NUM)):
        row = f"{REQUIREMENTS}-{number}"
        if posted.get(f"{row}-DELETE"):
            continue
        known = stored.get(posted.get(f"{row}-id", ""), Sibling(""))
        key = known.key or posted.get(f"{row}-key", "").strip()
        found[key] = Sibling(
            key=key,
            description=posted.get(f"{row}-description", known.description).strip(),
            group=posted.get(f"{row}-group", known.group).strip(),
        )
    found.pop("", None)
    return list(found.values())
