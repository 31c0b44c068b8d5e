"""What is sent, what is sent again, and what a failure says, over HTTP."""

import contextlib
import json
from collections.abc import Iterator
from typing import Annotated, Any

import pytest

from oxidyn import ConnectError, ReplyError, RequestTimeout, ServiceError, TableNotFound, TransportError, _core
from tests.fake_aws import Answer, FakeAws, refusal

PUT = b'{"TableName":"things","Item":{"id":{"S":"1"}}}'
CONDITIONAL_PUT = b'{"TableName":"things","Item":{"id":{"S":"1"}},"ConditionExpression":"attribute_not_exists(id)"}'


@pytest.fixture
def fake() -> Iterator[FakeAws]:
    with FakeAws() as fake:
        yield fake


def client_of(fake: FakeAws, **options: Any) -> _core.Client:
    return _core.Client(
        **{
            "endpoint_url": fake.url,
            "region": "eu-central-1",
            "access_key_id": "KEY",
            "secret_access_key": "secret",
            **options,
        }
    )


def test_request_is_dynamodbs_json_protocol(fake: FakeAws) -> None:
    fake.answers = [Answer(body=b'{"Attributes":{}}')]

    reply = client_of(fake)._call("PutItem", PUT)

    (request,) = fake.requests
    assert reply == b'{"Attributes":{}}'
    assert (request.method, request.path, request.body) == ("POST", "/", PUT)
    assert request.headers["x-amz-target"] == "DynamoDB_20120810.PutItem"
    assert request.headers["content-type"] == "application/x-amz-json-1.0"
    assert request.headers["user-agent"].startswith("oxidyn/")
    assert "/dynamodb/aws4_request" in request.headers["authorization"]


def test_signature_is_botocores(fake: FakeAws) -> None:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    client_of(fake)._call("PutItem", PUT)

    (request,) = fake.requests
    authorization = request.headers["authorization"]
    signed = authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    again = AWSRequest("POST", fake.url + "/", {name: request.headers[name] for name in signed}, request.body)
    again.context["timestamp"] = request.headers["x-amz-date"]
    signer = SigV4Auth(Credentials("KEY", "secret"), "dynamodb", "eu-central-1")
    signature = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
    assert authorization.endswith(f"Signature={signature}")


def test_connection_is_kept(fake: FakeAws) -> None:
    client = client_of(fake)

    for _ in range(5):
        client._call("PutItem", PUT)

    assert fake.opened == 1


@pytest.mark.parametrize(
    "answer",
    [
        refusal("ProvisionedThroughputExceededException"),
        refusal("ThrottlingException"),
        refusal("RequestLimitExceeded"),
    ],
    ids=lambda answer: f"{answer.status} {answer.body[:60].decode()}",
)
def test_throttling_is_tried_again_whatever_was_asked(fake: FakeAws, answer: Answer) -> None:
    fake.answers = [answer, Answer(body=b'{"ok":1}')]

    assert client_of(fake)._call("PutItem", CONDITIONAL_PUT) == b'{"ok":1}'
    assert len(fake.requests) == 2


IN_DOUBT = [refusal("InternalServerError", status=500), Answer(503, b"<html>busy</html>")]


@pytest.mark.parametrize("answer", IN_DOUBT, ids=["500", "503"])
def test_a_failure_of_the_server_is_tried_again_where_that_is_harmless(fake: FakeAws, answer: Answer) -> None:
    fake.answers = [answer, Answer(body=b'{"ok":1}')]

    assert client_of(fake)._call("PutItem", PUT) == b'{"ok":1}'
    assert len(fake.requests) == 2


@pytest.mark.parametrize("answer", IN_DOUBT, ids=["500", "503"])
def test_a_failure_of_the_server_leaves_a_call_that_counts_in_doubt(fake: FakeAws, answer: Answer) -> None:
    fake.answers = [answer]

    with pytest.raises((ServiceError, ReplyError)) as caught:
        client_of(fake)._call("UpdateItem", PUT)

    assert caught.value.ambiguous is True
    assert len(fake.requests) == 1


def test_refusals_are_not_tried_again(fake: FakeAws) -> None:
    fake.answers = [refusal("ValidationException", "a bad request")]

    with pytest.raises(ServiceError, match="a bad request") as caught:
        client_of(fake)._call("PutItem", PUT)

    assert caught.value.code == "ValidationException"
    assert len(fake.requests) == 1


def cancelled(*codes: str) -> Answer:
    reasons = [{"Code": code, "Message": None} for code in codes]
    body = {"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "CancellationReasons": reasons}
    return Answer(400, json.dumps(body).encode())


@pytest.mark.parametrize(
    "answer",
    [
        cancelled("None", "TransactionConflict"),
        cancelled("TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"),
        refusal("TransactionConflictException"),
        refusal("TransactionInProgressException"),
    ],
)
@pytest.mark.parametrize("operation", ["TransactWriteItems", "UpdateItem"])
def test_a_conflict_of_transactions_is_retried(fake: FakeAws, answer: Answer, operation: str) -> None:
    fake.answers = [answer]

    client_of(fake)._call(operation, CONDITIONAL_PUT)

    assert len(fake.requests) == 2


@pytest.mark.parametrize(
    "answer",
    [
        cancelled("TransactionConflict", "ConditionalCheckFailed"),
        cancelled("ConditionalCheckFailed"),
        cancelled("ValidationError", "None"),
        cancelled("None"),
        cancelled(),
        refusal("TransactionCanceledException"),
        refusal("IdempotentParameterMismatchException"),
    ],
)
def test_a_transaction_that_cannot_go_through_is_not_retried(fake: FakeAws, answer: Answer) -> None:
    fake.answers = [answer]

    with pytest.raises(ServiceError):
        client_of(fake)._call("TransactWriteItems", b"{}")

    assert len(fake.requests) == 1


def test_attempts_are_counted_from_the_first(fake: FakeAws) -> None:
    fake.answers = [refusal("ThrottlingException") for _ in range(9)]

    with pytest.raises(ServiceError, match="ThrottlingException"):
        client_of(fake, max_attempts=2)._call("PutItem", PUT)

    assert len(fake.requests) == 2


@pytest.mark.parametrize("operation", ["GetItem", "PutItem", "DeleteItem", "Query"])
def test_lost_answer_of_a_repeatable_call_is_asked_for_again(fake: FakeAws, operation: str) -> None:
    fake.answers = [Answer(cut="before")]

    client_of(fake)._call(operation, PUT)

    assert len(fake.requests) == 2


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("UpdateItem", PUT),
        ("PutItem", CONDITIONAL_PUT),
        ("TransactWriteItems", b"{}"),
        ("DeleteItem", b'{"ReturnValues":"ALL_OLD"}'),
        ("CreateTable", b"{}"),
        ("DeleteTable", b"{}"),
        ("UpdateTimeToLive", b"{}"),
    ],
)
def test_lost_answer_of_a_call_that_counts_is_told_as_ambiguous(fake: FakeAws, operation: str, body: bytes) -> None:
    fake.answers = [Answer(cut="before")]

    with pytest.raises(ConnectError, match="may have been carried out") as caught:
        client_of(fake)._call(operation, body)

    assert caught.value.ambiguous is True
    assert len(fake.requests) == 1


@pytest.mark.parametrize(
    ("operation", "body", "times"),
    [
        ("ExecuteStatement", b'{"Statement":"select * FROM users"}', 2),
        ("ExecuteStatement", b'{"Statement":"UPDATE users SET age = age + 1"}', 1),
        ("BatchExecuteStatement", b'{"Statements":[{"Statement":"SELECT * FROM users"}]}', 2),
        ("BatchExecuteStatement", b'{"Statements":[{"Statement":"DELETE FROM users"}]}', 1),
    ],
)
def test_lost_answer_of_a_statement_is_asked_for_again_where_it_only_reads(
    fake: FakeAws, operation: str, body: bytes, times: int
) -> None:
    fake.answers = [Answer(cut="before")]

    with contextlib.suppress(ConnectError):
        client_of(fake)._call(operation, body)

    assert len(fake.requests) == times


def test_transaction_with_a_token_is_repeatable(fake: FakeAws) -> None:
    fake.answers = [Answer(cut="before")]

    client_of(fake)._call("TransactWriteItems", b'{"ClientRequestToken":"t"}')

    assert len(fake.requests) == 2


def test_late_answer_is_told_as_ambiguous(fake: FakeAws) -> None:
    fake.answers = [Answer(hold=True)]

    with pytest.raises(RequestTimeout, match="did not answer in time") as caught:
        client_of(fake, read_timeout=0.1, max_attempts=1)._call("PutItem", PUT)

    assert caught.value.ambiguous is True


@pytest.mark.parametrize("status", [200, 404])
def test_answer_that_is_not_dynamodbs_is_told(fake: FakeAws, status: int) -> None:
    fake.answers = [Answer(status, b"<html>hello</html>")]

    with pytest.raises(ReplyError, match=f"what answers at {fake.url} is not DynamoDB.*HTTP {status}"):
        client_of(fake)._call("PutItem", PUT)


def test_closed_client_refuses_further_calls(fake: FakeAws) -> None:
    from oxidyn import ClientClosed

    client = client_of(fake)
    client.close()
    client.close()

    with pytest.raises(ClientClosed, match="make a new one"):
        client._call("PutItem", PUT)


def test_large_bodies_pass_both_ways(fake: FakeAws) -> None:
    body = json.dumps({"Items": ["x" * 1000] * 1000}).encode()
    fake.answers = [Answer(body=body)]

    assert client_of(fake)._call("Query", body) == body
    assert fake.requests[0].body == body


def test_error_of_a_table_names_the_request(fake: FakeAws) -> None:
    from oxidyn import Client, Model, PartitionKey

    class Thing(Model, table="things"):
        id: Annotated[str, PartitionKey]

    fake.answers = [refusal("ResourceNotFoundException")]
    client = Client(endpoint_url=fake.url, region="eu-central-1", access_key_id="KEY", secret_access_key="secret")

    with pytest.raises(TableNotFound) as caught:
        client.table(Thing).get("1")

    assert caught.value.request_id == "request-1"


def test_operation_timeout_ends_a_call_with_all_its_tries(fake: FakeAws) -> None:
    fake.answers = [Answer(hold=True) for _ in range(9)]

    with pytest.raises(RequestTimeout, match=r"within operation_timeout, 200ms for all tries together") as caught:
        client_of(fake, read_timeout=60, operation_timeout=0.2)._call("GetItem", b"{}")

    assert caught.value.ambiguous is True
    assert len(fake.requests) == 1


@pytest.mark.parametrize(
    ("variable", "value", "tries"),
    [
        ("AWS_MAX_ATTEMPTS", "2", 2),
        ("AWS_RETRY_MODE", "legacy", 3),
        ("AWS_RETRY_MODE", "standard", 3),
    ],
)
def test_retries_as_the_environment_says(
    fake: FakeAws, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, tries: int
) -> None:
    monkeypatch.setenv(variable, value)
    fake.answers = [refusal("ThrottlingException") for _ in range(9)]

    with pytest.raises(ServiceError, match="ThrottlingException"):
        client_of(fake)._call("PutItem", PUT)

    assert len(fake.requests) == tries


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("AWS_MAX_ATTEMPTS", "0", 'AWS_MAX_ATTEMPTS is "0"; expected a whole number from 1 on'),
        ("AWS_MAX_ATTEMPTS", "many", 'AWS_MAX_ATTEMPTS is "many"; expected a whole number from 1 on'),
        ("AWS_RETRY_MODE", "often", 'AWS_RETRY_MODE is "often"; expected "standard" or "adaptive"'),
    ],
)
def test_retries_that_cannot_be_are_told(
    fake: FakeAws, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(TransportError) as caught:
        client_of(fake)._call("PutItem", PUT)

    assert str(caught.value) == expected
    assert fake.requests == []


def test_trace_of_a_lambda_invocation_is_passed_on(fake: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "function")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793")

    client_of(fake)._call("GetItem", b"{}")

    assert fake.requests[0].headers["x-amzn-trace-id"] == "Root=1-5759e988-bd862e3fe1be46a994272793"
