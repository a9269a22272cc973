"""The image is the one docs/production.md runs. A workflow builds it, nothing here."""

from __future__ import annotations

import json
import re

import yaml
from documents import ROOT, blocks

LINES = [
    line
    for line in (ROOT / "Containerfile").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]


def instructions(name: str) -> list[str]:
    """What stands behind an instruction, each time that it is there."""
    found = [line.partition(" ") for line in LINES]
    return [rest for word, _, rest in found if word == name]


def test_its_base_is_one_image_and_no_other_will_come_under_its_name() -> None:
    (base,) = instructions("FROM")
    assert re.fullmatch(r"docker\.io/library/python:3\.\d+-slim@sha256:\w{64}", base)


def test_it_runs_as_a_user_without_rights() -> None:
    # Kubernetes has to see by the number that it is not root.
    assert instructions("USER")[-1] == "10001"
    assert LINES.index("USER 10001") < LINES.index(
        "RUN /opt/meltano/bin/meltano install"
    )


def test_it_holds_what_meltano_installs_and_nothing_that_is_secret() -> None:
    copied = {name for each in instructions("COPY") for name in each.split()[:-1]}
    for name in copied:
        assert (ROOT / name).exists(), name
    *_, project = yaml.safe_load_all((ROOT / "meltano.yml").read_text("utf-8"))
    everyone = [p for kind in project["plugins"].values() for p in kind]
    local = re.findall(
        r"-e (?:\./)?([\w.]+)", " ".join(p.get("pip_url", "") for p in everyone)
    )
    assert {f"{name}/" for name in local if name != "."} <= copied
    first, *ignored = [
        line
        for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
        if not line.startswith("#")
    ]
    assert first == "*"
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    assert let_in == {name.partition("/")[0] for name in copied}


def test_the_cronjob_gives_it_arguments_and_keeps_keys_in_memory() -> None:
    (text,) = blocks("docs/production.md", "yaml")
    pod = yaml.safe_load(text)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert json.loads(instructions("CMD")[0]) == container["args"]
    (entry,) = json.loads(instructions("ENTRYPOINT")[0])
    assert entry.endswith("/meltano")
    (folder,) = instructions("WORKDIR")
    (mount,) = container["volumeMounts"]
    assert mount["mountPath"] == f"{folder}/.meltano/run"
    assert pod["volumes"] == [{"name": "run", "emptyDir": {"medium": "Memory"}}]
