"""Somebody else's app: posts awarded badges to an address, signed. Nothing of Laurel knows it."""

from django.apps import AppConfig


class NotifierConfig(AppConfig):
    name = "tests.notifier"
    label = "notifier"
    verbose_name = "Notifier"
