"""A token bucket: it allows a number of requests a minute, at any pace within the minute. Pure."""


class TokenBucket:
    """A bucket that holds a minute's worth of tokens and fills evenly. Each time takes one."""

    def __init__(self, per_minute: int, now: float) -> None:
        """Start full. `now` is in seconds of any clock that only goes forward, and so are all later ones."""
        self._per_second = per_minute / 60
        self._most = float(per_minute)
        self._tokens = self._most
        self._filled_at = now

    def wait_seconds(self, now: float) -> float:
        """Return how long it is until there is a token, 0 where there is one."""
        self._fill(now)
        return max(0.0, (1 - self._tokens) / self._per_second)

    def take(self) -> None:
        """Take a token. `wait_seconds` has just said that there is one."""
        self._tokens -= 1

    def is_full(self, now: float) -> bool:
        """Whether it holds all its tokens, as a new one does."""
        self._fill(now)
        return self._tokens >= self._most

    def _fill(self, now: float) -> None:
        self._tokens = min(self._most, self._tokens + (now - self._filled_at) * self._per_second)
        self._filled_at = now
