"""Where the services keep their data, sockets and logs."""

import os
import re
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from virtool_gql.embedded.accounts import Account
from virtool_gql.errors import ConfigError

# A Unix socket's path has at most 107 bytes; `/.s.PGSQL.5432` is the longest name in the folder.
SOCKET_FOLDER = re.compile(r"[A-Za-z0-9/._-]{1,90}")


@dataclass(frozen=True, slots=True)
class ServiceFolders:
    """The folders of one data path's services."""

    root: Path
    sockets: Path

    @classmethod
    def of(cls, data_path: Path) -> "ServiceFolders":
        root = data_path.resolve() / "services"
        return cls(root, _sockets(root))

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def redis(self) -> Path:
        return self.root / "redis"

    def log(self, name: str) -> Path:
        return self.root / f"{name}.log"

    def create(self, account: Account) -> None:
        """Make the folders, private to the account of the services."""
        for folder in (self.postgres, self.redis, self.sockets):
            try:
                _make_private(folder, account)
            except OSError as error:
                raise ConfigError(
                    f"{folder} cannot be made private to the services ({error.strerror}); "
                    "choose another data path with --data-path."
                ) from error

    def clear(self) -> None:
        """Remove the folder of sockets if it is a temporary one."""
        if self.sockets.parent != self.root:
            with suppress(OSError):
                self.sockets.rmdir()


def _sockets(root: Path) -> Path:
    """Give a folder that sockets fit into: a short one named by a hash when the path is long or unusual."""
    folder = root / "sockets"
    if SOCKET_FOLDER.fullmatch(str(folder)):
        return folder
    return Path(tempfile.gettempdir()) / f"virtool-{sha256(os.fsencode(root)).hexdigest()[:16]}"


def _make_private(folder: Path, account: Account) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), account.uid}:
        raise ConfigError(f"{folder} belongs to somebody else; give it to the server's user, or remove it.")
    folder.chmod(0o700)
    if found.st_uid != account.uid:
        os.chown(folder, account.uid, account.gid)
