//! The text of each grammar, what its placeholders stand for, and what is refused before it is sent.

use std::sync::Arc;

use oxidyn::error::{Error, Result};
use oxidyn::expr::ast::{Action, Comparison, Condition, Grid, Operand, Path, Source, Value};
use oxidyn::expr::placeholders::Placeholders;
use oxidyn::expr::{condition, projection, update, upsert};
use oxidyn::limits;
use oxidyn::wire::Tag;

use super::values::{eq, ge, gt, i, lt, n, path, s, value};

fn written(write: impl FnOnce(&mut String, &mut Placeholders) -> Result<()>) -> Result<(String, String)> {
    let (mut text, mut placeholders) = (String::new(), Placeholders::default());
    write(&mut text, &mut placeholders)?;
    let mut members = Vec::new();
    placeholders.write_members(&mut members);
    Ok((text, String::from_utf8(members).unwrap()))
}

fn condition_text(condition: &Condition) -> String {
    written(|text, placeholders| condition::write(text, condition, placeholders))
        .unwrap()
        .0
}

fn update_text(actions: &[Action]) -> Result<String> {
    Ok(written(|text, placeholders| update::write(text, actions, placeholders))?.0)
}

fn refusal<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result {
        Err(Error::Expression(message)) => message,
        other => panic!("expected Error::Expression, found {other:?}"),
    }
}

fn refused(condition: &Condition) -> String {
    refusal(written(|text, placeholders| {
        condition::write(text, condition, placeholders)
    }))
}

#[test]
fn each_condition_has_its_text() {
    let attribute = || path("a");
    for (condition, expected) in [
        (eq("a", s("x")), "#n0 = :v0"),
        (
            Condition::compare(attribute(), Comparison::NotEqual, s("x")),
            "#n0 <> :v0",
        ),
        (lt("a", i(1)), "#n0 < :v0"),
        (ge("a", i(1)), "#n0 >= :v0"),
        (Condition::between(attribute(), i(1), i(2)), "#n0 BETWEEN :v0 AND :v1"),
        (
            Condition::is_in(attribute(), [i(1), i(2), i(1)]),
            "#n0 IN (:v0, :v1, :v0)",
        ),
        (Condition::Exists(attribute()), "attribute_exists(#n0)"),
        (Condition::NotExists(attribute()), "attribute_not_exists(#n0)"),
        (Condition::begins_with(attribute(), s("x")), "begins_with(#n0, :v0)"),
        (
            Condition::compare(attribute(), Comparison::Less, path("b")),
            "#n0 < #n1",
        ),
        (
            Condition::compare(Operand::Size(attribute()), Comparison::Less, i(1)),
            "size(#n0) < :v0",
        ),
        (
            Condition::compare(i(1), Comparison::Less, Operand::Size(attribute())),
            ":v0 < size(#n0)",
        ),
        (
            Condition::between(Operand::Size(attribute()), path("b"), i(2)),
            "size(#n0) BETWEEN #n1 AND :v0",
        ),
        (
            Condition::is_in(attribute(), [Operand::from(path("b")), i(1).into()]),
            "#n0 IN (#n1, :v0)",
        ),
        (Condition::Contains(attribute(), s("x").into()), "contains(#n0, :v0)"),
        (Condition::Contains(attribute(), path("b").into()), "contains(#n0, #n1)"),
        (Condition::begins_with(attribute(), path("b")), "begins_with(#n0, #n1)"),
        (Condition::HasType(attribute(), s("SS")), "attribute_type(#n0, :v0)"),
        (eq("a", i(1)).negated(), "NOT (#n0 = :v0)"),
        (
            Condition::is_none(attribute()),
            "attribute_not_exists(#n0) OR #n0 = :v0",
        ),
        (Condition::is_some(attribute()), "attribute_exists(#n0) AND #n0 <> :v0"),
        (eq("lines[0].qty", i(1)), "#n0[0].#n1 = :v0"),
        (eq("m[1][2]", i(1)), "#n0[1][2] = :v0"),
    ] {
        assert_eq!(condition_text(&condition), expected);
    }
}

#[test]
fn brackets_stand_where_they_are_needed_and_nowhere_else() {
    let (a, b, c) = (|| eq("a", i(1)), || eq("b", i(1)), || eq("c", i(1)));
    for (condition, expected) in [
        (
            Condition::all([Condition::any([a(), b()]), c()]),
            "(#n0 = :v0 OR #n1 = :v0) AND #n2 = :v0",
        ),
        (
            Condition::any([Condition::all([a(), b()]), c()]),
            "#n0 = :v0 AND #n1 = :v0 OR #n2 = :v0",
        ),
        (
            Condition::all([Condition::all([a(), b()]), c()]),
            "#n0 = :v0 AND #n1 = :v0 AND #n2 = :v0",
        ),
        (
            Condition::any([a(), Condition::any([b(), c()])]),
            "#n0 = :v0 OR #n1 = :v0 OR #n2 = :v0",
        ),
        (Condition::all([a(), b()]).negated(), "NOT (#n0 = :v0 AND #n1 = :v0)"),
        (Condition::all([a().negated(), b()]), "NOT (#n0 = :v0) AND #n1 = :v0"),
        (Condition::all([Condition::any([a()])]), "#n0 = :v0"),
        (
            Condition::all([Condition::is_none(path("a")), b()]),
            "(attribute_not_exists(#n0) OR #n0 = :v0) AND #n1 = :v1",
        ),
    ] {
        assert_eq!(condition_text(&condition), expected);
    }
}

#[test]
fn a_double_negation_is_none() {
    assert_eq!(eq("a", i(1)).negated().negated(), eq("a", i(1)));
    assert_eq!(Condition::Exists(path("a")).negated(), Condition::NotExists(path("a")));
}

#[test]
fn equal_names_and_values_are_sent_once_and_odd_names_stay_whole() {
    let odd = Path::attribute("size.of \"it\"");
    let both = Condition::all([
        Condition::compare(odd.clone(), Comparison::Greater, n("1")),
        Condition::compare(odd, Comparison::NotEqual, n("1")),
        eq("name", s("1")),
    ]);

    let (text, members) = written(|text, placeholders| condition::write(text, &both, placeholders)).unwrap();

    assert_eq!(text, "#n0 > :v0 AND #n0 <> :v0 AND #n1 = :v1");
    assert_eq!(
        members,
        concat!(
            r##","ExpressionAttributeNames":{"#n0":"size.of \"it\"","#n1":"name"}"##,
            r#","ExpressionAttributeValues":{":v0":{"N":"1"},":v1":{"S":"1"}}"#
        )
    );
}

#[test]
fn without_placeholders_no_member_is_written() {
    assert_eq!(written(|_, _| Ok(())).unwrap().1, "");
}

#[test]
fn a_range_with_nothing_in_it_is_sent_as_two_comparisons() {
    let nothing = Condition::between(path("a"), i(10), i(9));

    assert_eq!(condition_text(&nothing), "#n0 >= :v0 AND #n0 <= :v1");
    assert_eq!(condition_text(&nothing.negated()), "NOT (#n0 >= :v0 AND #n0 <= :v1)");
}

#[test]
fn is_in_takes_one_to_a_hundred_values() {
    let of = |count: i64| Condition::is_in(path("status"), (0..count).map(i));

    assert!(condition_text(&of(100)).ends_with(":v99)"));
    assert!(refused(&of(101)).starts_with("status: is_in was given 101 values, and DynamoDB takes at most 100"));
    assert!(refused(&of(0)).starts_with("status: is_in was given no value"));
}

#[test]
fn only_text_numbers_and_bytes_have_an_order() {
    let flag = Value {
        wire: br#"{"BOOL":true}"#.as_slice().into(),
        tag: Tag::Bool,
        ..i(0)
    };

    assert_eq!(
        refused(&gt("a.b", flag.clone())),
        "a.b: > needs a value that has an order (S, N or B on the wire), found BOOL"
    );
    assert!(refused(&Condition::between(path("a"), i(1), s("x"))).contains("of one type, found N and S"));
    assert!(refused(&Condition::begins_with(path("a"), i(1))).contains("text or bytes"));
    assert_eq!(condition_text(&eq("a", flag)), "#n0 = :v0");
}

#[test]
fn an_empty_all_of_is_refused() {
    assert!(refused(&Condition::all([])).contains("no condition"));
    assert!(refused(&Condition::any([Condition::all([]), eq("a", i(1))])).contains("no condition"));
}

#[test]
fn text_over_the_limit_is_refused() {
    let wide = Condition::any((0..140).map(|number| Condition::is_in(path("a"), [i(number), i(number), i(number)])));

    assert!(refused(&wide).starts_with("the condition has more text than the 4096 bytes that DynamoDB takes"));
}

#[test]
fn more_operators_than_the_limit_are_refused_and_each_comparison_joint_and_function_is_one() {
    let chain = |comparisons: i64| Condition::any((0..comparisons).map(|_| eq("a", i(1))));

    assert!(condition_text(&chain(150)).starts_with("#n0 = :v0 OR #n0 = :v0"));
    assert!(condition_text(&Condition::all([chain(149), Condition::Exists(path("a"))])).ends_with(')'));
    for over in [
        chain(151),
        Condition::all([chain(149), Condition::Exists(path("a")), Condition::Exists(path("a"))]),
        Condition::any([
            chain(150),
            Condition::compare(Operand::Size(path("a")), Comparison::Equal, i(1)),
        ]),
    ] {
        assert!(refused(&over).starts_with("the condition has more operators and functions than the 300"));
    }
}

#[test]
fn names_and_values_over_two_megabytes_are_refused_and_counted_as_dynamodb_does() {
    let heavy = |bytes: usize, letter: &str| eq("a", s(&letter.repeat(bytes)));
    let megabyte = 1024 * 1024;

    assert!(
        refused(&Condition::any([heavy(megabyte, "x"), heavy(megabyte, "y")]))
            .starts_with("the condition has more names and values than the 2097152 bytes")
    );
    // Equal values are sent once, the wire's own marks do not count, and base64 is longer than what it stands for.
    for fits in [
        Condition::any([heavy(megabyte, "x"), heavy(megabyte, "x")]),
        heavy(2 * megabyte - 1, "x"),
        eq("a", value(Tag::B, &"AAAA".repeat(megabyte / 2), Grid::Dense)),
    ] {
        assert!(condition_text(&fits).starts_with("#n0 = :v0"));
    }
}

#[test]
fn deep_nesting_is_refused_and_no_stack_ends() {
    let deep = |levels: usize| (0..levels).fold(eq("a", i(1)), |inner, _| Condition::Not(Box::new(inner)));

    assert!(condition_text(&deep(limits::EXPRESSION_OPERATORS - 1)).ends_with(')'));
    assert!(refused(&deep(limits::EXPRESSION_OPERATORS)).contains("more operators"));
    assert!(refused(&deep(1000)).contains("nested deeper"));
}

#[test]
fn a_chain_of_any_length_is_flat() {
    let chain = (1..100).fold(eq("a", i(0)), |chain, number| {
        Condition::any([chain, eq("a", i(number))])
    });

    assert!(matches!(&chain, Condition::Or(parts) if parts.len() == 100));
    assert!(condition_text(&chain).starts_with("#n0 = :v0 OR "));
}

#[test]
fn an_update_has_each_clause_once() {
    let actions = [
        Action::Add(path("count"), i(1)),
        Action::Set(path("a"), s("x").into()),
        Action::Remove(path("b")),
        Action::Set(path("m.c"), s("x").into()),
        Action::Remove(path("d[0]")),
        Action::Add(
            path("tags"),
            Value {
                tag: Tag::SS,
                wire: br#"{"SS":["x"]}"#.as_slice().into(),
                ..i(0)
            },
        ),
        Action::Delete(
            path("marks"),
            Value {
                tag: Tag::SS,
                wire: br#"{"SS":["x"]}"#.as_slice().into(),
                ..i(0)
            },
        ),
    ];

    let text = update_text(&actions).unwrap();

    assert_eq!(
        text,
        "SET #n0 = :v0, #n1.#n2 = :v0 REMOVE #n3, #n4[0] ADD #n5 :v1, #n6 :v2 DELETE #n7 :v2"
    );
    assert_eq!(update_text(&actions[..1]).unwrap(), "ADD #n0 :v0");
    assert_eq!(update_text(&[Action::Remove(path("b"))]).unwrap(), "REMOVE #n0");
}

#[test]
fn each_source_of_a_set_has_its_text() {
    let stored = |name: &str| Box::new(Source::Path(path(name)));
    let given = |value: Value| Box::new(Source::Value(value));
    for (source, expected) in [
        (*stored("b.c"), "#n1.#n2"),
        (Source::IfNotExists(path("b"), given(i(1))), "if_not_exists(#n1, :v0)"),
        (
            Source::Appended(Box::new(Source::IfNotExists(path("a"), given(i(0)))), given(i(1))),
            "list_append(if_not_exists(#n0, :v0), :v1)",
        ),
        (Source::Plus(stored("b"), stored("c")), "#n1 + #n2"),
        (Source::Minus(given(i(1)), stored("c")), ":v0 - #n1"),
        (
            Source::Minus(
                Box::new(Source::Plus(stored("b"), given(i(1)))),
                Box::new(Source::Minus(stored("c"), given(i(1)))),
            ),
            "(#n1 + :v0) - (#n2 - :v0)",
        ),
    ] {
        let text = update_text(&[Action::Set(path("a"), source)]).unwrap();
        assert_eq!(text, format!("SET #n0 = {expected}"));
    }
}

#[test]
fn a_long_sum_is_refused_and_no_stack_ends() {
    let sum = |addends: usize| {
        (0..addends).fold(Source::Path(path("b")), |sum, _| {
            Source::Plus(Box::new(sum), Box::new(Source::Value(i(1))))
        })
    };
    let refused = |addends| refusal(update_text(&[Action::Set(path("a"), sum(addends))]));

    assert!(update_text(&[Action::Set(path("a"), sum(300))]).is_ok());
    assert!(refused(301).contains("300"));
    assert!(refused(1000).contains("300"));
}

#[test]
fn two_actions_on_overlapping_paths_are_refused_by_both_names() {
    let set = |text: &str| Action::Set(path(text), i(1).into());

    assert!(refusal(update_text(&[set("a"), set("b"), set("a")])).contains("two actions on a:"));
    assert!(refusal(update_text(&[set("a.b.c"), set("b"), set("a.b")])).contains("both a.b and a.b.c"));
    assert!(refusal(update_text(&[set("a[0]"), Action::Remove(path("a"))])).contains("both a and a[0]"));
    assert!(
        update_text(&[
            set("a.b"),
            set("a.bc"),
            set("a.c"),
            set("ab"),
            set("l[1]"),
            set("l[10]")
        ])
        .is_ok()
    );
}

#[test]
fn an_update_without_actions_is_refused() {
    assert!(refusal(update_text(&[])).contains("no action"));
}

#[test]
fn add_takes_numbers_and_sets_only() {
    let message = refusal(update_text(&[Action::Add(path("a"), s("x"))]));

    assert_eq!(
        message,
        "a: add needs a number or a set (N, SS, NS or BS on the wire), found S"
    );
}

#[test]
fn delete_takes_sets_only() {
    let message = refusal(update_text(&[Action::Delete(path("a"), i(1))]));

    assert_eq!(message, "a: delete needs a set (SS, NS or BS on the wire), found N");
}

#[test]
fn a_condition_mentions_the_attributes_of_all_its_operands() {
    for condition in [
        eq("a", i(1)),
        Condition::compare(i(1), Comparison::Equal, path("a[0].b")),
        Condition::compare(Operand::Size(path("a")), Comparison::Equal, i(1)),
        Condition::between(path("b"), i(1), path("a")),
        Condition::is_in(path("b"), [Operand::from(path("a"))]),
        Condition::HasType(path("a"), s("S")),
        Condition::Contains(path("b"), path("a").into()),
        Condition::all([eq("b", i(1)), Condition::any([eq("a", i(1)).negated()])]),
    ] {
        assert!(condition.mentions("a"), "{condition:?}");
        assert!(!condition.mentions("c"), "{condition:?}");
    }
}

#[test]
fn an_upsert_gives_a_missing_item_every_required_attribute() {
    let required = [("p".into(), "points".into()), ("t".into(), "title".into())];
    let check = |actions: &[Action]| upsert::check(actions, &required, "Score");
    let set = |name: &str| Action::Set(path(name), i(1).into());

    assert!(check(&[set("p"), Action::Add(path("t"), i(1))]).is_ok());
    assert!(
        refusal(check(&[set("q"), Action::Delete(path("t"), s("x"))]))
            .contains("an item of Score without points, title,")
    );
    assert!(refusal(check(&[set("p"), Action::Remove(path("t"))])).contains("without title,"));
}

#[test]
fn an_upsert_reads_nothing_that_a_missing_item_has_not() {
    let count = || Box::new(Source::Path(path("c")));
    let one = || Box::new(Source::Value(i(1)));
    let or_zero = || Box::new(Source::IfNotExists(path("c"), Box::new(i(0).into())));
    let check = |source: Source| upsert::check(&[Action::Set(path("a"), source)], &[], "Score");

    for source in [
        Source::Path(path("c")),
        Source::Plus(count(), one()),
        Source::Minus(one(), count()),
        Source::Appended(or_zero(), count()),
        Source::IfNotExists(path("a"), count()),
    ] {
        assert!(refusal(check(source)).contains("sets a to what is computed of c, which a missing item has not"));
    }
    for source in [Source::Plus(or_zero(), one()), Source::Appended(or_zero(), one())] {
        assert!(check(source).is_ok());
    }
}

#[test]
fn an_upsert_has_no_action_inside_an_attribute() {
    for inside in ["m.a", "l[0]"] {
        let message = refusal(upsert::check(&[Action::Remove(path(inside))], &[], "Score"));

        assert!(message.contains(&format!("an action on {inside}, which lies inside")));
    }
}

#[test]
fn a_projection_is_its_paths() {
    let paths = [path("a"), path("m.b"), path("a")];

    let (text, _) = written(|text, placeholders| projection::write(text, &paths, placeholders)).unwrap();

    assert_eq!(text, "#n0, #n1.#n2, #n0");
}

#[test]
fn a_covering_projection_has_no_path_inside_another() {
    let covering = |paths: &[&str]| -> Vec<String> {
        let covering = projection::covering(paths.iter().map(|text| path(text)));
        covering.iter().map(ToString::to_string).collect()
    };

    assert_eq!(covering(&["a", "b.c", "a"]), ["a", "b.c"]);
    assert_eq!(covering(&["m.a", "m.b", "m", "n"]), ["m", "n"]);
    assert_eq!(covering(&["l", "l[0].x", "l[1]"]), ["l"]);
    assert_eq!(
        covering(&["l[1]", "l[10]", "ab", "a.b"]),
        ["l[1]", "l[10]", "ab", "a.b"]
    );
}

#[test]
fn values_that_differ_only_in_their_grid_are_one_placeholder() {
    let name: Arc<str> = "a".into();
    let both = Condition::all([
        Condition::compare(Path::attribute(Arc::clone(&name)), Comparison::Greater, i(5)),
        Condition::compare(
            Path::attribute(name),
            Comparison::Less,
            value(Tag::N, "5", super::values::n("5").grid),
        ),
    ]);

    assert_eq!(condition_text(&both), "#n0 > :v0 AND #n0 < :v0");
}
