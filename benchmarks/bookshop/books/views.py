"""Its pages."""

import jinja2
import markdown
import orjson
import yaml
from cryptography.fernet import Fernet
from dateutil import parser
from django.http import HttpRequest, HttpResponse
from django_filters import rest_framework as filters
from import_export import resources
from PIL import Image
from pydantic import BaseModel
from rest_framework import serializers, viewsets

from books.models import Book
from books.tasks import charge

TOOLS = (jinja2.Template, markdown.markdown, orjson.dumps, yaml.safe_load, Fernet, parser.parse, Image.open, charge)


class Order(BaseModel):
    """What somebody buys."""

    title: str
    copies: int = 1


class BookResource(resources.ModelResource):
    """Books as tables."""

    class Meta:
        """Of books."""

        model = Book


class BookSerializer(serializers.ModelSerializer):
    """Books as JSON."""

    class Meta:
        """What is shown."""

        model = Book
        fields = ("title", "created")


class Books(viewsets.ReadOnlyModelViewSet):
    """All titles."""

    queryset = Book.objects.all()
    serializer_class = BookSerializer
    filter_backends = (filters.DjangoFilterBackend,)


def health(request: HttpRequest) -> HttpResponse:
    """It works."""
    return HttpResponse(f"ok {request.method}")
