"""The SQL for warehouses that no test runs is at least of their dialect.

dbt compiles for a warehouse only if its adapter is installed and the warehouse answers.
`Renderer` stands in for both, as far as the models need it.
"""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
import sqlglot
import yaml

from testing.warehouse import PROJECT

MODELS = sorted((PROJECT / "models").rglob("*.sql"))
TYPES = {
    "snowflake": {
        "string": "varchar",
        "timestamp": "timestamp_ntz",
        "bigint": "bigint",
    },
    "bigquery": {"string": "string", "timestamp": "timestamp", "bigint": "int64"},
}
#: What dbt and its adapters would write.
WORDS = {
    "snowflake": {
        "dateadd": "dateadd({0}, {1}, {2})",
        "datediff": "datediff({2}, {0}, {1})",
        "date_trunc": "date_trunc('{0}', {1})",
        "hash": "md5({0})",
        "listagg": "listagg({0}, {1}) within group ({2})",
        "split_part": "split_part({0}, {1}, {2})",
    },
    "bigquery": {
        "dateadd": "timestamp_add({2}, interval {1} {0})",
        "datediff": "timestamp_diff({1}, {0}, {2})",
        "date_trunc": "timestamp_trunc({1}, {0})",
        "hash": "to_hex(md5({0}))",
        "listagg": "string_agg({0}, {1} {2})",
        "split_part": "split({0}, {1})[safe_ordinal({2})]",
    },
}


#: The models as dbt's graph has them, as far as the cards of the rules need it.
NODES = {
    f"model.openai_audit.{model['name']}": model
    for path in (PROJECT / "models/rules").glob("*.yml")
    for model in yaml.safe_load(path.read_text("utf-8"))["models"]
}


#: A quote within a literal.
QUOTES = {"snowflake": "''", "bigquery": r"\'"}


class Returned(Exception):
    """How `return` leaves a macro of dbt."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class Renderer:
    """Renders models for a kind of warehouse."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        types = {f"type_{n}": lambda t=t: t for n, t in TYPES[kind].items()}
        words = {name: text.format for name, text in WORDS[kind].items()}
        self.context = {
            "adapter": SimpleNamespace(dispatch=self._dispatch, quote='"{}"'.format),
            "config": lambda **_: "",
            "dbt": SimpleNamespace(
                **types,
                **words,
                type_boolean=lambda: "boolean",
                string_literal="'{}'".format,
                escape_single_quotes=lambda text: text.replace("'", QUOTES[kind]),
            ),
            "env_var": lambda _, default: default,
            "execute": True,
            "flags": SimpleNamespace(WHICH="compile"),
            "graph": SimpleNamespace(nodes=NODES, sources={}),
            "project_name": "own",
            "is_incremental": lambda: False,
            "load_relation": lambda _: None,
            "openai_audit": self,
            "ref": lambda *names: names[-1],
            "return": self._return,
            "run_query": lambda _: SimpleNamespace(rows=[]),
            "source": lambda _, name: Source(name),
            "target": SimpleNamespace(type=kind, database="d"),
            "var": {"openai_audit_recount_days": 31}.get,
        }
        environment = jinja2.Environment(extensions=["jinja2.ext.do"])  # noqa: S701
        self.environment = environment
        self.macros: dict[str, Any] = {}
        for path in (PROJECT / "macros").glob("*.sql"):
            module = environment.from_string(path.read_text("utf-8")).make_module
            self.macros |= vars(module(self.context))

    def render(self, text: str) -> str:
        return str(self.environment.from_string(text).render(self.context))

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            try:
                return self.macros[name](*arguments, **named)
            except Returned as returned:
                return returned.value

        return call

    def _dispatch(self, name: str, _: str) -> Any:
        own = f"{self.kind}__{name}"
        return getattr(self, own if own in self.macros else f"default__{name}")

    @staticmethod
    def _return(value: Any) -> None:
        raise Returned(value)


class Source(str):
    """A table of the tap of which nothing is known, as in a unit test."""

    __slots__ = ()
    schema = None


@pytest.fixture(scope="module", params=TYPES)
def renderer(request: pytest.FixtureRequest) -> Renderer:
    return Renderer(request.param)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_each_model_parses_in_the_dialect(renderer: Renderer, path: Any) -> None:
    sql = renderer.render(path.read_text("utf-8"))
    (parsed,) = sqlglot.parse(sql, dialect=renderer.kind)
    assert isinstance(parsed, sqlglot.exp.Query)
    assert not list(parsed.find_all(sqlglot.exp.Command))
    # What another warehouse calls its JSON functions is not left over.
    assert not re.search(r"#>>|jsonb|json_extract_string|[\w)\]]::", sql)
