"""Where its pages are."""

from books import views
from django.contrib import admin
from django.urls import path
from drf_spectacular.views import SpectacularAPIView
from rest_framework_simplejwt.views import TokenObtainPairView

urlpatterns = [
    path("admin/", admin.site.urls),
    path("schema/", SpectacularAPIView.as_view()),
    path("token/", TokenObtainPairView.as_view()),
    path("health", views.health),
    path("books/", views.Books.as_view({"get": "list"})),
]
