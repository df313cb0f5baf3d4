"""Trying an organization's key at Credly before it is stored, and what to say when it fails."""

from typing import Final

import attrs

from credentials.models import CredlyOrganization
from credentials.providers.credly import account
from credly_client import errors

_ANYWAY: Final = "Try again later, or tick “Save without checking”."


@attrs.frozen
class Trial:
    """What came of it: the organization's name at Credly, or a fault in words."""

    name: str = ""
    fault: str = ""


def try_key(organization: CredlyOrganization, *, key: str) -> Trial:
    """One call to Credly: must not be made inside a transaction. `key` empty: the stored key, or
    that of the named variable.
    """
    try:
        with account.client(organization, key=key or None) as client:
            found = client.get_organization()
    except errors.CredlyError as error:
        return Trial(fault=_words(error))
    except ValueError as error:  # no key, or one that cannot be decrypted or sent
        return Trial(fault=str(error))
    if found.id != organization.uuid:
        return Trial(
            fault=f"This key belongs to another organization: {found.name} ({found.id}). "
            "Enter that id above, or the key of this organization."
        )
    return Trial(name=found.name)


def _words(error: errors.CredlyError) -> str:
    if isinstance(error, errors.Unauthorized):
        return "Credly refuses this key (401). Copy it again from your organization at Credly."
    if isinstance(error, errors.Forbidden):
        return (
            "Credly knows this key, but it may not read this organization (403). "
            "Compare the id above with the one at Credly."
        )
    if isinstance(error, errors.NotFound):
        return (
            "Credly knows no organization with this id (404). "
            "Compare the id above with the one at Credly."
        )
    if isinstance(error, errors.Unreachable):
        return f"Credly cannot be reached from here. {_ANYWAY} ({error})"
    if isinstance(error, errors.RateLimited | errors.ServerError | errors.MalformedAnswer):
        return f"Credly could not answer. {_ANYWAY} ({error})"
    return f"Credly did not accept the key. ({error})"
