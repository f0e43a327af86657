def clean(text):
    return "new"
