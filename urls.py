"""Addresses of the service."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from consumer.views import healthz, metrics, readyz
from credentials.views import credly_webhook

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("badges/credly/webhook/<str:secret>/", credly_webhook, name="credly-webhook"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
