"""What the peers offer on their own model classes, row by row, and the test that shows it here.

The rows are those of a comparison of pydynox, PynamoDB, dyntastic, dynantic, ElectroDB, dynamodb-toolbox and Java's
Enhanced Client, wherever one of them has something. A row that is met in another way, or not yet, says so.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


@dataclass(frozen=True)
class Row:
    """One feature; `tests` as `file::function`, `exception` where it is not as the peers have it."""

    topic: str
    words: str
    tests: tuple[str, ...] = ()
    exception: str = ""


def row(topic: str, words: str, *tests: str, exception: str = "") -> Row:
    return Row(topic, words, tests, exception)


INDEXES = "indexes"
ITEMS = "items"
EXPRESSIONS = "conditions and updates"
READING = "query, scan, pages"
BATCHES = "batches and transactions"

ROWS = [
    row(
        INDEXES,
        "GSI declare + query",
        "ops/test_query.py::test_a_global_index_with_two_attributes",
        "client/test_schema.py::test_keys_indexes_and_ttl_are_read_from_the_markers",
    ),
    row(INDEXES, "LSI", "ops/test_query.py::test_a_local_index_gives_another_order"),
    row(
        INDEXES,
        "multi-attribute GSI keys",
        "ops/test_multi_attribute.py::test_create_table_describes_the_key_in_order",
        "ops/test_multi_attribute.py::test_the_order_is_that_of_the_sort_attributes_one_after_the_other",
    ),
    row(
        INDEXES,
        "left-to-right sort prefix enforced",
        "ops/test_multi_attribute.py::test_a_key_that_is_not_asked_from_left_to_right_is_refused",
    ),
    row(
        INDEXES,
        "projection ALL, KEYS_ONLY, INCLUDE",
        "ops/test_table.py::test_a_table_is_created_with_its_keys_and_indexes",
        "ops/test_index.py::test_included_fields_are_held",
        "ops/test_index.py::test_keys_are_always_held",
    ),
    row(
        INDEXES,
        "hydrate full items from KEYS_ONLY",
        "ops/test_hydrate.py::test_a_query_gives_whole_items_in_the_order_of_the_index",
    ),
    row(
        INDEXES,
        "partial-projection load safety",
        "ops/test_index.py::test_items_are_not_read_through_an_index_that_does_not_hold_them",
        "ops/test_index.py::test_a_condition_on_what_the_index_does_not_hold_is_refused_for_counts_too",
    ),
    row(
        INDEXES,
        "index name typed, autocompleted",
        "ops/test_planner.py::test_the_condition_chooses_the_table_or_the_index",
        "ops/test_query.py::test_an_unknown_index_names_those_that_exist",
        exception="fields are typed and the planner finds the index by them; `index=`, which forces one, is text",
    ),
    row(ITEMS, "get: None or raise", "ops/test_get.py::test_get_of_an_absent_item_is_none"),
    row(
        ITEMS,
        "put, upsert",
        "ops/test_put.py::test_put_replaces_the_whole_item",
        "ops/test_upsert.py::test_upsert_changes_the_item_that_is_there_and_nothing_else_of_it",
    ),
    row(ITEMS, "insert only (create)", "ops/test_put.py::test_create_of_an_existing_item_is_item_exists"),
    row(
        ITEMS,
        "update existing only (patch)",
        "ops/test_update.py::test_an_update_of_an_absent_item_is_item_not_found_and_creates_nothing",
        "ops/test_replace.py::test_replace_of_an_absent_item_is_item_not_found_and_writes_nothing",
    ),
    row(ITEMS, "update by key without read", "ops/test_update.py::test_set_writes_values_of_every_kind"),
    row(ITEMS, "delete by key", "ops/test_delete.py::test_delete_by_key_removes_the_item"),
    row(
        ITEMS,
        "ReturnValues",
        "ops/test_update.py::test_returning_gives_the_old_or_the_new_model",
        "ops/test_delete.py::test_delete_returns_the_old_item_when_asked",
    ),
    row(
        ITEMS,
        "old item on condition failure",
        "ops/test_put.py::test_put_under_a_condition_that_fails_carries_the_stored_item",
        "ops/test_delete.py::test_delete_under_a_condition_that_fails_keeps_the_item",
    ),
    row(ITEMS, "consistent read", "ops/test_get.py::test_a_consistent_read"),
    row(
        ITEMS,
        "refresh() of an instance",
        "ops/test_get.py::test_a_key_is_two_values_a_tuple_or_an_instance",
        exception="models have no methods of ours: `users.get(user)` reads the stored item anew, as another instance",
    ),
    row(
        ITEMS,
        "exists(), count()",
        "ops/test_query.py::test_first_one_and_count",
        "ops/test_get.py::test_get_of_an_absent_item_is_none",
        exception="there is no exists(): reading the item costs the same, and `get` gives None",
    ),
    row(ITEMS, "delete whole partition", "ops/test_partition.py::test_a_partition_is_deleted_by_what_a_query_finds"),
    row(
        EXPRESSIONS,
        "operators as conditions: Model.x > 1",
        "client/test_expressions.py::test_comparison_is_a_node",
        "ops/test_scan.py::test_filters",
        "typing/test_pyright.py::test_examples_are_clean",
    ),
    row(
        EXPRESSIONS,
        "values serialised by the field's type",
        "ops/test_pydantics_types.py::test_values_are_compared_as_they_are_stored",
        "ops/test_update.py::test_set_writes_values_of_every_kind",
    ),
    row(EXPRESSIONS, "unknown field name caught", "ops/test_scan.py::test_a_name_that_is_no_field_is_refused"),
    row(
        EXPRESSIONS,
        "exists, not_exists, between, in, begins_with, contains",
        "ops/test_scan.py::test_filters",
        "ops/test_conditions.py::test_contains_looks_in_text_sets_and_lists",
    ),
    row(
        EXPRESSIONS,
        "size(), attribute_type()",
        "ops/test_conditions.py::test_size_compares_with_numbers_fields_and_sizes",
        "ops/test_conditions.py::test_attribute_type_is_the_type_on_the_wire",
    ),
    row(
        EXPRESSIONS,
        "nested path, list index in conditions",
        "ops/test_conditions.py::test_paths_go_through_lists_dicts_and_nested_models_whatever_their_names",
    ),
    row(EXPRESSIONS, "AND, OR, NOT", "client/test_expressions.py::test_conditions_are_combined"),
    row(
        EXPRESSIONS,
        "reserved word escaping",
        "ops/test_conditions.py::test_paths_go_through_lists_dicts_and_nested_models_whatever_their_names",
        "ops/test_select_fields.py::test_reserved_words_and_odd_characters_never_matter",
    ),
    row(
        EXPRESSIONS, "guard of more than 100 in `in`", "ops/test_scan.py::test_more_than_a_hundred_operands_are_refused"
    ),
    row(
        EXPRESSIONS,
        "SET, REMOVE, ADD",
        "ops/test_update.py::test_set_writes_values_of_every_kind",
        "ops/test_update.py::test_add_is_atomic_arithmetic_on_numbers_and_union_on_sets",
    ),
    row(
        EXPRESSIONS,
        "if_not_exists, list append and prepend",
        "ops/test_update_values.py::test_sums_have_any_number_of_parts_and_alternatives_too",
        "ops/test_update_values.py::test_append_and_prepend_keep_the_order_of_the_items",
    ),
    row(
        EXPRESSIONS,
        "DELETE from a set",
        "ops/test_update_values.py::test_delete_takes_members_out_and_ignores_those_that_are_not_in_it",
    ),
    row(
        EXPRESSIONS,
        "attribute to attribute: a = b + 1",
        "ops/test_update_values.py::test_set_takes_other_fields_and_what_is_computed_of_them",
    ),
    row(
        EXPRESSIONS,
        "nested path updates",
        "ops/test_parts.py::test_a_part_is_set",
        "ops/test_update.py::test_nested_paths_and_list_indexes",
    ),
    row(
        EXPRESSIONS,
        "update with version and timestamp of itself",
        exception="not yet: versions and timestamps are a capability of their own, for which plans keep the place",
    ),
    row(
        EXPRESSIONS,
        "raw expression escape hatch",
        "ops/test_partiql.py::test_items_are_written_changed_and_deleted",
        "client/test_client.py::test_operation_is_shown_without_being_sent_and_run_as_often_as_one_likes",
        exception="text goes in as PartiQL, whose values are parameters; expressions come out by request()",
    ),
    row(
        READING,
        "iterator over all pages",
        "client/test_query.py::test_items_of_all_pages_come_in_order",
        "ops/test_query.py::test_pages_are_fetched_as_they_are_needed",
    ),
    row(READING, "page object, manual cursor", "ops/test_page.py::test_pages_go_through_a_partition_in_order"),
    row(READING, "opaque URL-safe cursor", "ops/test_page.py::test_a_cursor_is_short_and_stands_in_a_url_as_it_is"),
    row(
        READING,
        "limit of items apart from page size",
        "ops/test_query.py::test_limit_counts_items_after_the_filter",
        "client/test_resuming.py::test_limit_ends_the_iteration_and_page_size_what_is_read_at_once",
    ),
    row(
        READING,
        "page filled to N after filtering",
        "ops/test_page.py::test_a_page_is_filled_to_its_size_after_filtering",
    ),
    row(READING, "first(), one(), one_or_none()", "ops/test_query.py::test_first_one_and_count"),
    row(READING, "count query", "ops/test_query.py::test_first_one_and_count"),
    row(READING, "reverse order", "ops/test_page.py::test_pages_in_reverse_order"),
    row(
        READING,
        "projection",
        "ops/test_select_model.py::test_items_are_read_as_the_smaller_model",
        "ops/test_select_fields.py::test_fields_come_back_as_a_tuple_in_the_order_they_were_asked_for",
    ),
    row(
        READING,
        "parallel scan",
        "ops/test_parallel_scan.py::test_every_item_is_handed_out_once",
        "ops/test_parallel_scan.py::test_the_cursor_goes_on_right_behind_the_items_handed_out",
    ),
    row(
        READING,
        "streaming backpressure for the parallel scan",
        "client/test_parallel_scan.py::test_at_most_one_page_of_each_segment_is_on_its_way_or_waiting",
    ),
    row(
        READING,
        "fast path to dicts",
        "ops/test_partiql.py::test_items_come_back_as_dicts_without_a_model",
        "ops/test_select_model.py::test_dataclasses_and_typed_dicts_are_selected_too",
        exception="a table of a TypedDict gives dicts, checked; there is no unchecked form",
    ),
    row(
        READING,
        "PartiQL execute",
        "ops/test_partiql.py::test_items_come_back_as_models",
        "ops/test_partiql.py::test_a_parameter_is_stored_as_in_a_field_of_type_any",
    ),
    row(
        READING,
        "PartiQL batch and transaction",
        "ops/test_partiql.py::test_each_statement_of_a_batch_has_its_result_in_its_place",
        "ops/test_partiql.py::test_statements_of_a_transaction_happen_together",
    ),
    row(
        READING,
        "named access patterns",
        exception="not yet: a function that returns a query names one; key templates are a capability of their own",
    ),
    row(
        BATCHES,
        "batch get in chunks of 100",
        "ops/test_batch.py::test_any_number_of_items_is_written_and_read_in_order",
    ),
    row(
        BATCHES,
        "unprocessed keys and items retried with backoff",
        "ops/test_batch_incomplete.py::test_unprocessed_items_are_sent_again",
        "ops/test_batch_incomplete.py::test_unprocessed_keys_are_asked_again",
    ),
    row(
        BATCHES,
        "duplicate keys deduplicated",
        "ops/test_batch.py::test_a_key_asked_twice_comes_back_twice",
        "ops/test_batch.py::test_of_two_items_with_one_key_the_last_is_stored",
    ),
    row(
        BATCHES,
        "request order kept, None where missing",
        "ops/test_batch.py::test_an_absent_item_is_none_in_its_place",
    ),
    row(
        BATCHES, "batch writer with models", "ops/test_batch.py::test_any_number_of_items_is_written_and_read_in_order"
    ),
    row(
        BATCHES,
        "concurrency across chunks",
        "ops/test_batch_incomplete.py::test_so_many_requests_are_under_way_at_once",
    ),
    row(
        BATCHES,
        "report of which items failed",
        "ops/test_batch_incomplete.py::test_an_error_after_the_first_request_names_the_items_that_are_not_written",
    ),
    row(
        BATCHES,
        "batch over several tables",
        "ops/test_several_tables.py::test_any_number_of_items_of_two_tables_is_written_and_read",
    ),
    row(BATCHES, "transact write with models", "ops/test_transact.py::test_every_kind_of_write_happens_together"),
    row(
        BATCHES,
        "transact get",
        "ops/test_transact.py::test_items_of_two_tables_are_read_in_the_order_of_the_operations",
    ),
    row(
        BATCHES,
        "idempotency token",
        "ops/test_transact.py::test_a_transaction_run_again_with_its_token_is_not_done_again",
    ),
    row(
        BATCHES,
        "cancellation reasons per operation",
        "ops/test_transact.py::test_a_reason_is_what_the_operation_alone_would_have_raised",
        "ops/test_transact.py::test_a_refused_condition_carries_the_stored_item_as_a_model",
    ),
    row(
        BATCHES,
        "more than 100 operations: an error",
        "ops/test_transact.py::test_more_than_a_hundred_operations_are_explained",
    ),
]


@cache
def functions(path: str) -> frozenset[str]:
    """The tests that a file defines."""
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def _id(each: Row) -> str:
    return f"{each.topic}: {each.words}"


@pytest.mark.parametrize("each", ROWS, ids=_id)
def test_each_row_of_the_peers_has_a_test_or_a_stated_exception(each: Row) -> None:
    assert each.tests or each.exception


@pytest.mark.parametrize("each", ROWS, ids=_id)
def test_each_test_that_is_named_is_there(each: Row) -> None:
    for name in each.tests:
        path, _, function = name.partition("::")
        assert function.startswith("test_")
        assert function in functions(path), name


def test_no_row_is_told_twice() -> None:
    assert len({_id(each) for each in ROWS}) == len(ROWS)
