//! Tests with signatures of AWS's published test suite and of botocore, and with invalid signatures.

use chrono::TimeZone as _;

use super::*;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn at_signing() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2015, 8, 30, 12, 36, 0).single().expect("a time that exists")
}

/// A request of AWS's test suite, signed for `us-east-1/service` with the key `AKIDEXAMPLE`.
struct Sample<'a> {
    method: &'a str,
    query: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a str,
    signed: &'a str,
    signature: &'a str,
}

const VANILLA: Sample<'_> = Sample {
    method: "GET",
    query: "",
    headers: &[],
    body: "",
    signed: "host;x-amz-date",
    signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
};

impl Sample<'_> {
    fn received(&self) -> Request<'_> {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={}, \
             Signature={}",
            self.signed, self.signature
        );
        let fixed = [
            ("host", "example.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
            ("authorization", authorization.as_str()),
        ];
        Request {
            method: self.method,
            path: "/",
            query: self.query,
            headers: fixed
                .iter()
                .chain(self.headers)
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
                .collect(),
            body: self.body.as_bytes(),
        }
    }
}

fn check(request: &Request<'_>, service: &str, now: DateTime<Utc>) -> Result<(), SignatureError> {
    let claim = Claim::read(request)?;
    claim.check_form(request, service, now)?;
    claim.verify(request, SECRET)
}

#[test]
fn signatures_of_the_published_suite_are_valid() {
    let samples = [
        VANILLA,
        Sample {
            method: "POST",
            signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ..VANILLA
        },
        Sample {
            query: "Param2=value2&Param1=value1",
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ..VANILLA
        },
        Sample {
            headers: &[("my-header1", "  value1"), ("my-header2", " \"a   b   c\"")],
            signed: "host;my-header1;my-header2;x-amz-date",
            signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
            ..VANILLA
        },
        Sample {
            headers: &[("my-header1", "value2"), ("my-header1", "value2"), ("my-header1", "value1")],
            signed: "host;my-header1;x-amz-date",
            signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
            ..VANILLA
        },
        Sample {
            method: "POST",
            headers: &[("content-type", "application/x-www-form-urlencoded")],
            body: "Param1=value1",
            signed: "content-type;host;x-amz-date",
            signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ..VANILLA
        },
    ];
    for (n, sample) in samples.iter().enumerate() {
        assert_eq!(check(&sample.received(), "service", at_signing()), Ok(()), "sample {n}");
    }
}

#[test]
fn times_have_the_basic_format() {
    for seconds in [0, 951_827_696, 1_440_938_160, 1_796_000_000, 4_102_444_799, 253_402_300_799] {
        let time = DateTime::from_timestamp(seconds, 999_999_999).expect("a time");
        assert_eq!(basic(time), time.format(BASIC).to_string());
    }
}

#[test]
fn paths_are_normalized_and_escaped_again() {
    for (raw, canonical) in [
        ("", "/"),
        ("/", "/"),
        ("//", "/"),
        ("/./", "/"),
        ("/example/..", "/"),
        ("/example1/example2/../..", "/"),
        ("/./example", "/example"),
        ("//example//", "/example/"),
        ("/../../x", "/x"),
        ("/a%20b/c~", "/a%2520b/c~"),
    ] {
        assert_eq!(canonical::path(raw), canonical, "{raw}");
    }
}

#[test]
fn parameters_are_escaped_uniformly_and_sorted() {
    for (raw, canonical) in [
        ("", ""),
        ("b=2&a=2&a=1&X-Amz-Signature=00", "a=1&a=2&b=2"),
        ("Param-3=%7e*&Param=&Bare", "Bare=&Param=&Param-3=~%2A"),
        ("a=x+y%2Fz%c3%a4", "a=x%20y%2Fz%C3%A4"),
        ("a=%ff", "a=%FF"),
    ] {
        assert_eq!(canonical::query_string(raw), canonical, "{raw}");
    }
}

#[test]
fn a_change_of_a_signed_part_invalidates_the_signature() {
    let sample = Sample {
        method: "POST",
        headers: &[("content-type", "application/x-www-form-urlencoded")],
        body: "Param1=value1",
        signed: "content-type;host;x-amz-date",
        signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ..VANILLA
    };
    let changed: [fn(&mut Request<'static>); 6] = [
        |request| request.method = "PUT",
        |request| request.path = "/other",
        |request| request.query = "a=b",
        |request| request.body = b"Param1=value2",
        |request| request.headers[0].1 = b"other.amazonaws.com".to_vec(),
        |request| request.headers.push(("content-type".into(), b"text/plain".to_vec())),
    ];
    for (n, change) in changed.iter().enumerate() {
        let mut request = Request {
            method: "POST",
            path: "/",
            query: "",
            headers: sample.received().headers,
            body: b"Param1=value1",
        };
        change(&mut request);
        assert_eq!(check(&request, "service", at_signing()), Err(SignatureError::Mismatch), "change {n}");
    }
    let claim = Claim::read(&sample.received()).expect("a claim");
    assert_eq!(claim.verify(&sample.received(), "another secret"), Err(SignatureError::Mismatch));
}

#[test]
fn a_declared_body_hash_must_match() {
    let sample = Sample {
        headers: &[("x-amz-content-sha256", "UNSIGNED-PAYLOAD")],
        signed: "host;x-amz-content-sha256;x-amz-date",
        ..VANILLA
    };
    assert_eq!(check(&sample.received(), "service", at_signing()), Err(SignatureError::Mismatch));
}

#[test]
fn a_clock_skew_of_five_minutes_is_tolerated() {
    let checked = |minutes, seconds| {
        let now = at_signing() + TimeDelta::minutes(minutes) + TimeDelta::seconds(seconds);
        check(&VANILLA.received(), "service", now)
    };
    assert_eq!(checked(5, 0), Ok(()));
    assert_eq!(checked(-5, 0), Ok(()));
    assert_eq!(
        checked(5, 1),
        Err(SignatureError::Untimely(
            "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"
                .into()
        ))
    );
    assert_eq!(
        checked(-5, -1),
        Err(SignatureError::Untimely(
            "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 \
             min.)"
                .into()
        ))
    );
}

#[test]
fn every_part_of_the_scope_is_checked() {
    let mut request = VANILLA.received();
    request.headers[2].1 = b"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150831/us-east-1/service/aws3, \
        SignedHeaders=host;x-amz-date, Signature=00"
        .to_vec();
    assert_eq!(
        check(&request, "sts", at_signing()),
        Err(SignatureError::Wrong(
            "Credential should be scoped to correct service: 'sts'. Credential should be scoped with a valid \
             terminator: 'aws4_request', not 'aws3'. Date in Credential scope does not match YYYYMMDD from ISO-8601 \
             version of date from HTTP: '20150831' != '20150830', from '20150830T123600Z'."
                .into()
        ))
    );
}

#[test]
fn host_and_every_amz_header_must_be_signed() {
    let unsigned_host = Sample { signed: "x-amz-date", ..VANILLA };
    let slipped_in = Sample { headers: &[("x-amz-target", "TrentService.ListKeys")], ..VANILLA };
    let wrong = |text: &str| Err(SignatureError::Wrong(text.into()));
    assert_eq!(
        check(&unsigned_host.received(), "service", at_signing()),
        wrong("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    );
    assert_eq!(
        check(&slipped_in.received(), "service", at_signing()),
        wrong("'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.")
    );
}

#[test]
fn a_malformed_signature_is_incomplete_and_an_absent_one_is_missing() {
    let read = |authorization: Option<&str>, query: &str| {
        let mut request = VANILLA.received();
        request.query = query;
        request.headers.truncate(2);
        if let Some(text) = authorization {
            request.headers.push(("authorization".into(), text.as_bytes().to_vec()));
        }
        Claim::read(&request).map(|_| ())
    };
    assert_eq!(read(None, ""), Err(SignatureError::Missing));
    assert_eq!(read(Some("Bearer x"), ""), Err(SignatureError::Missing));
    let incomplete = |authorization: Option<&str>, query: &str, part: &str| match read(authorization, query) {
        Err(SignatureError::Incomplete(text)) => assert!(text.contains(part), "{text}"),
        other => panic!("{other:?}"),
    };
    let credential = "Credential=A/20150830/us-east-1/service/aws4_request";
    incomplete(Some("AWS4-HMAC-SHA256"), "", "requires 'Credential' parameter. Authorization header requires 'Sig");
    incomplete(Some(&format!("AWS4-HMAC-SHA256 {credential}, Signature=0")), "", "requires 'SignedHeaders' parameter");
    incomplete(Some("AWS4-HMAC-SHA256 Credential=A/B, SignedHeaders=host, Signature=0"), "", "exactly 5");
    incomplete(Some(&format!("AWS4-X {credential}, SignedHeaders=host, Signature=0")), "", "Unsupported AWS 'algo");
    incomplete(None, "X-Amz-Algorithm=AWS4-HMAC-SHA256", "must include 'X-Amz-Credential'. AWS query-string");
    let both = read(Some("AWS4-HMAC-SHA256 x"), "X-Amz-Algorithm=AWS4-HMAC-SHA256");
    assert!(matches!(both, Err(SignatureError::Wrong(_))), "{both:?}");
}

#[test]
fn a_date_header_is_accepted_and_a_malformed_date_is_not() {
    let with_date = |name: &str, value: &str| {
        let mut request = VANILLA.received();
        request.headers[1] = (name.into(), value.as_bytes().to_vec());
        Claim::read(&request).map(|claim| claim.time)
    };
    assert_eq!(with_date("date", "Sun, 30 Aug 2015 12:36:00 GMT"), Ok(at_signing()));
    for text in ["20150830", "2015-08-30T12:36:00Z", "yesterday", ""] {
        assert!(matches!(with_date("x-amz-date", text), Err(SignatureError::Incomplete(_))), "{text}");
    }
}

#[test]
fn a_presigned_request_expires() {
    // Signed with botocore's SigV4QueryAuth (expires=60) for this key, service and time.
    const QUERY: &str = "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=\
        AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fsts%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&\
        X-Amz-SignedHeaders=host&X-Amz-Signature=1d10ef2bc2bb1b02201752f1912e9eb7a5df0d0d7bd2cc98b1f5557b7a9254be";
    let checked = |query: &str, seconds| {
        let request = Request {
            method: "GET",
            path: "/",
            query,
            headers: vec![("host".into(), b"sts.amazonaws.com".to_vec())],
            body: b"",
        };
        check(&request, "sts", at_signing() + TimeDelta::seconds(seconds))
    };
    assert_eq!(checked(QUERY, 60), Ok(()));
    assert!(matches!(checked(QUERY, 61), Err(SignatureError::Untimely(_))));
    let longer = QUERY.replace("Expires=60", "Expires=600");
    assert_eq!(checked(&longer, 0), Err(SignatureError::Mismatch));
    let too_long = QUERY.replace("Expires=60", "Expires=604801");
    assert!(matches!(checked(&too_long, 0), Err(SignatureError::Incomplete(_))));
}
