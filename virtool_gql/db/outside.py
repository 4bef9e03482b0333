"""What lies outside of an instance, and how it is reached."""

from dataclasses import dataclass, field

from virtool_gql.config import Config
from virtool_gql.db.release_sources import Source, source_of
from virtool_gql.http import Client
from virtool_gql.models.documents import Clock, now

SOFTWARE_SLUG = "virtool/virtool-gql"


@dataclass(frozen=True, slots=True)
class Outside:
    """The client of a process, and where the settings say that things are."""

    config: Config = field(default_factory=Config)
    client: Client = field(default_factory=Client)
    clock: Clock = now

    @classmethod
    def of(cls, config: Config) -> "Outside":
        return cls(config, Client(config.proxy))

    @property
    def references(self) -> Source:
        return self._source(self.config.reference_releases)

    @property
    def hmms(self) -> Source:
        return self._source(self.config.hmm_releases)

    @property
    def software(self) -> Source:
        return self._source(self.config.software_releases)

    def _source(self, setting: str) -> Source:
        return source_of(setting, self.client, self.clock, self.config.github_url, self.config.github_token)
