from django import forms
from django.conf import settings

if not settings.configured:
    settings.configure(USE_I18N=False)


class Address(forms.Form):
    name = forms.CharField(max_length=3)
    note = forms.CharField(required=False)

    def clean_name(self):
        return self.cleaned_data["name"]


class Order(Address):
    amount = forms.IntegerField(required=False)
