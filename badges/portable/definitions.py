"""What a file says, as frozen values; what is wrong with it, as a list of faults."""

from typing import Final
from uuid import UUID

import attrs

VERSION: Final = 1
CREDLY: Final = "credly"  # the only provider with organizations


@attrs.frozen
class RuleDef:
    path: str
    operator: str
    value: str = ""


@attrs.frozen
class RequirementDef:
    """`within` is an ISO 8601 duration; `after` are ids of the same template, sorted."""

    id: str
    event_type: str
    group: str = ""
    description: str = ""
    count: int = 1
    distinct_by: str = ""
    within: str = ""
    after: tuple[str, ...] = ()
    rules: tuple[RuleDef, ...] = ()


@attrs.frozen
class PenaltyDef:
    """`resets` are ids of requirements of the same template, sorted."""

    id: str
    event_type: str
    resets: tuple[str, ...]
    description: str = ""
    rules: tuple[RuleDef, ...] = ()


@attrs.frozen
class OrganizationDef:
    """`uuid` is Credly's id. `api_key_env` names a variable; a key itself is never in a file."""

    uuid: UUID
    provider: str
    name: str
    api_key_env: str = ""


@attrs.frozen
class TemplateDef:
    """Requirements and penalties stand in the order of their ids: the order in which somebody
    wrote them means nothing. `groups`: label and how many of it, by label; those that demand one
    are left out, because every group does.
    """

    uuid: UUID
    name: str
    description: str
    organization: UUID | None
    providers: tuple[str, ...]
    is_active: bool
    reissue: str
    name_policy: str
    requirements: tuple[RequirementDef, ...]
    penalties: tuple[PenaltyDef, ...]
    groups: tuple[tuple[str, int], ...] = ()


@attrs.frozen
class Document:
    organizations: tuple[OrganizationDef, ...]
    templates: tuple[TemplateDef, ...]


@attrs.frozen
class Fault:
    """One thing that is wrong. `path` is like `templates[0].requirements[1].id`; empty for a fault
    of the file as a whole.
    """

    line: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"line {self.line}: {self.path}" if self.path else f"line {self.line}"
        return f"{place}: {self.message}"


@attrs.frozen
class Faults:
    """Everything that is wrong with a file, by line; never empty."""

    faults: tuple[Fault, ...]
