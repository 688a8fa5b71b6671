"""Every transport failure and every status, and whether money may have moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from producers.providers.base import Ambiguous, Transient
from producers.providers.classification import Meaning, meaning, transport_failure

if TYPE_CHECKING:
    from collections.abc import Iterator

FAILURES = [
    (httpx.ConnectError, Transient),
    (httpx.ConnectTimeout, Transient),
    (httpx.PoolTimeout, Transient),
    (httpx.UnsupportedProtocol, Transient),
    (httpx.ReadTimeout, Ambiguous),
    (httpx.WriteTimeout, Ambiguous),
    (httpx.ReadError, Ambiguous),
    (httpx.WriteError, Ambiguous),
    (httpx.CloseError, Ambiguous),
    (httpx.ProxyError, Ambiguous),
    (httpx.LocalProtocolError, Ambiguous),
    (httpx.RemoteProtocolError, Ambiguous),
    (httpx.DecodingError, Ambiguous),
    (httpx.TooManyRedirects, Ambiguous),
]


@pytest.mark.parametrize(("failure", "classified"), FAILURES)
def test_only_what_fails_before_sending_is_without_effect(
    failure: type[httpx.RequestError], classified: type[Transient | Ambiguous]
) -> None:
    assert type(transport_failure(failure("details"))) is classified


def test_the_table_above_names_every_failure_that_httpx_knows() -> None:
    def leaves(kind: type[httpx.RequestError]) -> Iterator[type[httpx.RequestError]]:
        children = [child for child in kind.__subclasses__() if child.__module__.startswith("httpx")]
        for child in children:
            yield from leaves(child)
        if not children:
            yield kind

    assert set(leaves(httpx.RequestError)) == {failure for failure, _ in FAILURES}


STATUSES = {
    Meaning.ANSWERED: [200, 201, 202, 299],
    Meaning.DECLINED: [402],
    Meaning.REFUSED: [400, 401, 403, 404, 405, 409, 413, 422, 499],
    Meaning.TRANSIENT: [429],
    Meaning.AMBIGUOUS: [100, 199, 300, 304, 399, 408, 500, 502, 503, 504, 599, 600, 999],
}


@pytest.mark.parametrize(
    ("http_status", "expected"),
    [(status, expected) for expected, statuses in STATUSES.items() for status in statuses],
)
def test_a_status_says_whether_there_may_be_an_effect(http_status: int, expected: Meaning) -> None:
    assert meaning(http_status) is expected
