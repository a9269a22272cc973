"""Scenarios that need more than one run of dbt share the runs.

Each test has accounts of its own. A mark says what is loaded for it before each run,
and the test asks what the models held after each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from testing.messages import Message

if TYPE_CHECKING:
    from testing.warehouse import Warehouse

#: A message is loaded, a statement is executed once all is loaded, and a function
#: returns messages that are costly to make.
Load = Message | str | Callable[[], Sequence[Message]]

#: What a test may ask of: what changes from run to run, and what is answered.
KEPT = (
    "int_openai_audit__detected",
    "int_openai_audit__matches",
    "openai_audit__coverage",
    "openai_audit__events",
    "openai_audit__findings",
    "openai_audit__rules",
)


@dataclass(frozen=True)
class Scenario:
    """What happens to the tables of the tap, for one test.

    Attributes:
        before: What happens before the first run, before the second, and so on.
        unjudged: What is loaded after the first run, and added by one that ends there.
    """

    before: Sequence[Sequence[Load]]
    unjudged: Sequence[Load] = ()


def before_each_run(
    *before: Sequence[Load], unjudged: Sequence[Load] = ()
) -> pytest.MarkDecorator:
    """Mark a test with what happens before each run."""
    return pytest.mark.steps(Scenario(before, unjudged))


@dataclass(frozen=True)
class Steps:
    """A warehouse in which all scenarios went through their steps together."""

    warehouse: Warehouse

    def after(self, step: int | str) -> Warehouse:
        """Return the warehouse with the models as they were after a step.

        Args:
            step: The number of a run; "matches" after a full refresh of the matches
                and of what is made of them, "refreshed" after one of everything.
        """
        return replace(self.warehouse, name=f"{self.warehouse.name}_{step}")

    def take(self, scenarios: Sequence[Scenario]) -> None:
        """Go through all steps, with the data tests of dbt in the last run."""
        last = max(len(scenario.before) for scenario in scenarios)
        for step in range(last):
            if step == 1:
                self._prepare(*(scenario.unjudged for scenario in scenarios))
                # As of a run that ended there.
                self.warehouse.run("int_openai_audit__events")
            self._prepare(*(s.before[step] for s in scenarios if step < len(s.before)))
            if step + 1 == last:
                self.warehouse.build()
            else:
                self.warehouse.run()
            self._keep(step + 1)
        self.warehouse.run("int_openai_audit__matches+", full_refresh=True)
        self._keep("matches")
        self.warehouse.run(full_refresh=True)
        self._keep("refreshed")

    def _prepare(self, *loads: Sequence[Load]) -> None:
        """Do at once what happens in all scenarios."""
        happens = [load for of_a_scenario in loads for load in of_a_scenario]
        messages: list[Message] = []
        for load in happens:
            if callable(load):
                messages += load()
            elif not isinstance(load, str):
                messages.append(load)
        if messages:
            self.warehouse.load(messages)
        self.warehouse.execute(*(load for load in happens if isinstance(load, str)))

    def _keep(self, step: int | str) -> None:
        kept = self.after(step).answers
        tables = (
            f"create table {kept}.{name} as select * from {{answers}}.{name}"
            for name in KEPT
        )
        self._forget(step)
        self.warehouse.execute(f"create schema {kept}", *tables)

    def _forget(self, step: int | str) -> None:
        self.warehouse.execute(
            f"drop schema if exists {self.after(step).answers} cascade"
        )
