"""What a person does with an admin page: open it, change some fields, send it."""

from collections.abc import Mapping
from typing import Any

from django.test import Client

Data = dict[str, Any]

ADD_TEMPLATE = "/admin/credentials/badgetemplate/add/"
PASSING = "org.openedx.learning.course.passing.status.updated.v1"


def filled_in(page: Any) -> Data:
    """Everything that the forms of a page would send as they are."""
    data = _form(page.context["adminform"].form)
    for inline in page.context["inline_admin_formsets"]:
        data |= _formset(inline.formset)
    return data


def _formset(formset: Any) -> Data:
    data = _form(formset.management_form)
    for form in formset.forms:
        data |= _form(form)
        for below in getattr(form, "nested_formsets", ()):
            data |= _formset(below.formset)
    return data


def _form(form: Any) -> Data:
    values = {field.html_name: field.value() for field in form if not field.field.disabled}
    return {
        name: value for name, value in values.items() if value is not None and value is not False
    }


def send(client: Client, url: str, changes: Mapping[str, Any], *, without: str = "") -> Any:
    """Open `url`, change these fields, save. `without`: a field that is not sent at all."""
    data = filled_in(client.get(url)) | dict(changes)
    data.pop(without, None)
    return client.post(url, data)


def rows(prefix: str, *forms: Mapping[str, Any], initial: int = 0) -> Data:
    """The fields of a formset: those of its management and those of each row."""
    data: Data = {f"{prefix}-TOTAL_FORMS": len(forms), f"{prefix}-INITIAL_FORMS": initial}
    for number, form in enumerate(forms):
        data |= {f"{prefix}-{number}-{name}": value for name, value in form.items()}
    return data


def rule(path: str, operator: str, value: str = "") -> Data:
    return {"path": path, "operator": operator, "value": value}


def messages(page: Any) -> str:
    return " ".join(str(message) for message in page.context["messages"])


def all_errors(page: Any) -> dict[str, list[str]]:
    """Every error of the page by the name of its field; those of no field by the formset."""
    found = _errors_of(page.context["adminform"].form)
    for inline in page.context["inline_admin_formsets"]:
        found |= _errors_in(inline.formset)
    return found


def _errors_in(formset: Any) -> dict[str, list[str]]:
    found = {formset.prefix: list(formset.non_form_errors())} if formset.non_form_errors() else {}
    for form in formset.forms:
        found |= _errors_of(form)
        for below in getattr(form, "nested_formsets", ()):
            found |= _errors_in(below.formset)
    return found


def _errors_of(form: Any) -> dict[str, list[str]]:
    return {form.add_prefix(name): list(errors) for name, errors in form.errors.items()}
