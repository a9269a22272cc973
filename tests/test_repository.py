from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))

USES = re.compile(
    r"^\s*(?:-\s+)?uses:\s*(?P<action>\S+)[ \t]*(?P<comment>.*)$", re.MULTILINE
)
VERSION_COMMENT = re.compile(r"# v\d+\.\d+\.\d+")

# Put together here so that this file does not contain what it looks for.
FORBIDDEN = {
    # Telling the compiler of pins to leave the index out is what this is about.
    "an index option": re.compile(
        "(?<!--no-emit-)index[-_]" + "url|--default" + "-index", re.IGNORECASE
    ),
    "a package index": re.compile(
        "|".join(
            [
                "python" + "hosted",
                r"py" + r"pi\.(?:org|python|io)",
                r"npm" + r"js\.(?:org|com)",
            ]
        ),
        re.IGNORECASE,
    ),
    "a key": re.compile("s" + r"k-(?:admin|proj|svcacct)-[\w-]{20,}"),
    "a private key": re.compile("-" * 5 + r"BEGIN [A-Z ]*PRIVATE" + " KEY"),
    "a home directory": re.compile(
        r"/(?:ho" + r"me|Us" + r"ers)/[\w.-]+|(?<![\w.])/ro" + r"ot/|[A-Z]:\\Us" + "ers"
    ),
}
EXAMPLES = {
    "an index option": ["-" * 2 + "extra-index" + "-url x", "PIP_INDEX" + "_URL: x"],
    "a package index": ["https://py" + "pi.org/simple", "files.python" + "hosted.org"],
    "a key": ["s" + "k-admin-" + 20 * "x", "s" + "k-proj-" + "Ab3_-" * 4],
    "a private key": ["-" * 5 + "BEGIN RSA PRIVATE" + " KEY" + "-" * 5],
    "a home directory": ["/ho" + "me/someone", "/ro" + "ot/x", "C:\\Us" + "ers\\x"],
}


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Every text file that is in the repository or would be added to it."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    listed = subprocess.run(
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    found = {}
    for name in sorted(filter(None, listed.split("\0"))):
        path = ROOT / name
        if not path.is_file():  # deleted in the working tree, not yet in the index
            continue
        content = path.read_bytes()
        if b"\0" not in content:
            found[name] = content.decode("utf-8", errors="replace")
    return found


def actions(workflow: Path) -> list[tuple[str, str]]:
    """Return the actions of other repositories that a workflow uses, with comments."""
    found = [(use["action"], use["comment"]) for use in USES.finditer(read(workflow))]
    return [
        (action, comment)
        for action, comment in found
        if not action.startswith(("$/", "./"))
    ]


def read(path: Path) -> str:
    return path.read_text("utf-8")


def test_there_are_workflows_to_look_at() -> None:
    assert {path.stem for path in WORKFLOWS} >= {"test", "lint", "release"}
    assert all(
        read(path).count("uses:") == len(USES.findall(read(path))) for path in WORKFLOWS
    )


# `make lint` runs zizmor on the workflows. What follows is what it does not look at.
@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_names_its_version(workflow: Path) -> None:
    wrong = [
        f"{action} {comment}".strip()
        for action, comment in actions(workflow)
        if not VERSION_COMMENT.fullmatch(comment)
    ]
    assert not wrong, f"{workflow.name}: write owner/action@<40 hex> # v1.2.3"


def test_one_action_has_one_commit_everywhere() -> None:
    pins = {action for workflow in WORKFLOWS for action, _ in actions(workflow)}
    names = sorted(pin.partition("@")[0] for pin in pins)
    assert names == sorted(set(names))


def test_only_the_publishing_job_gets_further_rights() -> None:
    before, _, publish = read(ROOT / ".github/workflows/release.yml").partition(
        "\n  publish:\n"
    )
    assert "environment: pypi" in publish
    assert "id-token: write" in publish
    assert "run:" not in publish, "no code of the repository beside those rights"
    others = [read(path) for path in WORKFLOWS if path.stem != "release"]
    assert not any(": write" in text for text in [before, *others])


def test_every_part_is_tested_by_the_workflow_that_a_release_waits_for() -> None:
    matrix = jobs("test")["test"]["strategy"]["matrix"]
    tested = [*matrix["part"], *(each["part"] for each in matrix["include"])]
    (parts,) = re.findall(r"^parts := (.+)$", read(ROOT / "Makefile"), re.MULTILINE)
    assert tested == parts.split()
    package = read(ROOT / "pyproject.toml")
    supported = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', package)
    assert matrix["python-version"] == supported
    assert {each["python-version"] for each in matrix["include"]} <= set(supported)
    assert jobs("release")["test"]["uses"] == "$/.github/workflows/test.yml"
    assert "test" in jobs("release")["build"]["needs"]


def jobs(workflow: str) -> dict[str, Any]:
    found = yaml.safe_load(read(ROOT / f".github/workflows/{workflow}.yml"))["jobs"]
    assert isinstance(found, dict)
    return found


def lock_files(texts: dict[str, str]) -> set[Path]:
    """Every file that holds pins and nothing else, wherever it is."""
    pin = re.compile(r"[\w.-]+(?:\[[\w,-]+\])?==\S+")
    found = {Path(name) for name in texts if name.endswith(("uv.lock", "poetry.lock"))}
    for name, text in texts.items():
        lines = [line for line in text.splitlines() if line.strip() and line[0] != "#"]
        if name.endswith(".txt") and lines and all(map(pin.match, lines)):
            found.add(Path(name))
    return found


def test_make_audit_looks_at_every_lock_file(texts: dict[str, str]) -> None:
    make = ["make", "--dry-run", "--always-make", "--no-print-directory", "audit"]
    said = subprocess.run(make, cwd=ROOT, check=True, capture_output=True, text=True)
    asked = re.findall(r"pip-audit .*--requirement (\S+)", said.stdout)
    assert len(lock_files(texts)) > 1
    assert sorted(map(Path, asked)) == sorted(lock_files(texts))
    assert "make --keep-going audit" in read(ROOT / ".github/workflows/test.yml")


def test_dependabot_looks_into_every_folder_that_names_what_is_installed(
    texts: dict[str, str],
) -> None:
    config = yaml.safe_load(read(ROOT / ".github/dependabot.yml"))
    looked: dict[str, set[Path]] = {}
    for update in config["updates"]:
        folders = update.get("directories", [update.get("directory")])
        looked[update["package-ecosystem"]] = {Path(f.lstrip("/")) for f in folders}
    packages = {Path(name) for name in texts if Path(name).name == "pyproject.toml"}
    images = {Path(name) for name in texts if Path(name).name == "Containerfile"}
    assert looked == {
        "pip": {path.parent for path in packages | lock_files(texts)},
        "docker": {path.parent for path in images},
        "github-actions": {Path()},
    }


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_contains(what: str, texts: dict[str, str]) -> None:
    found = [
        f"{name}:{number}"
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if FORBIDDEN[what].search(line)
    ]
    assert not found, f"{what} in {', '.join(found)}"


@pytest.mark.parametrize("what", FORBIDDEN)
def test_what_no_file_may_contain_would_be_found(what: str) -> None:
    assert all(FORBIDDEN[what].search(example) for example in EXAMPLES[what])


def test_the_search_covers_the_code_and_the_documents(texts: dict[str, str]) -> None:
    assert {"pyproject.toml", "LICENSE", "tests/test_repository.py"} <= set(texts)
    assert "tap_openai_audit/audit_logs/event_types.json" in texts


def test_the_license_is_apache_2_0() -> None:
    title = [line.strip() for line in read(ROOT / "LICENSE").splitlines() if line][:2]
    assert title == ["Apache License", "Version 2.0, January 2004"]
    assert '\nlicense = "Apache-2.0"\n' in read(ROOT / "pyproject.toml")


def test_before_a_commit_runs_what_lint_runs() -> None:
    (lints,) = re.findall(r"^lints := (.+)$", read(ROOT / "Makefile"), re.MULTILINE)
    config = yaml.safe_load(read(ROOT / ".pre-commit-config.yaml"))
    (local,) = config["repos"]
    hooks = {hook["id"]: hook["entry"] for hook in local["hooks"]}
    assert list(hooks) == lints.split()
    for name, entry in hooks.items():
        assert entry == f"make --silent lint-{name}"
    assert {hook["language"] for hook in local["hooks"]} == {"system"}
