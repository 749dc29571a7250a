"""From a name to an app: whatever is wrong is told in one sentence."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from watchword.check.errors import CheckError
from watchword.check.load import load

APP = "from fastapi import FastAPI\napp = FastAPI()\n"
FACTORY = "from fastapi import FastAPI\ndef create_app(): return FastAPI()\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to be in; what is imported from it is forgotten."""
    monkeypatch.chdir(tmp_path)
    before, path = set(sys.modules), list(sys.path)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]
    sys.path[:] = path


def write(name: str, text: str) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def told(name: str, *, is_factory: bool = False) -> str:
    with pytest.raises(CheckError) as caught:
        load(name, is_factory=is_factory)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("files", "name", "variable"),
    [
        (["shop.py"], "shop:app", "app"),
        (["shop.py"], "shop", "app"),
        (["shop.py"], "shop.py", "app"),
        (["shop.py"], "./shop.py:app", "app"),
        (["my-shop.py"], "my-shop.py", "app"),
        (["shop/__init__.py", "shop/api/__init__.py", "shop/api/main.py"], "shop/api/main.py", "app"),
        (["shop/__init__.py", "shop/api/__init__.py", "shop/api/main.py"], "shop.api.main", "app"),
        (["shop/main.py"], "shop", "app"),
        (["src/shop/__init__.py", "src/shop/app.py"], "src/shop", "app"),
    ],
)
def test_an_app_is_found_by_module_path_or_folder(files: list[str], name: str, variable: str) -> None:
    for file in files:
        write(file, "" if file.endswith("__init__.py") else APP)
    target = load(name)
    assert target.variable == variable
    assert target.name.endswith(f":{variable}")


def test_what_wraps_an_app_is_looked_through() -> None:
    write("shop.py", f"{APP}class Wrap:\n    def __init__(self, app): self.app = app\nserved = Wrap(Wrap(app))\n")
    target = load("shop:served")
    assert target.app is target.module.app


def test_the_only_app_is_found_whatever_it_is_called_and_however_often() -> None:
    write("shop.py", "from fastapi import FastAPI\nbackend = FastAPI()\nalso = backend\n")
    assert load("shop").variable == "backend"


@pytest.mark.parametrize("name", ["shop:create_app", "shop", "shop.py"])
def test_a_factory_is_called(name: str) -> None:
    write("shop.py", FACTORY)
    assert load(name, is_factory=True).variable == "create_app()"


@pytest.mark.parametrize(
    ("text", "name", "is_factory", "message"),
    [
        (APP, "nowhere:app", False, "there is no module nowhere: run this where `import nowhere` works"),
        (APP, "shop.nowhere:app", False, "there is no module shop.nowhere: run this where"),
        (APP, "nowhere.py", False, "there is no file nowhere.py"),
        (APP, "not a name:app", False, "'not a name' is neither a module nor a Python file"),
        (APP, ":app", False, ". holds no main.py, app.py or __init__.py: name the file with the app"),
        (APP, "empty", False, "empty holds no main.py, app.py or __init__.py: name the file with the app"),
        (APP, "shop:application", False, "module shop has no application"),
        (APP, "shop:app", True, "shop:app is the app itself: leave out --factory"),
        ("x = 1\n", "shop", False, "shop has no FastAPI app: name the variable that holds it, module:variable"),
        ("x = 1\n", "shop:x", False, "shop:x is no FastAPI app but a int"),
        ("x = 1\n", "shop:x", True, "shop:x is no function but a int"),
        ("x = 1\n", "shop", True, "module shop has no create_app"),
        (FACTORY, "shop", False, "shop has no FastAPI app: try shop:create_app --factory"),
        (FACTORY, "shop:create_app", False, "shop:create_app is a function: add --factory if it returns the app"),
        (
            f"{APP}admin = FastAPI()\ndel app\nb = FastAPI()",
            "shop",
            False,
            "several apps: name one of shop:admin, shop:b",
        ),
        ("def make_app(name): ...", "shop", True, "make_app() needs name: name a function that needs no arguments"),
        ("def make_app(): ...", "shop", True, "shop:make_app() is no FastAPI app but a NoneType"),
        ("async def make_app(): ...", "shop", True, "make_app() is async: name a plain function"),
    ],
)
def test_what_is_named_wrongly_is_told(text: str, name: str, is_factory: bool, message: str) -> None:
    write("shop.py", text)
    Path("empty").mkdir()
    assert message in told(name, is_factory=is_factory)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def broken(:\n", "importing shop failed: SyntaxError: invalid syntax ({folder}/shop.py:1)"),
        (
            "import nowhere_at_all",
            "ModuleNotFoundError: No module named 'nowhere_at_all' ({folder}/shop.py:1) – run this",
        ),
        ("from fastapi import Nothing", "ImportError: cannot import name 'Nothing' from 'fastapi'"),
        (
            "\nraise RuntimeError",
            "importing shop failed: RuntimeError ({folder}/shop.py:2) – set what it needs to start",
        ),
        ("import os\nos.environ['NO_SUCH']", "KeyError: 'NO_SUCH' ({folder}/shop.py:2) – set what it needs to start"),
        ("import sys\nsys.exit('no database')", "SystemExit: no database ({folder}/shop.py:2)"),
        ("import sys\nsys.exit()", "importing shop failed: SystemExit ({folder}/shop.py:2)"),
        ("raise GeneratorExit", "importing shop failed: GeneratorExit"),
        ("raise ValueError('one\\n  two')", "ValueError: one two ("),
        ("raise ValueError('x' * 5000)", f"ValueError: {'x' * 300}… ("),
    ],
)
def test_an_app_that_cannot_be_imported_is_told_in_a_line(folder: Path, text: str, message: str) -> None:
    write("shop.py", text)
    assert message.replace("{folder}", str(folder)) in told("shop:app")


def test_settings_that_are_missing_are_named_and_their_values_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PORT", "hunter2")
    write(
        "shop.py",
        "from pydantic_settings import BaseSettings\n"
        "class Settings(BaseSettings, env_prefix='SHOP_'):\n    secret: str\n    port: int\nSettings()\n",
    )
    message = told("shop:app")
    assert "Settings: secret: Field required; port: Input should be a valid integer" in message
    assert "hunter2" not in message


def test_a_factory_that_fails_is_told_in_a_line(folder: Path) -> None:
    write("shop.py", "def create_app():\n    raise RuntimeError('no key')\n")
    assert told("shop", is_factory=True).startswith(
        f"calling create_app() failed: RuntimeError: no key ({folder}/shop.py:2)"
    )


@pytest.mark.parametrize("line", ["uvicorn.run(app)", "uvicorn.run('shop:app', port=0)", "uvicorn.Server(None).run()"])
def test_an_app_that_serves_when_it_is_imported_is_told_so_and_not_waited_for(line: str) -> None:
    write("shop.py", f"import uvicorn\n{APP}{line.replace('None', 'uvicorn.Config(app)')}\n")
    assert "starts a server when it is imported" in told("shop:app")


def test_an_app_sees_no_arguments_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["watchword", "check", "shop:app", "--probe"])
    write("shop.py", f"{APP}import argparse\nargparse.ArgumentParser().parse_args()\n")
    assert load("shop:app").variable == "app"
    assert sys.argv[1:] == ["check", "shop:app", "--probe"]


def test_a_file_that_another_module_hides_is_told_of() -> None:
    write("token.py", APP)
    assert "token.py is hidden by another module token" in told("token.py")


def test_a_file_imports_from_the_current_folder_too() -> None:
    write("app/main.py", f"from app.names import NAME\n{APP}")
    write("app/names.py", "NAME = 1\n")
    assert load("app/main.py").module.NAME == 1
