"""The sentences for how a job can end."""

import errno
import signal

from jobs.outcomes import DISK_FULL, FAULT, MEMORY_FULL, Abandoned, Interrupted, Silent, abandonment, death, failure
from jobs.tools.process import ToolFailed
from virtool_gql.errors import BadUserInput, UpstreamUnavailable
from virtool_gql.models.jobs import JobError


def test_what_its_owner_can_mend_is_told_without_a_traceback() -> None:
    error = failure(BadUserInput("reads.fq is empty.")).error
    assert (error.type, error.message, error.traceback) == ("BadUserInput", "reads.fq is empty.", ())
    assert failure(ToolFailed("It failed.", ["line 1", "line 2"])).error.details == ("line 1", "line 2")


def test_a_service_that_does_not_answer_interrupts_and_fails_nothing() -> None:
    assert failure(UpstreamUnavailable("Redis does not answer.")) == Interrupted(
        JobError(type="UpstreamUnavailable", message="Redis does not answer.")
    )


def test_a_full_machine_has_sentences_of_its_own() -> None:
    assert failure(OSError(errno.ENOSPC, "No space left on device")).error.message == DISK_FULL
    assert failure(MemoryError()).error.message == MEMORY_FULL


def test_a_fault_is_told_with_its_traceback_and_without_its_text() -> None:
    error = failure(KeyError("secret")).error
    assert (error.type, error.message) == ("KeyError", FAULT)
    assert error.traceback[-1] == "KeyError: 'secret'"
    assert failure(OSError(errno.EIO, "Input/output error")).error.message == FAULT


def test_a_death_names_the_signal_or_the_status() -> None:
    assert "(signal 9). The machine may have run out of memory" in death(-signal.SIGKILL, ["last"]).error.message
    assert death(-signal.SIGKILL, ["last"]).error.details == ("last",)
    assert "(exit status 3). This is not your fault" in death(3, []).error.message


def test_an_abandoned_job_says_how_often_it_was_tried() -> None:
    assert "stopped once before" in abandonment(Abandoned(), 1).message
    assert "fell silent 3 times before" in abandonment(Silent(), 3).message
