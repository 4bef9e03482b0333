"""What a workflow is: steps in order, each a method; and what the steps have at hand."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from virtool_gql.files import Places
from virtool_gql.models.documents import Clock, Document
from virtool_gql.models.jobs import Job
from virtool_gql.stores.documents import Documents
from virtool_gql.stores.opening import StoreUrls
from virtool_gql.workflows import Workflow

A = TypeVar("A", bound=msgspec.Struct)
Step = Callable[[], Awaitable[None]]


class SubjectGone(Exception):
    """What the job was about has been deleted; nothing is left to do and nobody is to blame."""


class Progress:
    """How far a job is: its step, and what part of the step is done. Never goes back."""

    def __init__(self, steps: int = 1) -> None:
        self.steps = steps
        self._index = 0
        self._fraction = 0.0
        self.stage: str | None = None

    def begin(self, stage: str) -> None:
        """Begin a step; all before it are done."""
        self._index += self.stage is not None
        self._fraction = 0.0
        self.stage = stage

    def within(self, fraction: float) -> None:
        """Tell what part of the step is done, from 0 to 1; from any thread, as often as one likes."""
        self._fraction = max(self._fraction, min(fraction, 1.0))

    @property
    def total(self) -> float:
        """What part of the whole job is done, in thousandths."""
        return round((self._index + self._fraction) / max(self.steps, 1), 3)


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What the steps of one job have at hand. `proc` in cores and `mem` in GB are what the job may use."""

    job: Job
    store: Documents
    places: Places
    clock: Clock
    log: Callable[[str], None]
    progress: Callable[[float], None]

    @property
    def proc(self) -> int:
        return self.job.proc

    @property
    def mem(self) -> int:
        return self.job.mem


class Work(ABC, Generic[A]):
    """One job being done: a subclass is a workflow, its attributes are what a step leaves to the next ones.

    A job may be stopped at any moment, even by `kill -9`. Then `clean_up` runs in another process, on a fresh
    object; after that the job may be started again from its first step.
    """

    workflow: ClassVar[Workflow]
    arguments: ClassVar[type[msgspec.Struct]]
    tools: ClassVar[tuple[str, ...]] = ()
    most_attempts: ClassVar[int] = 3

    def __init__(self, context: Context) -> None:
        self.context = context
        self.args: A = msgspec.convert(context.job.args, self.arguments)  # type: ignore[assignment] # the subclass says so

    @property
    @abstractmethod
    def steps(self) -> Sequence[Step]:
        """The steps in their order; the name of each method is the job's stage."""

    async def results(self) -> Sequence[Document]:
        """Give the documents that are stored with the job's completion, in one transaction; read anew at each call."""
        return ()

    @abstractmethod
    async def clean_up(self) -> None:
        """Undo what a job that failed or was stopped has done, from its arguments alone; any number of times.

        The job may begin again after it.
        """

    async def give_up(self) -> None:
        """Let go of what a job that will not begin again has held; any number of times."""

    async def tidy(self) -> None:
        """Remove what a completed job no longer needs; any number of times."""


AnyWork = Work[Any]


class ServiceUrls(msgspec.Struct, frozen=True, kw_only=True):
    """Where the services are that jobs need."""

    stores: StoreUrls
    redis: str


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a child process must know before its first job. It travels through a pipe: URLs hold passwords."""

    urls: ServiceUrls
    data_path: str
    runner_pid: int
