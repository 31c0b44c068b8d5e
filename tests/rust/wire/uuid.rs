use oxidyn::wire::uuid::{decode, decode_hex, encode, encode_hex, encode_upper, text};
use proptest::prelude::*;

#[test]
fn the_text_is_hyphenated_and_in_lower_case() {
    let value = 0x1234_5678_9abc_def0_0fed_cba9_8765_4321;

    assert_eq!(&text(value), b"12345678-9abc-def0-0fed-cba987654321");
    assert_eq!(decode(b"12345678-9ABC-DEF0-0fed-cba987654321"), Some(value));
}

#[test]
fn every_other_form_is_left_to_others() {
    for other in [
        "123456789abcdef00fedcba987654321",
        "{12345678-9abc-def0-0fed-cba987654321}",
        "12345678-9abc-def0-0fed-cba98765432g",
        "12345678_9abc-def0-0fed-cba987654321",
        "",
    ] {
        assert_eq!(decode(other.as_bytes()), None, "{other}");
    }
}

proptest! {
    #[test]
    fn any_uuid_comes_back(value: u128) {
        let mut out = Vec::new();
        encode(&mut out, value);

        prop_assert_eq!(decode(&out), Some(value));
        prop_assert_eq!(decode_hex(&out), None);
    }

    #[test]
    fn any_uuid_comes_back_of_32_digits_and_of_upper_case(value: u128) {
        let (mut hex, mut upper) = (Vec::new(), Vec::new());
        encode_hex(&mut hex, value);
        encode_upper(&mut upper, value);

        prop_assert_eq!(std::str::from_utf8(&hex).unwrap(), format!("{value:032x}"));
        prop_assert_eq!(&upper, &text(value).to_ascii_uppercase());
        prop_assert_eq!(decode_hex(&hex), Some(value));
        prop_assert_eq!(decode_hex(&hex.to_ascii_uppercase()), Some(value));
        prop_assert_eq!(decode(&upper), Some(value));
    }

    #[test]
    fn any_bytes_are_read_or_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 36)) {
        let _ = decode(&bytes);
        prop_assert_eq!(decode_hex(&bytes), None);
        let _ = decode_hex(&bytes[..32]);
    }
}
