"""What travels over HTTP, in both directions, and how large it may be."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_BODY = 256 * 1024  # bytes
MAX_NUMBERS = 10_000
MAX_SECONDS = 60.0
LARGEST = 1e15  # sums of so many stay finite: JSON knows neither NaN nor Infinity

Kind = Literal["add", "long", "process"]
Number = Annotated[float, Field(strict=True, ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]


class _Asked(BaseModel):
    # a misspelt name is refused, instead of being left out
    model_config = ConfigDict(extra="forbid")


class Add(_Asked):
    """Two numbers to add."""

    x: Number
    y: Number


class Long(_Asked):
    """A task that takes a while and tells how far it is."""

    seconds: Annotated[float, Field(strict=True, ge=0, le=MAX_SECONDS, allow_inf_nan=False)]


class Process(_Asked):
    """Numbers of which count, total, mean and extremes are wanted."""

    data: Annotated[list[Number], Field(min_length=1, max_length=MAX_NUMBERS)]


class Progress(BaseModel):
    """How far a task is."""

    current: float
    total: float


class Failure(BaseModel):
    """Why a task has no result."""

    type: str = Field(examples=["ValueError"])
    message: str


class Task(BaseModel):
    """A task that was sent from here."""

    id: str = Field(examples=["0b5a4c1e-55a8-4d7e-b7a3-8f7f2f6f3a11"])
    task: Kind
    state: str = Field(
        description="Celery's: PENDING, STARTED, PROGRESS, RETRY, SUCCESS, FAILURE or REVOKED."
    )
    ended: bool = Field(description="Whether the state is final.")
    cancelling: bool = Field(description="Whether a cancel was asked for, and the task has not ended yet.")
    submitted_at: datetime
    progress: Progress | None = None
    result: Any = Field(default=None, description="What it returned, if the state is SUCCESS.")
    error: Failure | None = None


class Health(BaseModel):
    """Whether tasks can be sent."""

    status: Literal["ok"] = "ok"


class FieldProblem(BaseModel):
    """What is wrong in one place of the request."""

    where: str = Field(examples=["body.seconds"])
    what: str


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str
    errors: list[FieldProblem] = []
