"""django-oauth-toolkit as its documentation shows it: the password grant of a public client, SQLite."""

import os

import django
from django.conf import settings
from django.urls import include, path

settings.configure(
    SECRET_KEY="09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e8",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["BENCH_DATABASE"],
            # Without these, eight clients at once get "database is locked".
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": "PRAGMA journal_mode=WAL;"},
        }
    },
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    ROOT_URLCONF="bench.peers.oauth_toolkit",
    USE_TZ=True,
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402 — only once Django is set up
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from oauth2_provider.models import Application  # noqa: E402

urlpatterns = [path("o/", include("oauth2_provider.urls", namespace="oauth2_provider"))]

call_command("migrate", verbosity=0)
if not User.objects.exists():
    User.objects.create_user("known@example.com", password="correct horse battery staple")
    Application.objects.create(
        client_id="app", client_type=Application.CLIENT_PUBLIC, authorization_grant_type=Application.GRANT_PASSWORD
    )

app = get_wsgi_application()
