"""Every rule of how values are stored and read, in its own words, with the tests that show it.

An index: docs/supported-types.md tells users the same rules. A rule without a test fails here, and so does a name of a
test that is not there.
"""

import ast
import functools
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

PRESENCE = {
    "a field is stored under Attribute(name=...), else its serialization alias with serialize_by_alias, else its name": (
        "codec/test_model.py::test_a_field_is_stored_under_attribute_name_else_its_serialization_alias_when_by_alias_is_on_else_its_name",
        "codec/test_model.py::test_an_alias_generator_names_what_is_stored_only_where_serialization_goes_by_alias",
    ),
    "None is left out only as a field whose default is literally None, not a factory": (
        "codec/test_optional.py::test_none_is_left_out_as_a_field_whose_default_is_literally_none",
    ),
    "a TypedDict key is left out only when absent": (
        "codec/test_optional.py::test_a_typed_dicts_key_that_is_none_is_null_and_is_left_out_only_when_absent",
        "codec/test_model_typed_dict.py::test_any_typed_dict_comes_back_and_a_key_is_left_out_only_when_absent",
    ),
    "elsewhere None is NULL": ("codec/test_optional.py::test_none_is_null_elsewhere",),
    "an index key that is None is left out, and must have the default None": (
        "codec/test_key_spec.py::test_an_index_key_that_is_none_is_left_out",
        "codec/test_key_spec.py::test_an_index_key_that_may_be_none_must_have_the_default_none",
    ),
    "an empty set is left out only as a field for which absent gives the empty set back": (
        "codec/test_set.py::test_an_empty_set_is_left_out_where_absent_gives_the_empty_set_back",
        "codec/test_set.py::test_an_empty_set_in_a_nested_model_is_left_out_there_too",
    ),
    "everywhere else an empty set is an empty L, which a set field reads as the empty set": (
        "codec/test_set.py::test_an_empty_set_is_an_empty_list_everywhere_else",
    ),
    "a required set read from absent is the empty set and still passes its constraints": (
        "codec/test_set.py::test_a_required_set_read_from_absent_still_passes_its_constraints",
    ),
    "absent comes back as the default or the factory's value, else `missing`": (
        "codec/test_model.py::test_absent_comes_back_as_the_default_or_the_factorys_value",
        "codec/test_model.py::test_a_missing_value_is_refused_with_its_path_as_pydantic_does",
    ),
    'unset="store" stores fields that were never set': (
        "codec/test_model.py::test_unset_fields_are_stored_with_their_default",
    ),
    'unset="skip" leaves out fields never set whose default is a plain value, and stores those with a factory': (
        "codec/test_model.py::test_with_unset_skip_fields_never_set_whose_default_is_a_plain_value_are_left_out",
    ),
    'unset="skip" always stores keys and index keys': (
        "codec/test_key_spec.py::test_with_unset_skip_keys_and_index_keys_are_stored_all_the_same",
    ),
    'unset="skip" always stores literals and enums that discriminate a union': (
        "codec/test_union.py::test_literals_that_discriminate_are_always_stored",
        "codec/test_union_discriminator.py::test_literals_that_a_function_may_look_at_are_always_stored",
    ),
    'unset="skip" always stores fields written by update': (
        "ops/test_update.py::test_fields_written_by_update_are_stored_where_unset_ones_are_left_out",
    ),
    "exclude=True is an API matter: stored": (
        "codec/test_model.py::test_exclude_is_an_api_matter_the_field_is_stored",
    ),
    "computed fields are stored where they are marked": (
        "codec/test_model_computed.py::test_a_computed_field_with_a_stored_name_is_stored_under_it_and_others_are_not",
    ),
    "computed fields are not stored, nor are private attributes": (
        "codec/test_model.py::test_computed_fields_and_private_attributes_are_not_stored",
    ),
}

SCALARS = {
    "int, float and Decimal are N": (
        "codec/test_number_int.py::test_int_is_stored_as_n",
        "codec/test_number_float.py::test_float_is_stored_as_n",
        "codec/test_number_decimal.py::test_decimal_is_stored_as_n",
    ),
    "a float is its shortest text that reads back as the same float": (
        "codec/test_number_float.py::test_float_is_stored_as_its_shortest_text_that_reads_back_as_the_same_float",
    ),
    "Decimal and int are exact, never through a float": (
        "codec/test_number_decimal.py::test_decimal_is_stored_exactly_never_through_a_float",
        "codec/test_number_int.py::test_int_is_stored_exactly_never_through_a_float",
        "codec/test_number_decimal.py::test_digits_are_kept_where_arithmetic_would_round_to_28",
    ),
    "38 significant digits and exponents from -130 to 125": (
        "codec/test_number_int.py::test_38_significant_digits_count_without_trailing_zeros",
        "codec/test_number_int.py::test_int_beyond_dynamodbs_numbers_is_an_error_naming_the_field",
        "codec/test_number_float.py::test_nan_infinities_and_what_is_out_of_range_are_errors_naming_the_field",
    ),
    "nan, infinities and too many digits are errors naming the field": (
        "codec/test_number_decimal.py::test_nan_infinities_and_too_many_digits_are_errors_naming_the_field",
        "codec/test_number_float.py::test_nan_infinities_and_what_is_out_of_range_are_errors_naming_the_field",
    ),
    "numbers are compared by value: DynamoDB writes them in its own form": (
        "codec/test_number_int.py::test_a_number_is_read_by_value",
        "codec/test_key_spec.py::test_a_number_key_is_compared_by_value",
    ),
    "bool is BOOL": ("codec/test_scalar_bool.py::test_bool_is_stored_as_bool",),
    "str is S": ("codec/test_string.py::test_str_is_stored_as_s",),
    "bytes and bytearray are B": (
        "codec/test_bytes.py::test_bytes_are_stored_as_b",
        "codec/test_any.py::test_a_value_is_stored_by_its_type_and_read_by_its_tag",
    ),
    "an aware datetime is S in UTC with six digits and Z: the instant is kept, the offset is not": (
        "codec/test_temporal_datetime.py::test_aware_datetime_is_stored_as_s_in_utc_with_six_digits_and_z",
        "codec/test_temporal_datetime.py::test_the_instant_is_kept_the_offset_is_not",
    ),
    "Attribute(utc=False) keeps the offset in a field that is no key or index, and is not ordered": (
        "codec/test_temporal_datetime.py::test_a_datetime_keeps_its_offset_where_asked_for",
        "codec/test_temporal_datetime.py::test_a_datetime_that_keeps_its_offset_is_no_key_and_no_number",
        "ops/test_scan.py::test_order_on_a_datetime_that_keeps_its_offset_is_refused",
    ),
    "a naive datetime is the same without Z": (
        "codec/test_temporal_datetime.py::test_naive_datetime_is_stored_the_same_without_z",
    ),
    "the fraction is never dropped, so that text sorts as time does": (
        "codec/test_temporal_datetime.py::test_stored_texts_sort_as_the_instants_do",
    ),
    "in a key, an index or an order comparison a naive value is refused unless the field is NaiveDatetime": (
        "codec/test_key_spec.py::test_a_naive_value_in_a_key_or_an_index_is_refused_unless_the_field_is_naive",
        "ops/test_query.py::test_a_range_of_a_naive_datetime_is_refused",
        "ops/test_get.py::test_a_naive_datetime_in_a_key_is_refused",
    ),
    "an instant outside years 1 to 9999 in UTC is an error naming the field": (
        "codec/test_temporal_datetime.py::test_an_instant_outside_years_1_to_9999_in_utc_is_an_error_naming_the_field",
    ),
    "reading accepts every form that Pydantic does": (
        "codec/test_temporal_datetime.py::test_reading_accepts_every_form_pydantic_does",
        "codec/test_temporal_date.py::test_reading_accepts_every_form_pydantic_does",
        "codec/test_temporal_time.py::test_reading_accepts_every_form_pydantic_does",
        "codec/test_temporal_timedelta.py::test_reading_accepts_every_form_pydantic_does",
        "codec/test_uuid.py::test_reading_accepts_every_form_pydantic_does",
    ),
    "Epoch is N seconds, exact to the microsecond": (
        "codec/test_temporal_datetime.py::test_epoch_is_stored_as_n_seconds",
        "codec/test_temporal_datetime.py::test_epoch_is_exact_to_the_microsecond",
    ),
    'Epoch("ms") is integral milliseconds, and a remainder is an error naming the field': (
        "codec/test_temporal_datetime.py::test_epoch_in_milliseconds_is_integral",
        "codec/test_temporal_datetime.py::test_a_remainder_of_a_millisecond_is_an_error_naming_the_field",
    ),
    "TTL is whole seconds, rounded up, in conditions as in storage": (
        "codec/test_temporal_datetime.py::test_ttl_is_stored_as_whole_seconds_rounded_up",
        "ops/test_scan.py::test_a_ttl_is_rounded_up_in_conditions_as_in_storage",
    ),
    "naive values are refused in Epoch and TTL": (
        "codec/test_temporal_datetime.py::test_naive_values_are_refused_in_epoch_and_ttl",
    ),
    "an int field of Epoch or TTL is stored as it is": (
        "codec/test_temporal_datetime.py::test_an_int_field_of_ttl_or_epoch_is_stored_as_it_is",
    ),
    "date is S": ("codec/test_temporal_date.py::test_date_is_stored_as_s",),
    "time is S, always with six digits": (
        "codec/test_temporal_time.py::test_time_is_stored_as_s_always_with_six_digits",
    ),
    "an aware time keeps its offset, UTC as Z": (
        "codec/test_temporal_time.py::test_an_aware_time_keeps_its_offset_utc_as_z",
    ),
    "an aware time is refused in keys and order comparisons": (
        "codec/test_key_spec.py::test_an_aware_time_in_a_key_is_refused",
        "ops/test_scan.py::test_order_on_an_aware_time_is_refused",
    ),
    "timedelta is N seconds, exact": (
        "codec/test_temporal_timedelta.py::test_timedelta_is_stored_as_n_seconds",
        "codec/test_temporal_timedelta.py::test_any_timedelta_is_stored_exactly",
    ),
    "UUID is S": ("codec/test_uuid.py::test_uuid_is_stored_as_s_hyphenated_and_in_lower_case",),
    "URL, IP, path and pattern are S": (
        "codec/test_opaque.py::test_it_is_stored_as_pydantics_json_mode_writes_it",
        "codec/test_url.py::test_a_url_is_stored_as_its_text_and_comes_back_of_its_class",
        "codec/test_supported_types.py::test_a_supported_type_is_stored_and_read_as_the_page_says",
        "codec/test_ninety_nine_cases.py::test_what_was_saved_is_loaded_equal_and_of_the_same_type",
    ),
    "enum and literal are stored by value": (
        "codec/test_choice_enum.py::test_enum_is_stored_by_value",
        "codec/test_choice_literal.py::test_literal_is_stored_by_value",
    ),
    "a secret without Attribute(plaintext=True) is refused when compiled": (
        "codec/test_ninety_nine_cases.py::test_a_secret_is_refused_where_nothing_says_that_it_is_stored_as_plain_text",
        "codec/test_secret.py::test_a_secret_is_refused_when_compiled_with_what_to_say",
    ),
    "Attribute(plaintext=True) covers every secret inside the field's type": (
        "codec/test_secret.py::test_with_plaintext_every_secret_inside_is_stored_by_its_value_and_comes_back",
        "codec/test_secret.py::test_plaintext_is_the_fields_own_also_where_a_model_is_shared_or_recursive",
    ),
    "Any is stored by run-time type and comes back by wire tag": (
        "codec/test_any.py::test_a_value_is_stored_by_its_type_and_read_by_its_tag",
        "codec/test_any.py::test_any_value_of_the_wires_own_types_comes_back",
    ),
    "N of Any is an int where integral, a float where its shortest decimal is equal in value, else Decimal": (
        "codec/test_any.py::test_a_number_comes_back_as_int_as_float_where_that_is_equal_in_value_else_as_decimal",
    ),
    'any_numbers="decimal" gives Decimal for all but ints': (
        "codec/test_any.py::test_a_number_comes_back_as_a_decimal_unless_it_is_integral_where_the_table_says_so",
    ),
    "map keys inside Any must be str": ("codec/test_any.py::test_a_bare_dicts_keys_must_be_text",),
}

COLLECTIONS = {
    "list, tuple, deque and named tuple are L": (
        "codec/test_list_deque.py::test_a_deque_is_stored_as_l",
        "codec/test_named_tuple.py::test_a_named_tuple_is_stored_as_l_in_the_order_of_its_fields",
        "codec/test_list.py::test_list_is_stored_as_l",
        "codec/test_list_tuple.py::test_tuple_is_stored_as_l",
    ),
    "set and frozenset whose elements have exactly one tag S, N or B are SS, NS, BS": (
        "codec/test_set.py::test_a_set_whose_elements_have_one_tag_s_n_or_b_is_a_set_on_the_wire",
    ),
    "other sets are L": ("codec/test_set.py::test_other_sets_are_lists",),
    "dict is M with string keys as Pydantic's JSON mode writes them": (
        "codec/test_map.py::test_dict_is_stored_as_m",
        "codec/test_map.py::test_keys_are_text_as_pydantics_json_mode_writes_them_and_come_back_typed",
    ),
    "enum and literal keys go by our own tables": (
        "codec/test_map.py::test_keys_are_text_as_pydantics_json_mode_writes_them_and_come_back_typed",
    ),
    "two keys with one text are an error with the path before sending": (
        "codec/test_map.py::test_two_keys_with_one_text_are_an_error_with_the_path",
    ),
    "None as a key is an error with the path before sending": (
        "codec/test_map.py::test_none_as_a_key_is_an_error_with_the_path",
    ),
    "an empty key at any depth is an error with the path before sending": (
        "codec/test_map.py::test_an_empty_key_at_any_depth_is_an_error_with_the_path_before_sending",
    ),
    "a key type whose text cannot be read back is refused when compiled": (
        "codec/test_map.py::test_a_key_type_whose_text_cannot_be_read_back_is_refused_when_compiled",
        "codec/test_map.py::test_a_model_as_key_is_refused_when_compiled",
    ),
    "models, dataclasses and TypedDicts are M": (
        "codec/test_model.py::test_models_are_stored_as_m",
        "codec/test_model_dataclass.py::test_dataclasses_are_stored_as_m",
        "codec/test_model_typed_dict.py::test_typed_dicts_are_stored_as_m",
    ),
    "a union is decided by the wire tag": (
        "codec/test_union.py::test_any_value_comes_back_equal_or_as_the_member_that_reads_its_text",
    ),
    "among members that share a tag, as Pydantic's JSON mode decides for that text or number": (
        "codec/test_union.py::test_text_is_read_as_pydantics_json_mode_reads_it",
        "codec/test_union.py::test_a_number_is_read_as_pydantics_json_mode_reads_it",
    ),
    "a str that reads as another member comes back as that member": (
        "codec/test_union.py::test_a_str_that_reads_as_another_member_comes_back_as_that_member_as_through_pydantics_json",
    ),
    "models of one shape: Pydantic's smart mode on the decoded values": (
        "codec/test_union.py::test_what_is_stored_comes_back_as_the_member_it_is_read_as",
    ),
    "at most 32 levels": (
        "codec/test_reference.py::test_at_most_32_levels_are_stored",
        "ops/test_limits.py::test_a_value_inside_31_lists_or_maps_is_stored_and_inside_32_is_refused",
    ),
    "cycles are errors": (
        "codec/test_reference.py::test_a_cycle_is_an_error_and_not_a_crash",
        "codec/test_list.py::test_a_list_that_holds_itself_is_an_error_and_not_a_crash",
        "codec/test_map.py::test_a_dict_that_holds_itself_is_an_error_and_not_a_crash",
        "codec/test_any.py::test_a_value_that_contains_itself_is_refused",
    ),
    "items over 400 KB are refused before they are sent, with their size and heaviest attributes": (
        "ops/test_limits.py::test_an_item_over_400_kb_is_refused_before_it_is_sent",
        "ops/test_limits.py::test_the_message_names_the_parts_that_weigh_most",
    ),
}

SERIALIZERS_AND_VALIDATORS = {
    "a serializer decides the stored form only where a before, wrap or plain validator can undo it": (
        "codec/test_function_serializers.py::test_a_serializer_that_a_before_validator_can_undo_decides_what_is_stored",
        "codec/test_function_serializers.py::test_a_serializer_beside_a_plain_validator_decides_what_is_stored",
        "codec/test_function_serializers.py::test_a_serializer_of_a_model_counts_where_a_validator_can_undo_it",
    ),
    "the validator that undoes a serializer runs on every load, trust too": (
        "codec/test_function_serializers.py::test_a_validator_that_undoes_a_serializer_runs_on_every_load",
    ),
    "with an after validator only, compiling asks for Attribute(serializer=True | False)": (
        "codec/test_function_serializers.py::test_a_serializer_beside_an_after_validator_must_say_what_it_is",
    ),
    "otherwise a serializer is presentation and the value itself is stored": (
        "codec/test_function_serializers.py::test_a_serializer_that_nothing_can_undo_is_for_an_api_and_the_value_itself_is_stored",
        "codec/test_function_serializers.py::test_a_serializer_of_a_model_that_nothing_can_undo_is_for_an_api",
    ),
    "a serializer of when_used=json never counts": (
        "codec/test_function_serializers.py::test_a_serializer_for_json_never_counts",
    ),
    "Attribute(serializer=...) overrides everywhere": (
        "codec/test_function_serializers.py::test_attribute_says_it_everywhere",
    ),
    'load="trust": types, shapes and constraints are enforced by the plan': (
        "codec/test_function_trust.py::test_trust_still_checks_types_shapes_and_constraints",
    ),
    'load="trust": user validators are not run again': (
        "codec/test_function_trust.py::test_trust_runs_no_validator_of_the_users_again",
        "codec/test_ninety_nine_cases.py::test_what_was_saved_is_loaded_equal_and_of_the_same_type",
    ),
    'load="trust": plain validators are run, which are the type': (
        "codec/test_function_trust.py::test_trust_runs_plain_validators_because_they_are_the_type",
    ),
    'load="trust": model_post_init runs, a custom __init__ does not': (
        "codec/test_function_trust.py::test_trust_runs_post_init_and_no_init",
    ),
    "alias paths are rebuilt; where that is impossible, by_name=True": (
        "codec/test_function_validators.py::test_values_are_handed_over_under_the_names_that_model_validate_takes",
        "codec/test_function_validators.py::test_a_path_that_no_dict_can_have_is_reached_by_the_fields_name",
    ),
    "models are validated once each, innermost first": (
        "codec/test_function_validators.py::test_models_inside_such_a_model_are_validated_once",
        "codec/test_function_validators.py::test_validators_of_a_model_run_once",
    ),
    "below a before, wrap or plain validator nested models are keyed dicts of decoded values": (
        "codec/test_function_validators.py::test_below_a_before_validator_models_are_dicts_of_decoded_values",
    ),
    "with revalidate_instances nested models are keyed dicts of decoded values": (
        "codec/test_function_validators.py::test_models_that_are_validated_again_are_handed_over_as_dicts",
    ),
    "a key that a validator would change is refused": (
        "codec/test_function_validators.py::test_a_key_that_a_validator_would_change_is_refused",
    ),
    "loading accepts and refuses what model_validate does of the values as the plan decodes them": (
        "codec/test_any_type.py::test_load_accepts_and_refuses_what_model_validate_does_of_the_decoded_value",
        "codec/test_generated_models.py::test_what_is_loaded_is_what_pydantic_makes_of_the_values",
        "codec/test_generated_models.py::test_a_changed_item_is_refused_or_read_as_something_that_pydantic_takes",
    ),
    "a wire tag that the field's node does not know is decoded untyped and left to Pydantic": (
        "codec/test_generated_models.py::test_a_wire_type_that_the_field_does_not_know_is_read_untyped_and_left_to_pydantic",
        "codec/test_number_int.py::test_a_wire_tag_that_the_field_does_not_know_is_left_to_pydantic",
        "codec/test_model.py::test_a_strict_model_refuses_what_pydantic_refuses",
    ),
    "values go to Pydantic keyed as model_validate would get them": (
        "codec/test_model.py::test_any_alias_comes_back",
        "codec/test_model.py::test_a_custom_init_behaves_as_under_model_validate",
    ),
    "attributes that are no field are skipped at every depth whatever extra says": (
        "codec/test_model.py::test_attributes_that_are_no_field_are_skipped_at_every_depth",
        "codec/test_model.py::test_attributes_that_are_no_field_are_skipped_whatever_extra_says",
    ),
    'extra="allow" takes those that are not key or index attributes': (
        "codec/test_model_extra.py::test_extras_are_stored_as_attributes_of_their_own_beside_the_fields",
        "codec/test_model_extra.py::test_whatever_stands_beside_the_fields_comes_back_as_pydantic_validates_it",
        "codec/test_model_extra.py::test_key_and_index_attributes_are_no_extras",
    ),
    'unknown="keep" holds them beside the instance so that put writes them back': (
        "codec/test_model_unknown.py::test_attributes_that_are_no_field_are_written_back_at_every_depth",
        "codec/test_model_unknown.py::test_a_table_writes_back_what_another_writer_added",
    ),
    'unknown="error" refuses attributes that are no field': (
        "codec/test_model.py::test_with_unknown_error_attributes_that_are_no_field_are_refused_with_their_path",
    ),
    "a refusal is an InvalidItem: an oxidyn error that is also a ValidationError, made with hidden inputs": (
        "codec/test_model.py::test_refusal_is_an_oxidyn_error_and_a_validation_error_that_hides_its_inputs",
    ),
    "an iterator that raised InvalidItem goes on with the next item": (
        "ops/test_query.py::test_the_iterator_goes_on_after_an_item_that_is_refused",
    ),
    "model_extra is as under model_validate": (
        "codec/test_model_extra.py::test_an_instance_without_extras_has_an_empty_dict_of_them_as_under_model_validate",
        "codec/test_model_extra.py::test_typed_extras_are_taken_and_refused_as_under_model_validate",
    ),
    "model_fields_set is as under model_validate": (
        "codec/test_model.py::test_model_fields_set_is_what_was_stored_as_under_model_validate",
        "codec/test_generated_models.py::test_what_is_loaded_is_what_pydantic_makes_of_the_values",
    ),
    "private attributes and model_post_init are as under model_validate": (
        "codec/test_model.py::test_private_attributes_and_post_init_behave_as_under_model_validate",
    ),
    "a custom __init__ behaves as under model_validate": (
        "codec/test_model.py::test_a_custom_init_behaves_as_under_model_validate",
    ),
}

KEYS = {
    "one KeySpec renders key and index attributes: today the fields themselves": (
        "codec/test_key_spec.py::test_key_fields_are_attributes_like_any_other",
    ),
    "a key of tag S or B must be stored exactly as the plan would write it, else InvalidItem names both forms": (
        "codec/test_key_spec.py::test_a_key_must_be_stored_exactly_as_the_plan_would_write_it",
        "codec/test_key_spec.py::test_an_index_key_must_be_stored_exactly_as_the_plan_would_write_it",
        "codec/test_key_spec.py::test_a_key_in_another_form_is_told_by_both_forms_without_its_value",
    ),
    "other forms are declared, each of fixed width: Attribute(format=...)": (
        "codec/test_format.py::test_a_format_is_how_the_value_is_stored",
        "codec/test_format.py::test_a_remainder_of_a_second_is_an_error_with_its_path",
        "codec/test_format.py::test_a_key_must_be_stored_in_its_declared_form",
    ),
}

RULES = {**PRESENCE, **SCALARS, **COLLECTIONS, **SERIALIZERS_AND_VALIDATORS, **KEYS}


@functools.cache
def functions(path: Path) -> frozenset[str]:
    return frozenset(node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_test(rule: str):
    assert RULES[rule]
    for name in RULES[rule]:
        path, _, function = name.partition("::")
        assert function in functions(TESTS / path), f"{name} is not there"
