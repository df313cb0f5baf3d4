from django.apps import AppConfig


class VerifiedNamesConfig(AppConfig):
    name = "verified_names"
    verbose_name = "Verified names"
