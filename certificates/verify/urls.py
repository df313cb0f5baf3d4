from django.urls import path

from certificates.verify import views

urlpatterns = [
    path("verify/<str:key>.json", views.verify_json, name="certificate-verify-json"),
    path("verify/<str:key>/", views.verify, name="certificate-verify"),
    path("certificates/<str:key>.pdf", views.file, name="certificate-file"),
]
