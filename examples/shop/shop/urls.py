"""Four paths: health, a note, all notes, an upload."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from shop import settings
from shop.notes.models import Note
from shop.tasks import count


def health(_: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


@csrf_exempt
def notes(request: HttpRequest) -> JsonResponse:
    """A POST keeps a note, and the worker counts its words; a GET lists them."""
    if request.method == "POST":
        count.delay(Note.objects.create(text=request.body.decode()).pk)
    return JsonResponse({note.text: note.words for note in Note.objects.all()})


@csrf_exempt
def upload(request: HttpRequest, name: str) -> HttpResponse:
    """A PUT keeps a file, and a GET gives it back, from whichever release."""
    place = settings.MEDIA_ROOT / name
    if request.method == "PUT":
        place.write_bytes(request.body)
    return HttpResponse(place.read_bytes())


urlpatterns = [path("health", health), path("notes", notes), path("media/<slug:name>", upload)]
