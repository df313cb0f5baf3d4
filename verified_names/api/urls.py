from django.urls import path

from verified_names.api import views

urlpatterns = [
    path("", views.NamesView.as_view(), name="names"),
    path("<int:name_id>/", views.NameView.as_view(), name="name"),
    path("history/", views.HistoryView.as_view(), name="name-history"),
    path("config/", views.ChoiceView.as_view(), name="name-config"),
]
