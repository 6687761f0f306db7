"""Decides what an operator may set about guessing and crowds; everything else about them is a constant of `rules`."""

from typing import Annotated

from pydantic import Field

from server.core.config import Settings


class LimitSettings(Settings):
    """The group `limits` of config.yaml."""

    #: calls at the doors (sign in, codes) from one address in a minute before work is asked for: a school shares one
    address_per_minute: Annotated[int, Field(ge=10, le=1_000_000)] = 1_200
    #: failed sign-ins of the whole house in five minutes before every unknown device has to work
    attack_failures: Annotated[int, Field(ge=10, le=1_000_000)] = 300
    #: seconds that a sign-in may take to be checked; whoever would wait longer gets a place in the line instead
    waiting_s: Annotated[float, Field(ge=1, le=30)] = 3.0
    #: hashes that the easiest proof of work takes at most; each level doubles it
    proof_hashes: Annotated[int, Field(ge=100, le=10_000_000)] = 100_000
