"""Declares challenges over Socket.IO: a page is told how its trainee stands, answers, and asks to be verified again."""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from server.attendance.challenges.lesson import Answer, ChallengeState
from server.attendance.challenges.service import Challenges
from server.core.actor import Role
from server.core.wire.declaration import Call, Command, Declarations, Push

ANSWER_MOST: Final = 200
CODES: Final = ("lease_lost", "challenge_over", "closing")
CHALLENGE_STATE: Final = Push("challenge:state", ChallengeState)


@dataclass(frozen=True, slots=True)
class ChallengeAnswer:
    """`number` is that of the challenge which the page shows."""

    lesson_id: str
    epoch: int
    number: int
    answer: Annotated[str, Field(max_length=ANSWER_MOST)]


@dataclass(frozen=True, slots=True)
class VerifyRequest:
    lesson_id: str
    epoch: int


class Api:
    """The functions behind the declarations."""

    def __init__(self, challenges: Challenges) -> None:
        self._challenges = challenges

    async def answer(self, call: Call, request: ChallengeAnswer) -> ChallengeState:
        """An answer; said again, it changes nothing."""
        said = Answer(request.lesson_id, request.epoch, request.number, request.answer)
        return await self._challenges.answer(call.who, call.connection, said)

    async def verify(self, call: Call, request: VerifyRequest) -> ChallengeState:
        """Nothing counts any more, and the trainee wants to be verified now."""
        return await self._challenges.again(call.who, call.connection, request.lesson_id, request.epoch)

    def declarations(self) -> Declarations:
        """What challenges serve."""
        trainees = frozenset({Role.TRAINEE})
        return Declarations(
            commands=[
                Command(
                    "challenge:answer",
                    trainees,
                    ChallengeAnswer,
                    ChallengeState,
                    self.answer,
                    codes=(*CODES, "challenge_too_fast"),
                    at_owner=True,
                ),
                Command(
                    "challenge:verify",
                    trainees,
                    VerifyRequest,
                    ChallengeState,
                    self.verify,
                    codes=(*CODES, "challenge_too_soon"),
                    at_owner=True,
                ),
            ],
            pushes=[CHALLENGE_STATE],
        )
