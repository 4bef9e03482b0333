"""What asks for releases again and again: of references, of the HMM profiles, and of the software.

That somebody outside does not answer is kept where it is shown, and no failure of the task.
"""

from collections.abc import Sequence

from virtool_gql.config import Config
from virtool_gql.db import reference_releases, statuses
from virtool_gql.models.tasks import Refresh, TaskType
from virtool_gql.tasks.work import Step, Work


class Refresher(Work[Refresh]):
    """A task that is done again and again, unless the settings turn that off."""

    arguments = Refresh
    heavy = False

    @classmethod
    def interval(cls, config: Config) -> float | None:
        return None if config.no_refreshing else cls.seconds(config)

    @classmethod
    def seconds(cls, config: Config) -> float:
        return config.refresh_seconds

    @property
    def steps(self) -> Sequence[Step]:
        # One that was planned before it was turned off may still be there.
        return () if self.held.config.no_refreshing else (self.ask,)

    async def ask(self) -> None:
        raise NotImplementedError


class ReferenceRefresher(Refresher):
    """The step of `refresh_references`."""

    type = TaskType.REFRESH_REFERENCES

    async def ask(self) -> None:
        await reference_releases.refresh(self.held.instance, self.held.within)


class HMMRefresher(Refresher):
    """The step of `refresh_hmms`."""

    type = TaskType.REFRESH_HMMS

    async def ask(self) -> None:
        await statuses.refresh_hmm(self.held.instance)


class SoftwareRefresher(Refresher):
    """The step of `refresh_software`."""

    type = TaskType.REFRESH_SOFTWARE

    @classmethod
    def seconds(cls, config: Config) -> float:
        return config.software_refresh_seconds

    async def ask(self) -> None:
        await statuses.refresh_software(self.held.instance)
