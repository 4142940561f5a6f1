"""A stand-in for X: what its API version 2 is known to do, kept strictly, so that tests can run a story against it.

It is not X. It was written from X's own description of the interface and from what others measured, never from our
adapter, and it imports nothing of the product. Where X forgives, it refuses: an unknown field, a wrong page size, a
scope too few. Where X is known to surprise, it surprises: a page that is shorter than its length, a text that comes
back with its links rewritten, a field that is quietly not served.

    with standing_in(clock, vocabulary="post") as x:
        trip = x.world.join("trip_wales", protected=True)
        x.world.follow("dave32457", trip)
        x.url  # the address of its API and of its pages for people
"""

from .app import StandIn, standing_in
from .oauth import Client
from .world import Post, Refusal, User, World

__all__ = ["Client", "Post", "Refusal", "StandIn", "User", "World", "standing_in"]
