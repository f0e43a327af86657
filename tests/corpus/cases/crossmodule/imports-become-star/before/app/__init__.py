from app.api import get
