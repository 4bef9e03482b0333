"""How files leave the watch directory: removed when they were imported, or moved to the rejected ones."""

import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path

from virtool_gql.tasks.sources import ASIDE, NAME_BYTES, REJECTED, Changed, Gone, LeftAlone, Source
from virtool_gql.tasks.writers import Writers

ATTEMPTS = 100


class Vanished(LeftAlone):
    """A folder is not there, perhaps because somebody else has just removed it."""


@contextmanager
def _folder_at(path: Path | str, *, within: int | None = None) -> Iterator[int]:
    """Open a folder itself: where a link to one lies, somebody wants us to write elsewhere."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=within)
    except FileNotFoundError as error:
        raise Vanished(f"the folder {os.fspath(path)} vanished") from error
    except OSError as error:
        raise LeftAlone(f"{os.fspath(path)} is no folder that can be opened ({error.strerror})") from error
    try:
        yield handle
    finally:
        os.close(handle)


def _watch_folder(folder: Path) -> AbstractContextManager[int]:
    return _folder_at(folder.resolve())


@contextmanager
def _inner_folder(folder: int, name: str, mode: int = 0o777) -> Iterator[int]:
    try:
        with suppress(FileExistsError):
            os.mkdir(name, mode, dir_fd=folder)
    except FileNotFoundError as error:
        raise Vanished(f"the folder around {name} vanished") from error
    except OSError as error:
        raise LeftAlone(f"the folder {name} cannot be made ({error.strerror})") from error
    with _folder_at(name, within=folder) as inner:
        yield inner


def remove(folder: Path, source: Source, writers: Writers) -> None:
    """Remove the file that was imported; put back what has taken its place, and what somebody writes to again."""
    with _watch_folder(folder) as watch, _own_folder(watch, source.content) as own:
        _move(source.name, watch, source.name, own)
        kept = _settle(own, source.name, source.content, watch, writers)
    if kept:
        raise Changed


@contextmanager
def _own_folder(watch: int, content: str) -> Iterator[int]:
    """Have a folder for what is set aside while the block lasts; others make and remove theirs at the same time."""
    with ExitStack() as stack:
        for attempt in range(ATTEMPTS):
            try:
                aside = stack.enter_context(_inner_folder(watch, ASIDE, 0o700))
                own = stack.enter_context(_inner_folder(aside, content, 0o700))
                break
            except Vanished:
                if attempt == ATTEMPTS - 1:
                    raise
        stack.callback(_tidy, watch, aside, content)
        yield own


def mend(folder: Path, writers: Writers) -> None:
    """Settle what an earlier process had set aside when it was killed."""
    with _watch_folder(folder) as watch, suppress(Vanished), _folder_at(ASIDE, within=watch) as aside:
        for content in _entries(aside):
            with suppress(LeftAlone, Gone), _folder_at(content, within=aside) as own:
                for name in _entries(own):
                    _settle(own, name, content, watch, writers)
            _tidy(watch, aside, content)


def _entries(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def _settle(own: int, name: str, content: str, watch: int, writers: Writers) -> bool:
    """Remove what was set aside if it is what it should be; else put it back, and say so."""
    with suppress(FileNotFoundError):
        if _is_free(own, name, content, writers):
            os.unlink(name, dir_fd=own)
            return False
        _put_back(name, own, watch)
        return True
    return False


def _is_free(own: int, name: str, content: str, writers: Writers) -> bool:
    status = os.stat(name, dir_fd=own, follow_symlinks=False)
    if not stat.S_ISREG(status.st_mode) or Source.of(name, status).content != content:
        return False
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=own)
    try:
        # Nobody can open it any more where it is now, so that what is true stays true.
        return not writers.has_one(handle) and Source.of(name, os.fstat(handle)).content == content
    finally:
        os.close(handle)


def _put_back(name: str, origin: int, watch: int) -> None:
    for candidate in itertools.chain([name], _numbered(name)):
        try:
            os.link(name, candidate, src_dir_fd=origin, dst_dir_fd=watch, follow_symlinks=False)
        except FileExistsError:
            continue
        except OSError:  # a folder, or a file system without links
            _move(name, origin, _free_name(watch, name), watch)
        else:
            os.unlink(name, dir_fd=origin)
        return


def _tidy(watch: int, aside: int, content: str) -> None:
    """Remove the folders that are empty now."""
    with suppress(OSError):
        os.rmdir(content, dir_fd=aside)
    with suppress(OSError):
        os.rmdir(ASIDE, dir_fd=watch)


def reject(folder: Path, source: Source, reason: str) -> str:
    """Move the file to the rejected ones, with the reason beside it; give its name there."""
    with _watch_folder(folder) as watch, _inner_folder(watch, REJECTED) as rejected:
        name = _explained(rejected, source.name, reason)
        try:
            _move(source.name, watch, name, rejected)
            status = os.stat(name, dir_fd=rejected, follow_symlinks=False)
        except BaseException:
            os.unlink(_reason_of(name), dir_fd=rejected)
            raise
        if Source.of(source.name, status).content != source.content:
            _move(name, rejected, _free_name(watch, source.name), watch)
            os.unlink(_reason_of(name), dir_fd=rejected)
            raise Changed
        return name


def _explained(rejected: int, name: str, reason: str) -> str:
    """Write the reason for a name under which nothing was rejected yet; who made the reason's file has the name."""
    for candidate in _numbered(name):
        if _exists(rejected, candidate):
            continue
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with suppress(FileExistsError):
            handle = os.open(_reason_of(candidate), flags, 0o666, dir_fd=rejected)
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as out:
                out.write(f"{reason}\n")
            return candidate
    raise AssertionError  # the numbers have no end


def _reason_of(name: str) -> str:
    return f"{name}.reason.txt"


def _free_name(folder: int, name: str) -> str:
    return next(name for name in itertools.chain([name], _numbered(name)) if not _exists(folder, name))


def _numbered(name: str) -> Iterator[str]:
    """Give the name, cut where it is too long to be added to, and then the name with numbers before its endings."""
    short = os.fsdecode(os.fsencode(name)[-NAME_BYTES:])
    yield short
    stem, dot, endings = short.partition(".") if not short.startswith(".") else (short, "", "")
    for number in itertools.count(2):
        yield f"{stem} ({number}){dot}{endings}"


def _exists(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _move(name: str, origin: int, new_name: str, target: int) -> None:
    try:
        os.rename(name, new_name, src_dir_fd=origin, dst_dir_fd=target)
    except FileNotFoundError as error:
        raise Gone from error
    except OSError as error:
        raise LeftAlone(f"it cannot be moved ({error.strerror})") from error
