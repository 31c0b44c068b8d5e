use oxidyn::wire::Tag;
use oxidyn::wire::writer::{
    field_head, push_b, push_bool, push_integer, push_key, push_n, push_null, push_s, push_separator, push_text,
};
use proptest::prelude::*;

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).expect("the writer writes UTF-8")
}

#[test]
fn scalars_are_written_in_the_services_own_form() {
    assert_eq!(written(|out| push_s(out, "x")), r#"{"S":"x"}"#);
    assert_eq!(written(|out| push_n(out, "-1.5")), r#"{"N":"-1.5"}"#);
    assert_eq!(written(|out| push_b(out, b"\x00\xffa")), r#"{"B":"AP9h"}"#);
    assert_eq!(written(|out| push_b(out, b"a")), r#"{"B":"YQ=="}"#);
    assert_eq!(written(|out| push_bool(out, true)), r#"{"BOOL":true}"#);
    assert_eq!(written(|out| push_bool(out, false)), r#"{"BOOL":false}"#);
    assert_eq!(written(push_null), r#"{"NULL":true}"#);
}

#[test]
fn a_head_and_a_tail_make_a_value() {
    for tag in Tag::ALL {
        let head = String::from_utf8(field_head("a\"b", tag)).unwrap();

        assert_eq!(head, format!(r#""a\"b":{}"#, tag.opening()));
        assert!(head.contains(&format!("{{\"{}\":", tag.name())));
        assert!(tag.closing().ends_with('}'));
    }
}

#[test]
fn separators_stand_between_members_only() {
    let text = written(|out| {
        out.push(b'{');
        for name in ["a", "b"] {
            push_separator(out);
            push_key(out, name);
            push_null(out);
        }
        out.push(b'}');
    });

    assert_eq!(text, r#"{"a":{"NULL":true},"b":{"NULL":true}}"#);
}

#[test]
fn special_characters_are_escaped_wherever_they_stand() {
    assert_eq!(
        written(|out| push_text(out, "a\"b\\c\nd\re\tf\u{0}g\u{1f}")),
        r#""a\"b\\c\nd\re\tf\u0000g\u001f""#
    );
    assert_eq!(
        written(|out| push_text(out, "ä\u{7f}\u{2028}😀")),
        "\"ä\u{7f}\u{2028}😀\""
    );
    for length in 0..40 {
        for at in 0..=length {
            let text = "a".repeat(at) + "\"" + &"b".repeat(length - at);

            assert_eq!(
                written(|out| push_text(out, &text)),
                format!("\"{}\"", text.replace('"', "\\\""))
            );
        }
    }
}

proptest! {
    #[test]
    fn integers_are_written_as_the_standard_library_does(value: i64) {
        prop_assert_eq!(written(|out| push_integer(out, value)), value.to_string());
    }

    #[test]
    fn a_json_parser_reads_back_any_text(text in "(?s).{0,64}") {
        let json = written(|out| push_text(out, &text));

        let read = jiter::JsonValue::parse(json.as_bytes(), false).unwrap();

        prop_assert_eq!(read, jiter::JsonValue::Str(text.into()));
    }
}

#[test]
fn the_smallest_and_largest_integers_are_written() {
    assert_eq!(written(|out| push_integer(out, i64::MIN)), "-9223372036854775808");
    assert_eq!(written(|out| push_integer(out, i64::MAX)), "9223372036854775807");
    assert_eq!(written(|out| push_integer(out, 0)), "0");
}
