"""Addresses of the service."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView

from consumer.views import healthz, metrics, readyz
from credentials.views import credly_webhook

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("badges/credly/webhook/<str:secret>/", credly_webhook, name="credly-webhook"),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/v1/verified_names/", include("verified_names.api.urls")),
    path("", include("certificates.verify.urls")),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    *(path(prefix, include(urlconf)) for prefix, urlconf in settings.EXTRA_URLS.items()),
]
