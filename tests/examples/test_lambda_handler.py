"""Events as AWS prints them in its documentation.

`BARK` is the DynamoDB Developer Guide's ("DynamoDB Streams and AWS Lambda triggers"), `THREE_CHANGES` the Lambda
Developer Guide's ("Using Lambda with Amazon DynamoDB").
"""

import copy
from base64 import b64decode
from typing import Annotated

import pytest

from examples import lambda_handler
from examples.lambda_handler import Feed, handler
from oxidyn import Attribute, ItemAdapter, Model, PartitionKey

BARK = {
    "Records": [
        {
            "eventID": "7de3041dd709b024af6f29e4fa13d34c",
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "region",
            "dynamodb": {
                "ApproximateCreationDateTime": 1479499740,
                "Keys": {"Timestamp": {"S": "2016-11-18:12:09:36"}, "Username": {"S": "John Doe"}},
                "NewImage": {
                    "Timestamp": {"S": "2016-11-18:12:09:36"},
                    "Message": {"S": "This is a bark from the Woofer social network"},
                    "Username": {"S": "John Doe"},
                },
                "SequenceNumber": "13021600000000001596893679",
                "SizeBytes": 112,
                "StreamViewType": "NEW_IMAGE",
            },
            "eventSourceARN": "arn:aws:dynamodb:region:123456789012:table/BarkTable/stream/2016-11-16T20:42:48.104",
        }
    ]
}

THREE_CHANGES = {
    "Records": [
        {
            "eventID": "1",
            "eventVersion": "1.0",
            "dynamodb": {
                "Keys": {"Id": {"N": "101"}},
                "NewImage": {"Message": {"S": "New item!"}, "Id": {"N": "101"}},
                "StreamViewType": "NEW_AND_OLD_IMAGES",
                "SequenceNumber": "111",
                "SizeBytes": 26,
            },
            "awsRegion": "us-west-2",
            "eventName": "INSERT",
            "eventSourceARN": "eventsourcearn",
            "eventSource": "aws:dynamodb",
        },
        {
            "eventID": "2",
            "eventVersion": "1.0",
            "dynamodb": {
                "OldImage": {"Message": {"S": "New item!"}, "Id": {"N": "101"}},
                "SequenceNumber": "222",
                "Keys": {"Id": {"N": "101"}},
                "SizeBytes": 59,
                "NewImage": {"Message": {"S": "This item has changed"}, "Id": {"N": "101"}},
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
            "awsRegion": "us-west-2",
            "eventName": "MODIFY",
            "eventSourceARN": "sourcearn",
            "eventSource": "aws:dynamodb",
        },
        {
            "eventID": "3",
            "eventVersion": "1.0",
            "dynamodb": {
                "Keys": {"Id": {"N": "101"}},
                "SizeBytes": 38,
                "SequenceNumber": "333",
                "OldImage": {"Message": {"S": "This item has changed"}, "Id": {"N": "101"}},
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
            "awsRegion": "us-west-2",
            "eventName": "REMOVE",
            "eventSourceARN": "sourcearn",
            "eventSource": "aws:dynamodb",
        },
    ]
}


class Message(Model):
    id: Annotated[int, PartitionKey, Attribute(name="Id")]
    message: Annotated[str, Attribute(name="Message")]


@pytest.fixture(params=["embedded", "moto"])
def feeds(request, moto_server, table_name, monkeypatch):
    """The handler's feeds, in process and as Lambda has them: found by the environment, over HTTP."""
    from oxidyn import Client

    if request.param == "moto":
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", moto_server.endpoint_url)
        monkeypatch.setenv("AWS_REGION", "eu-central-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        monkeypatch.setenv("FEEDS_TABLE", table_name)
        lambda_handler.feeds.cache_clear()
        table = lambda_handler.feeds()
        table.create_table()
        yield table
        lambda_handler.feeds.cache_clear()
    else:
        with Client.local() as client:
            table = client.table(Feed)
            table.create_table()
            monkeypatch.setattr(lambda_handler, "feeds", lambda: table)
            yield table


def test_a_bark_becomes_its_users_feed(feeds):
    answer = handler(BARK, None)

    assert answer == {"batchItemFailures": []}
    assert feeds.get("John Doe") == Feed(user="John Doe", barks=1, last="This is a bark from the Woofer social network")


def test_a_second_bark_is_counted(feeds):
    handler(BARK, None)
    handler(BARK, None)

    assert feeds.get("John Doe").barks == 2


def test_an_image_that_cannot_be_read_is_reported_with_its_sequence_number(feeds):
    event = copy.deepcopy(BARK)
    event["Records"][0]["dynamodb"]["NewImage"]["Message"] = {"N": "42"}

    answer = handler(event, None)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "13021600000000001596893679"}]}
    assert feeds.get("John Doe") is None


def test_only_new_barks_count(feeds):
    event = copy.deepcopy(BARK)
    event["Records"][0]["eventName"] = "REMOVE"

    handler(event, None)

    assert feeds.get("John Doe") is None


def test_the_images_of_an_insert_a_change_and_a_removal_become_models():
    adapter = ItemAdapter(Message)
    changes = [record["dynamodb"] for record in THREE_CHANGES["Records"]]

    images = [
        [adapter.load_item(change[image]) for image in ("OldImage", "NewImage") if image in change]
        for change in changes
    ]

    assert images == [
        [Message(id=101, message="New item!")],
        [Message(id=101, message="New item!"), Message(id=101, message="This item has changed")],
        [Message(id=101, message="This item has changed")],
    ]


def test_binary_in_an_image_is_base64():
    class Blob(Model):
        key: Annotated[str, PartitionKey]
        asdf1: bytes
        asdf2: set[bytes]

    # The values of the console's sample event "DynamoDB Update".
    image = {"key": {"S": "binary"}, "asdf1": {"B": "AAEqQQ=="}, "asdf2": {"BS": ["AAEqQQ==", "QSoBAA=="]}}

    blob = ItemAdapter(Blob).load_item(image)

    assert blob.asdf1 == b64decode("AAEqQQ==")
    assert blob.asdf2 == {b64decode("AAEqQQ=="), b64decode("QSoBAA==")}
