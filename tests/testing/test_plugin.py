"""The pytest plugin, in small host projects with a pytest of their own."""

import os

import pytest
from tests.conftest import SECRET
from tests.testing.projects import CONFTEST, run

pytest_plugins = ["pytester"]


def left_behind(project: pytest.Pytester) -> set[str]:
    return {path.name for path in project.path.iterdir() if path.suffix in {".db", ".secret"}}


def test_users_pass_the_real_guards_with_what_they_were_given(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import os, sqlite3
        from shop import auth

        def test_scopes_decide(as_user, anonymous):
            assert as_user(scopes=["orders:read"]).get("/orders").status_code == 200
            assert as_user().get("/orders").status_code == 403
            assert anonymous.get("/orders").status_code == 401

        def test_several_users_on_one_started_app(as_user):
            alice, bob = as_user(email="alice@example.com", profile={"team": "red"}), as_user()
            assert alice.get("/mine").json()["email"] == "alice@example.com"
            assert alice.get("/mine").json()["team"] == "red"
            assert bob.get("/mine").json() == {"id": str(bob.user.id), "email": bob.user.email, "team": ""}

        def test_an_address_that_exists_is_the_same_user(as_user):
            first = as_user(email="carol@example.com", profile={"team": "red"})
            again = as_user(email="CAROL@example.com", profile={"team": "blue"})
            assert again.user.id == first.user.id
            assert first.get("/mine").json()["team"] == "blue"

        def test_websockets_too(as_user):
            with as_user(email="dave@example.com") as dave, dave.websocket_connect("/live") as socket:
                assert socket.receive_text() == "dave@example.com"

        def test_a_disabled_user_is_refused(as_user, anonymous):
            erin = as_user(scopes=["orders:read"])
            erin.portal.call(auth.users.disable, erin.user.id)
            assert erin.get("/mine").status_code == 401

        def test_a_reserved_scope_can_be_had(as_user):
            assert as_user(scopes=["admin"]).get("/mine").status_code == 200

        def test_a_sign_up_and_login_in_a_test_work_and_cost_little(anonymous):
            account = {"email": "frank@example.com", "password": "correct horse battery staple"}
            assert anonymous.post("/auth/users", json=account).status_code == 201
            form = {"grant_type": "password", "username": account["email"], "password": account["password"]}
            assert anonymous.post("/auth/token", data=form).status_code == 200
            with sqlite3.connect(os.environ["WATCHWORD_DATABASE_URL"].partition(":///")[2]) as database:
                ((scheme,),) = database.execute("SELECT DISTINCT password_scheme FROM watchword_user "
                                                "WHERE password_scheme IS NOT NULL")
            database.close()
            assert scheme.endswith("m=7168,t=1,p=1")
    """)
    result = run(project)
    result.assert_outcomes(passed=7)


def test_a_scope_that_the_app_does_not_declare_is_named(project: pytest.Pytester) -> None:
    project.makepyfile("""
        def test_typo(as_user):
            as_user(scopes=["orders:raed"])

        def test_text(as_user):
            as_user(scopes="orders:read")
    """)
    result = run(project)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "*ValueError: 'orders:raed' is not a scope of this app, which declares: orders:read",
            "*TypeError: scopes is a list: as_user(scopes=?'orders:read'?)",
        ]
    )
    assert "clients.py" not in result.stdout.str(), "the traceback ends in the test"


def test_a_developers_database_is_never_touched(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    developers = project.path / "developers.db"
    (project.path / ".env").write_text(f"WATCHWORD_DATABASE_URL=sqlite+aiosqlite:///{developers}")
    monkeypatch.setenv("watchword_database_url", f"sqlite+aiosqlite:///{developers}")
    project.makepyfile("""
        def test_it(as_user):
            assert as_user().get("/mine").status_code == 200
    """)
    result = run(project)
    result.assert_outcomes(passed=1)
    assert left_behind(project) == set()


def test_a_database_for_tests_can_be_named_and_stays(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHWORD_TEST_DATABASE_URL", f"sqlite+aiosqlite:///{project.path / 'tests.db'}")
    project.makepyfile("""
        def test_it(as_user):
            assert as_user(email="alice@example.com").get("/mine").status_code == 200
    """)
    for _ in range(2):  # its keys, sealed by the first run, are good for the second
        run(project).assert_outcomes(passed=1)
    assert left_behind(project) == {"tests.db"}


def test_parallel_workers_have_a_database_each(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import os

        def test_it(as_user, worker_id):
            assert worker_id == "gw0"
            assert as_user().get("/mine").status_code == 200
    """)
    result = run(project, "-p", "xdist", "-n", "1")
    result.assert_outcomes(passed=1)
    assert left_behind(project) == set()


def test_production_is_refused(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHWORD_ENVIRONMENT", "production")
    project.makepyfile("def test_it(as_user): ...")
    result = run(project)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*WATCHWORD_ENVIRONMENT is production: tests make users, so they do not run there"])


def test_production_settings_in_the_code_are_refused(project: pytest.Pytester, sqlite_url: str) -> None:
    settings = f'environment="production", issuer="https://login.example.com", secret="{SECRET}"'
    project.makepyfile(
        shop=f"""
        from fastapi import FastAPI
        from watchword import Settings, Watchword
        app = FastAPI(openapi_url=None)
        Watchword(Settings({settings}, database_url="{sqlite_url}")).install(app)
        """,
        test_shop="def test_it(as_user): as_user()",
    )
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["this Watchword has production settings: *"])


def test_an_app_that_cannot_start_says_why_in_one_line(project: pytest.Pytester) -> None:
    project.makepyfile(test_shop="def test_it(as_user): ...")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WATCHWORD_TEST_DATABASE_URL", "sqlite+aiosqlite:////nowhere/at/all/tests.db")
        result = run(project)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["watchword: the database does not answer *"])
    result.stdout.no_fnmatch_line("Traceback*")


def test_an_app_without_watchword_is_told_to_install_it(project: pytest.Pytester) -> None:
    project.makepyfile(shop="from fastapi import FastAPI; app = FastAPI()", test_shop="def test_it(as_user): as_user()")
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["the app of watchword_app runs no Watchword: Watchword().install(app)"])


def test_a_project_without_the_fixture_is_told_to_define_it(project: pytest.Pytester) -> None:
    project.makeconftest("")
    project.makepyfile("def test_it(as_user): ...")
    result = run(project)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["define a fixture watchword_app in conftest.py that returns your FastAPI app"])


def test_a_fixture_that_the_plugin_could_not_see_in_time_is_refused(project: pytest.Pytester) -> None:
    project.makeconftest("")
    project.makepyfile("""
        import pytest

        @pytest.fixture
        def watchword_app():
            import shop
            return shop.app

        def test_it(as_user): ...
    """)
    result = run(project)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["the fixture watchword_app must stand in a conftest.py *"])
    assert left_behind(project) == set()


@pytest.mark.parametrize("where", [".", "tests", "tests/deep/test_it.py::test_it"])
def test_a_conftest_above_or_below_what_is_run_is_found(project: pytest.Pytester, where: str) -> None:
    deep = project.mkpydir("tests") / "deep"
    deep.mkdir()
    (deep / "test_it.py").write_text("def test_it(as_user): assert as_user().get('/mine').status_code == 200")
    if where == ".":  # below; else it stays at the root, above
        (project.path / "conftest.py").rename(deep / "conftest.py")
        project.makepyfile(**{"tests/__init__": ""})
    result = run(project, "--rootdir", project.path, "-o", "pythonpath=.", where)
    result.assert_outcomes(passed=1)


def test_a_project_that_does_not_use_it_is_left_alone(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("")
    pytester.makepyfile("""
        import os, sys

        def test_it():
            assert not [name for name in os.environ if name.startswith("WATCHWORD_")]
            heavy = {"fastapi", "starlette", "sqlalchemy", "pydantic", "watchword.app", "watchword.settings"}
            assert not heavy & sys.modules.keys()
    """)
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=1)


def test_without_httpx2_it_says_what_to_install(project: pytest.Pytester) -> None:
    project.makeconftest(
        CONFTEST
        + """
import sys
sys.modules["httpx2"] = sys.modules["httpx"] = None  # as if neither were installed
"""
    )
    project.makepyfile("def test_it(as_user): ...")
    result = run(project)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["as_user, anonymous and route_case need the package httpx2: pip install httpx2"])


def test_the_environment_is_put_back(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHWORD_DATABASE_URL", "sqlite+aiosqlite:///developers.db")
    before = dict(os.environ)
    project.makepyfile("""
        import os

        def test_it():
            assert "watchword-tests-" in os.environ["WATCHWORD_DATABASE_URL"]
    """)
    project.inline_run("-p", "no:cacheprovider").assertoutcome(passed=1)
    assert {name: value for name, value in os.environ.items() if name.startswith("WATCHWORD_")} == {
        name: value for name, value in before.items() if name.startswith("WATCHWORD_")
    }
