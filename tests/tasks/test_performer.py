"""Tasks done in the test's own process: their steps, their progress, and all ways to end."""

from collections.abc import Sequence

import pytest

from tests.db.conftest import clock, db, each_db, split_db, split_urls
from tests.factories.tasks import performed, stored_task
from virtool_gql.db.database import Database
from virtool_gql.models.tasks import DeleteReference, TaskState, TaskType
from virtool_gql.tasks.work import Step, Work

__all__ = ["clock", "db", "each_db", "split_db", "split_urls"]


class Idle(Work[DeleteReference]):
    type = TaskType.DELETE_REFERENCE
    arguments = DeleteReference

    @property
    def steps(self) -> Sequence[Step]:
        return (self.look,)

    async def look(self) -> None:
        self.held.within(0.5)


async def test_a_task_goes_through_its_steps_to_its_completion(each_db: Database) -> None:
    task = await stored_task(each_db)
    ended = await performed(each_db, task, works={TaskType.DELETE_REFERENCE: Idle})
    assert (ended.state, ended.progress, ended.step, ended.attempts) == (TaskState.COMPLETE, 1.0, None, 1)
    assert ended.lease_token is None
