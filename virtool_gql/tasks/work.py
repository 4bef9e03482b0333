"""What a task is: steps in order, each a method; and what the steps have at hand."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar, cast

import msgspec

from virtool_gql.config import Config
from virtool_gql.db.instance import Instance
from virtool_gql.errors import VirtoolError
from virtool_gql.models.tasks import Problem, Task, TaskType
from virtool_gql.stores.documents import Documents

A = TypeVar("A", bound=msgspec.Struct)
T = TypeVar("T")
Step = Callable[[], Awaitable[None]]
Arguments = type[msgspec.Struct]


class TaskFailed(VirtoolError):
    """The task cannot succeed, however often it is tried; the message and the problems are for its user."""

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class SubjectGone(Exception):
    """What the task is about was deleted; nothing is left to do and nobody is to blame."""


class Held(Protocol):
    """A task that is being done, as its steps see it."""

    instance: Instance
    config: Config
    task: Task

    def within(self, fraction: float) -> None:
        """Tell what part of the step is done, from 0 to 1; from any thread, as often as one likes."""

    def warn(self, warnings: Sequence[Problem]) -> None:
        """Keep what is odd and does no harm, to be told with the task's end."""

    async def fenced(self, write: Callable[[Documents], Awaitable[T]]) -> T:
        """Write in one transaction, which is committed only while the task is held; raise LeaseLost otherwise."""


class Work(ABC, Generic[A]):
    """One task being done: a subclass is a type, its attributes are what a step leaves to the next ones.

    A task may be stopped at any moment, even by `kill -9`, and is then done again from its first step on a fresh
    object: so each step can be done again. Most write once, in `finish`, together with the end of the task. With rows
    and documents in two stores `finish` may have been done when the task begins again: the first step looks.

    An UpstreamUnavailable has the task tried again later, any other error lets it fail. A `heavy` task is done alone
    among the heavy ones of its worker. One with an `interval` is done again and again by itself.
    """

    type: ClassVar[TaskType]
    arguments: ClassVar[Arguments]
    most_attempts: ClassVar[int] = 3
    subject_exists: ClassVar[bool] = True
    """Whether the task begins with its reference there, or gone; both are committed a moment after it at times."""
    heavy: ClassVar[bool] = True
    every_seconds: ClassVar[float | None] = None
    finishing: ClassVar[str] = "finish"
    """What the task's step is while `finish` runs, which counts as the last step."""

    @classmethod
    def interval(cls, config: Config) -> float | None:
        """Give after how many seconds it is done again by itself; None when it is not."""
        del config  # for those whose interval is a setting
        return cls.every_seconds

    def __init__(self, held: Held) -> None:
        self.held = held
        self.args = cast("A", msgspec.convert(held.task.args, self.arguments))

    @property
    @abstractmethod
    def steps(self) -> Sequence[Step]:
        """The steps in their order; the name of each method is the task's step. Each has an equal part of progress."""

    async def finish(self, documents: Documents) -> None:
        """Write what belongs into the transaction in which the task is completed.

        It is done again, in another transaction, when somebody changed one of the documents meanwhile.
        """

    async def give_up(self, documents: Documents) -> None:
        """Undo, in the transaction in which the task fails for good, what was done for it, from its arguments alone."""


AnyWork = Work[Any]
