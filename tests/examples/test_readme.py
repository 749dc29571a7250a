"""The README's lines, run as its reader would run them."""

import re
import shutil
import subprocess
from pathlib import Path

from tests.conftest import missing
from tests.examples.conftest import EXAMPLES, Serve, environment

README = (EXAMPLES.parent / "README.md").read_text("utf-8")


def test_the_curl_lines_go_from_sign_up_to_a_token_that_is_refused_after_the_logout(
    serve: Serve, empty_folder: Path
) -> None:
    if shutil.which("curl") is None:
        missing("curl")
    lines = "".join(re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE))
    client = serve("uvicorn", "--app-dir", EXAMPLES, "minimal:app", cwd=empty_folder)
    ran = subprocess.run(
        ["bash", "-euc", lines.replace("localhost:8000", client.base_url.netloc.decode())],
        cwd=empty_folder,
        env=environment(NO_PROXY="*"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    promised = re.findall(r"# (\{.*\})$", lines, re.MULTILINE)
    assert len(promised) == 2
    assert ran.stdout.endswith("".join(promised))


def test_its_titled_snippets_are_from_files_that_tests_run() -> None:
    snippets = re.findall(r'^```python title="([^"]+)"\n(.*?)^```', README, re.DOTALL | re.MULTILINE)
    assert snippets
    for file, text in snippets:
        assert text in (EXAMPLES.parent / file).read_text("utf-8"), file
