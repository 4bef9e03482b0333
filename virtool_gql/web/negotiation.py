"""In which form a client wants its answer."""

from enum import StrEnum


class Form(StrEnum):
    """The forms of an answer, by their media types."""

    JSON = "application/json"
    GRAPHQL = "application/graphql-response+json"
    EVENTS = "text/event-stream"
    HTML = "text/html"


WILD = {"*/*": Form.JSON, "application/*": Form.JSON, "text/*": Form.HTML}


def form_of(accept: str | None, *, pages: bool) -> Form | None:
    """Give the form that the client prefers among those we have; JSON when it does not say; None if there is none."""
    if not accept:
        return Form.JSON
    offers = sorted(_offers(accept), key=lambda offer: -offer[1])
    return next((form for form, weight in offers if weight > 0 and (pages or form is not Form.HTML)), None)


def _offers(accept: str) -> list[tuple[Form, float]]:
    offers = []
    for part in accept.split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        form = WILD.get(media.lower()) or _form(media.lower())
        if form is not None:
            offers.append((form, _weight(parameters)))
    return offers


def _form(media: str) -> Form | None:
    return next((form for form in Form if form == media), None)


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
