from django.urls import path

from tests.notifier.views import notification

urlpatterns = [path("<uuid:credential_uuid>/", notification, name="notification")]
