from django.http import HttpResponse
from django.urls import path, register_converter


class Code:
    regex = "[a-z]{1,5}"

    def to_python(self, value):
        return value

    to_url = to_python


register_converter(Code, "code")


def show(request, code):
    return HttpResponse(code)


def health(request):
    return HttpResponse("ok")


urlpatterns = [path("<code:code>/", show)]
