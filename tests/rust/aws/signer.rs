//! The signer against aws-sigv4.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use oxidyn::transport::aws::signer::{Canonical, Signer, Stamp};
use proptest::prelude::*;

const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// One request, as both are given it.
#[derive(Debug)]
struct Request {
    key_id: String,
    secret: String,
    token: Option<String>,
    region: String,
    /// With a port where it is not the default one.
    host: String,
    path: String,
    target: String,
    body: Vec<u8>,
    time: SystemTime,
}

/// The Authorization header and the X-Amz-Date of aws-sigv4.
fn expected(request: &Request) -> (String, String) {
    let credentials = Credentials::new(&request.key_id, &request.secret, request.token.clone(), None, "test");
    let identity = credentials.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&request.region)
        .name("dynamodb")
        .time(request.time)
        .settings(SigningSettings::default())
        .build()
        .unwrap();
    let headers = [
        ("content-type", CONTENT_TYPE),
        ("x-amz-target", request.target.as_str()),
        // Neither is signed, as proxies may change it.
        ("user-agent", "test"),
    ];
    let uri = format!("https://{}{}", request.host, request.path);
    let body = SignableBody::Bytes(&request.body);
    let signable = SignableRequest::new("POST", uri, headers.into_iter(), body).unwrap();
    let (instructions, _) = sign(signable, &params.into()).unwrap().into_parts();
    let header = |wanted: &str| {
        let found = instructions.headers().find(|(name, _)| *name == wanted);
        found.unwrap().1.to_owned()
    };
    (header("authorization"), header("x-amz-date"))
}

fn canonical(request: &Request) -> Canonical {
    Canonical::new(
        &request.path,
        &request.host,
        CONTENT_TYPE,
        &request.target,
        request.token.as_deref(),
    )
}

fn any_request() -> impl Strategy<Value = Request> {
    let who = (
        "[A-Z0-9]{16,20}",
        "[A-Za-z0-9/+]{1,60}",
        prop::option::of("[A-Za-z0-9/+=]{1,400}"),
    );
    let place = (
        "[a-z]{2}-[a-z]{4,9}-[1-9]",
        "[a-z][a-z0-9-]{0,20}[a-z](\\.[a-z]{2,9}){0,3}(:[1-9][0-9]{3})?",
        prop_oneof![
            3 => Just("/".to_owned()),
            1 => "(/[a-zA-Z0-9._~%!$&'()*+,;=:@-]{0,5}){1,4}/?",
            1 => "(/(\\.|\\.\\.|a|)){1,5}",
        ],
    );
    let what = (
        "DynamoDB_20120810\\.[A-Z][A-Za-z]{2,20}",
        prop::collection::vec(any::<u8>(), 0..600),
        // Years 1970 to 9999.
        0_u64..253_402_300_800,
    );
    (who, place, what).prop_map(
        |((key_id, secret, token), (region, host, path), (target, body, seconds))| Request {
            key_id,
            secret,
            token,
            region,
            host,
            path,
            target,
            body,
            time: UNIX_EPOCH + Duration::from_secs(seconds),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5000, ..ProptestConfig::default() })]

    #[test]
    fn signature_is_aws_sigv4s_byte_for_byte(request in any_request()) {
        let signer = Signer::new(&request.key_id, &request.secret, &request.region);
        let stamp = Stamp::new(request.time);

        let authorization = signer.authorization(&canonical(&request), &stamp, &request.body);

        prop_assert_eq!((authorization, stamp.as_str().to_owned()), expected(&request));
    }

    #[test]
    fn a_kept_key_signs_as_a_new_one_on_every_day(request in any_request(), days in prop::collection::vec(0_u64..4, 1..12)) {
        let signer = Signer::new(&request.key_id, &request.secret, &request.region);
        let canonical = canonical(&request);

        for day in days {
            let time = UNIX_EPOCH + Duration::from_secs(1_800_000_000 + day * 86_400);
            let authorization = signer.authorization(&canonical, &Stamp::new(time), &request.body);

            let anew = Signer::new(&request.key_id, &request.secret, &request.region);
            prop_assert_eq!(authorization, anew.authorization(&canonical, &Stamp::new(time), &request.body));
        }
    }
}

#[test]
fn a_moment_outside_the_calendar_is_signed_and_does_not_panic() {
    for time in [
        UNIX_EPOCH - Duration::from_secs(1),
        UNIX_EPOCH + Duration::from_secs(1 << 50),
    ] {
        assert_eq!(Stamp::new(time).as_str().len(), 16);
    }
}

#[test]
fn debug_output_of_a_signer_has_no_secret() {
    let signer = Signer::new("THE-KEY-ID", "the-secret", "eu-central-1");

    let shown = format!("{signer:?}");

    assert!(
        !shown.contains("the-secret") && !shown.contains("THE-KEY-ID"),
        "{shown}"
    );
}
