"""A batch that ends early: what is not done is named as it was given."""

from __future__ import annotations

import pytest

from oxidyn import BatchIncomplete, Client, ServiceError
from tests.fake_aws import Answer, FakeAws, refusal
from tests.ops.models import Counter

ITEMS = [Counter(name=f"c{number}", count=number) for number in range(30)]


def counters_on(fake: FakeAws) -> Client:
    return Client(endpoint_url=fake.url, region="eu-central-1", access_key_id="KEY", secret_access_key="secret")


def test_an_error_after_the_first_request_names_the_items_that_are_not_written() -> None:
    with FakeAws() as fake, counters_on(fake) as client:
        fake.answers = [Answer(body=b'{"UnprocessedItems":{}}'), refusal("ValidationException", "no")]

        with pytest.raises(BatchIncomplete) as caught:
            client.table(Counter).batch_put(ITEMS)

    assert caught.value.unprocessed == ITEMS[25:]
    assert isinstance(caught.value.__cause__, ServiceError)
    assert (caught.value.operation, caught.value.table) == ("BatchWriteItem", "counters")


def test_an_error_of_the_first_request_is_raised_as_it_is() -> None:
    with FakeAws() as fake, counters_on(fake) as client:
        fake.answers = [refusal("ValidationException", "no")]

        with pytest.raises(ServiceError):
            client.table(Counter).batch_put(ITEMS)


def test_unprocessed_items_are_sent_again() -> None:
    left = b'{"UnprocessedItems":{"counters":[{"PutRequest":{"Item":{"count":{"N":"7"},"name":{"S":"c7"}}}}]}}'
    with FakeAws() as fake, counters_on(fake) as client:
        fake.answers = [Answer(body=left), Answer(body=b'{"UnprocessedItems":{}}')]

        client.table(Counter).batch_put(ITEMS[:10])

    first, again = (request.body for request in fake.requests)
    assert first.count(b"PutRequest") == 10
    assert again == b'{"RequestItems":{"counters":[{"PutRequest":{"Item":{"name":{"S":"c7"},"count":{"N":"7"}}}}]}}'
