"""Bytes in Redis that are no list are an error with its heading in the docs, whatever they are."""

import pytest
import redis

from anpr.runtime.errors import AnprError
from anpr.watchlist.store import keys
from anpr.watchlist.store.reader import WatchlistReader, connect


@pytest.mark.parametrize("value", [b"not JSON", b"\xff\xfe", b"[" * 100_000, b"", b'{"generation": 1}', b"null"])
def test_a_head_of_the_list_that_is_no_manifest_is_said(redis_url: str, value: bytes) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set(keys.MANIFEST, value)
        try:
            with pytest.raises(AnprError) as error:
                WatchlistReader(connect(redis_url)).read_manifest()
            assert error.value.code == "watchlist-other-version"
        finally:
            client.delete(keys.MANIFEST)


def test_a_head_of_another_type_is_said(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.rpush(keys.MANIFEST, b"a list of Redis")
        try:
            with pytest.raises(AnprError):
                WatchlistReader(connect(redis_url)).read_manifest()
        finally:
            client.delete(keys.MANIFEST)
