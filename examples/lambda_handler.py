"""A Lambda function on a DynamoDB stream: images become models, a feed table counts what they say.

The stream's records hold items in DynamoDB's own JSON, which `ItemAdapter.load_item` reads; the client is made once for
each execution environment, with the first event that needs it, so that a cold start pays for nothing else.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Annotated, Any, Literal

from oxidyn import Attribute, Client, InvalidItem, ItemAdapter, ItemExists, Model, PartitionKey, SortKey, Table, attr


class Bark(Model):
    """An item of the table whose stream this is, under the names that its writers chose."""

    user: Annotated[str, PartitionKey, Attribute(name="Username")]
    at: Annotated[str, SortKey, Attribute(name="Timestamp")]
    message: Annotated[str, Attribute(name="Message")]


class Feed(Model, table="feeds"):
    """How often a user barked, and the last thing said."""

    user: Annotated[str, PartitionKey]
    barks: int = 0
    last: str | None = None


barks = ItemAdapter(Bark)


@cache
def feeds() -> Table[Feed]:
    """Connect with the first event; region and credentials are those of the function."""
    return Client().table(Feed, name=os.environ.get("FEEDS_TABLE"))


def handler(event: Mapping[str, Any], _context: object) -> dict[Literal["batchItemFailures"], list[dict[str, str]]]:
    """Count each new bark; one that cannot be read is reported back, so that Lambda retries from there."""
    for record in event["Records"]:
        change = record["dynamodb"]
        if record["eventName"] != "INSERT":
            continue
        try:
            bark = barks.load_item(change["NewImage"])
        except InvalidItem:
            return {"batchItemFailures": [{"itemIdentifier": change["SequenceNumber"]}]}
        count(bark)
    return {"batchItemFailures": []}


def count(bark: Bark) -> None:
    """Add one bark to its user's feed, which the first one creates."""
    with suppress(ItemExists):
        feeds().create(Feed(user=bark.user))
    feeds().update(bark.user, attr(Feed.barks).add(1), attr(Feed.last).set(bark.message))
