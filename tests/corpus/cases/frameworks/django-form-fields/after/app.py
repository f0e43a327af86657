from django import forms
from django.conf import settings

if not settings.configured:
    settings.configure(USE_I18N=False)


class Address(forms.Form):
    age = forms.IntegerField(required=False)
    name = forms.CharField(max_length=30)

    def clean_name(self):
        return self.cleaned_data["name"] + "!"


class Order(Address):
    amount = forms.IntegerField(required=False)
