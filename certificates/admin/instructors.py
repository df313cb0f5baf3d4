"""Who looks after the schedules of which course."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from certificates import contexts
from certificates.models import CourseInstructor
from credentials.admin.base import LaurelAdmin


class InstructorForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        model = CourseInstructor
        fields = ("user", "course_key")
        help_texts = {"user": "Members of the staff: they can sign in here."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "user" in self.fields:
            self.fields["user"].queryset = User.objects.filter(is_staff=True)  # type: ignore[attr-defined]

    def clean_course_key(self) -> str:
        """In canonical form; of a lesson its course."""
        try:
            return contexts.parse(self.cleaned_data["course_key"]).home
        except contexts.ContextRefusedError as error:
            raise ValidationError(str(error)) from error


@admin.register(CourseInstructor)
class CourseInstructorAdmin(LaurelAdmin):
    form = InstructorForm
    list_display = ("user", "course_key")
    list_select_related = ("user",)
    search_fields = ("user__username", "course_key")
