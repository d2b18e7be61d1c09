"""The clock of this process: `skip(minutes=16)` lets time pass, for server, library and learner alike."""

import time
from typing import TYPE_CHECKING

from .errors import BenchError

if TYPE_CHECKING:
    import time_machine


class Skip:
    """Time passes when you call it; it never goes back but by `reset`.

    It moves what `time.time()` and `datetime.now()` say in this process, so PyJWT and Flask see it unchanged.
    A real browser, Redis and PostgreSQL have clocks of their own, which stay.
    """

    def __init__(self) -> None:
        self._travel: time_machine.travel | None = None
        self._traveller: time_machine.Traveller | None = None

    def __call__(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Move the clock forward by that much; it keeps ticking.

        Raises BenchError for a step back: records from the future would be left behind.
        """
        step = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
        if not 0 <= step <= LONGEST:
            raise BenchError(
                f"skip() moves the clock forward only, and by ten years at most, not by {step:g} seconds. "
                "To return to the real time, call skip.reset()."
            )
        # Not at the top: it brings pytest with it, a tenth of a second for lessons that never skip.
        import time_machine

        if self._traveller is None:
            self._travel = time_machine.travel(time.time() + step, tick=True)
            self._traveller = self._travel.start()
        else:
            self._traveller.shift(step)

    def reset(self) -> None:
        """Return to the real time. Records made in the future stay there: start again with a new site."""
        if self._travel is not None:
            self._travel.stop()
        self._travel = self._traveller = None


LONGEST = 10 * 366 * 24 * 3600.0

skip = Skip()
