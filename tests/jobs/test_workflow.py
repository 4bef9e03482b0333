"""How far a job is."""

from jobs.workflow import Progress


def test_progress_goes_through_the_steps_and_never_back() -> None:
    progress = Progress(steps=4)
    seen = [progress.total]
    for stage in ("first", "second", "third", "fourth"):
        progress.begin(stage)
        for fraction in (0.0, 0.5, 0.25, 1.5):
            progress.within(fraction)
            seen.append(progress.total)
    assert seen == sorted(seen)
    assert seen[:5] == [0.0, 0.0, 0.125, 0.125, 0.25]
    assert (progress.stage, progress.total) == ("fourth", 1.0)


def test_a_job_without_steps_is_nowhere() -> None:
    assert Progress(steps=0).total == 0.0
