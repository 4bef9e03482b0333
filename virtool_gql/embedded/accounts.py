"""Whom the services run as: the server's own user, but never root, which PostgreSQL refuses to be."""

import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from virtool_gql.errors import ConfigError

UNPRIVILEGED = "nobody"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Bits of the kernel's capability sets. Either lets the services reach folders below one that is closed to them, such as
# /root; the first is the lesser right, the second the one that containers are left with.
CAPABILITIES = {"dac_read_search": 2, "dac_override": 1}

# A server that dies before its child has asked for the signal leaves a child that will never get it.
ONLY_FOR_A_LIVING_PARENT = ("/bin/sh", "-c", 'test "$PPID" = "$0" && exec "$@"')


class Folders(Protocol):
    """The folders that belong to the services."""

    @property
    def postgres(self) -> Path: ...

    @property
    def redis(self) -> Path: ...


@dataclass(frozen=True, slots=True)
class Account:
    """A user for child processes."""

    uid: int
    gid: int

    def command(self, *command: str, death_signal: str) -> list[str]:
        """Complete a command so that it runs as this user, and gets the signal when the server dies."""
        setpriv = shutil.which("setpriv", path=SYSTEM_PATH)
        if setpriv is None:
            raise ConfigError("The program setpriv is missing; install util-linux.")
        switch = [] if self.uid == os.geteuid() else self._switch()
        return [
            setpriv,
            *switch,
            "--pdeathsig",
            death_signal,
            "--",
            *ONLY_FOR_A_LIVING_PARENT,
            str(os.getpid()),
            *command,
        ]

    def _switch(self) -> list[str]:
        only = f"-all,+{_capability()}"
        return [
            *("--reuid", str(self.uid), "--regid", str(self.gid), "--clear-groups"),
            *("--inh-caps", only, "--ambient-caps", only, "--bounding-set", only),
            # access(2) looks with no capabilities at all for a user other than root, unless this bit is set.
            *("--securebits", "+no_setuid_fixup"),
        ]


def service_account(folders: Folders) -> Account:
    """Give the server's own user; for root the one who owns the services' data already, or else nobody."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    for folder in (folders.postgres, folders.redis):
        if folder.is_dir() and (owner := folder.stat()).st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
    nobody = pwd.getpwnam(UNPRIVILEGED)
    return Account(nobody.pw_uid, nobody.pw_gid)


def _capability() -> str:
    bounds = int(_status("CapBnd"), 16)
    for name, bit in CAPABILITIES.items():
        if bounds >> bit & 1:
            return name
    raise ConfigError("PostgreSQL does not run as root; start the server as another user, or set VT_POSTGRES_URL.")


def _status(name: str) -> str:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{name}:"))
