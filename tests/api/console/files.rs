//! The files of the console: which paths serve them, how they are kept, and what is not served.

use crate::support::appliance::Appliance;
use crate::support::client::{Answer, Client};
use crate::support::raw_http::{connect_tls, read_to_end};
use reqwest::Method;
use std::fs;
use std::io::Write;
use tempfile::TempDir;

/// The status line of the answer to a path that is sent as it stands: a client would leave `..` out of it.
fn status_of(appliance: &Appliance, path: &str) -> String {
    let mut stream = connect_tls(appliance);
    let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    read_to_end(&mut stream).lines().next().unwrap_or_default().to_owned()
}

/// The address of the build in a page.
fn assets(page: &Answer) -> String {
    let begin = page.text.find("/assets/").expect("the address of the files");
    page.text[begin..].split('/').take(3).collect::<Vec<_>>().join("/")
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map(|value| value.to_str().expect("text")).unwrap_or_default()
}

fn head(client: &Client, path: &str) -> Answer {
    client.send(Method::HEAD, path, None)
}

#[test]
fn every_path_but_those_of_the_api_answers_the_page() {
    let appliance = Appliance::start();
    let nobody = appliance.nobody();
    let page = nobody.get("/");
    assert_eq!((page.status, header(&page, "content-type")), (200, "text/html; charset=utf-8"));
    assert!(!page.text.contains("{assets}"), "{}", page.text);
    for path in ["/cckm/aws/keys", "/cckm/aws/keys/x?tab=policy", "/audit/records/7", "/a/../b", "/apis", "/index.html"]
    {
        let answer = nobody.get(path);
        assert_eq!((answer.status, &answer.text), (200, &page.text), "{path}");
    }
    let head = head(&nobody, "/cckm/aws/kms");
    assert_eq!((head.status, head.text.as_str(), header(&head, "etag")), (200, "", header(&page, "etag")));
    for path in [
        "/api",
        "/api/",
        "/api/v2/x",
        "/api/v1/nothing",
        "/assets",
        "/assets/x",
        "/healthz/x",
        "/metrics/x",
        "/readyz/x",
    ] {
        nobody.get(path).refused(404, "NCERRResourceNotFound");
    }
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        nobody.send(method, "/cckm/aws/keys", None).refused(404, "NCERRResourceNotFound");
    }
    assert_eq!(nobody.get("/healthz").expect(200)["status"], "ok");
}

#[test]
fn the_files_of_a_build_are_kept_for_ever_and_the_page_is_asked_for_each_time() {
    let appliance = Appliance::start();
    let nobody = appliance.nobody();
    let page = nobody.get("/");
    assert_eq!(header(&page, "cache-control"), "no-cache");
    let tag = header(&page, "etag").to_owned();
    for listed in [tag.clone(), format!("\"other\", {tag}"), "*".to_owned()] {
        let again = nobody.with_header("if-none-match", &listed).get("/");
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{listed}");
    }
    assert_eq!(nobody.with_header("if-none-match", "\"other\"").get("/").status, 200);

    let script = format!("{}/app/main.js", assets(&page));
    let plain = nobody.get(&script);
    assert_eq!((plain.status, header(&plain, "content-type")), (200, "text/javascript; charset=utf-8"));
    assert_eq!(header(&plain, "cache-control"), "public, max-age=31536000, immutable");
    let again = nobody.with_header("if-none-match", header(&plain, "etag")).get(&script);
    assert_eq!(again.status, 304);
    assert_eq!(header(&again, "cache-control"), "public, max-age=31536000, immutable");
    let size = head(&nobody, &script);
    assert_eq!((size.status, size.text.as_str()), (200, ""));
}

#[test]
fn clients_that_take_brotli_get_it() {
    let appliance = Appliance::start();
    let nobody = appliance.nobody();
    let style = format!("{}/style/tokens.css", assets(&nobody.get("/")));
    let plain = nobody.get(&style);
    assert_eq!((plain.status, header(&plain, "content-encoding")), (200, ""));
    for (accepted, encoding) in [("gzip, deflate, br, zstd", "br"), ("gzip", ""), ("br;q=0, gzip", "")] {
        let answer = head(&nobody.with_header("accept-encoding", accepted), &style);
        assert_eq!((answer.status, header(&answer, "content-encoding")), (200, encoding), "{accepted}");
        assert_eq!(header(&answer, "vary"), "accept-encoding");
        assert_eq!(header(&answer, "etag"), header(&plain, "etag"));
    }
}

#[test]
fn the_page_names_the_modules_that_it_needs() {
    let appliance = Appliance::start();
    let nobody = appliance.nobody();
    let page = nobody.get("/");
    let app = format!("{}/app", assets(&page));
    let main = nobody.get(&format!("{app}/main.js")).text;
    let imported: Vec<_> = main.split(" from './").skip(1).filter_map(|rest| rest.split('\'').next()).collect();
    assert!(!imported.is_empty());
    for path in imported {
        assert!(page.text.contains(&format!("<link rel=\"modulepreload\" href=\"{app}/{path}\">")), "{path}");
        assert_eq!(head(&nobody, &format!("{app}/{path}")).status, 200, "{path}");
    }
}

#[test]
fn nothing_inline_runs_and_nothing_comes_from_elsewhere() {
    let appliance = Appliance::start();
    let nobody = appliance.nobody();
    let page = nobody.get("/");
    let script = nobody.get(&format!("{}/app/main.js", assets(&page)));
    let icon = nobody.get(&format!("{}/icon.svg", assets(&page)));
    for answer in [&page, &icon] {
        let policy = header(answer, "content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.split("; ").any(|given| given == part), "{part} in {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        assert_eq!(header(answer, "referrer-policy"), "no-referrer");
        assert_eq!(header(answer, "cross-origin-opener-policy"), "same-origin");
        assert!(header(answer, "permissions-policy").contains("camera=()"));
    }
    for answer in [&page, &script, &icon] {
        assert_eq!(header(answer, "cross-origin-resource-policy"), "same-origin");
    }
    for inline in ["<style", " style=", " onload=", " onclick=", "javascript:", "http://", "https://"] {
        assert!(!page.text.contains(inline), "{inline} in {}", page.text);
    }
    assert!(
        page.text
            .split("<script")
            .skip(1)
            .all(|script| script.split('>').next().is_some_and(|tag| tag.contains("src=")))
    );
    let api = appliance.admin().get("/v1/auth/self/user");
    for answer in [&page, &script, &api, &nobody.get("/api/v1/nothing")] {
        assert_eq!(header(answer, "x-content-type-options"), "nosniff");
        // The certificate is the program's own.
        assert_eq!(header(answer, "strict-transport-security"), "");
    }
    assert_eq!(header(&api, "cache-control"), "no-store");
}

#[test]
fn browsers_are_held_to_https_only_with_a_certificate_of_the_operators() {
    let home = TempDir::new().expect("a directory");
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    let (certificate, key) = (home.path().join("own.crt"), home.path().join("own.key"));
    fs::write(&certificate, made.cert.pem()).expect("written");
    fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("set");
    let (pem, key) = (made.cert.pem(), key.display().to_string());
    let certificate = certificate.display().to_string();
    let appliance =
        Appliance::start_in(home, &[("CLAVIGER_TLS_CERTIFICATE", &certificate), ("CLAVIGER_TLS_PRIVATE_KEY", &key)]);
    let nobody = Client::nobody(&appliance.api, pem.as_bytes());
    for path in ["/", "/healthz", "/api/v1/nothing"] {
        assert_eq!(header(&nobody.get(path), "strict-transport-security"), "max-age=31536000", "{path}");
    }
}

#[test]
fn only_the_files_of_this_build_are_served() {
    let appliance = Appliance::start();
    let nobody = appliance.nobody();
    let assets = assets(&nobody.get("/"));
    for path in [
        "/app/nothing.js",
        "/app",
        "/index.html",
        "/app/../index.html",
        "/..%2f..%2fCargo.toml",
        "/app/main.js/x",
        "/app/main.js%00",
        "/vendor/lock.json",
        "//etc/passwd",
        "/app%2fmain.js%3f",
    ] {
        nobody.get(&format!("{assets}{path}")).refused(404, "NCERRResourceNotFound");
    }
    for build in ["unbuilt", "0", "00000000000000000000000000000000", "*"] {
        nobody.get(&format!("/assets/{build}/app/main.js")).refused(404, "NCERRResourceNotFound");
    }
    for path in ["app/../index.html", "../../Cargo.toml", "%2e%2e/%2e%2e/Cargo.toml"] {
        let status = status_of(&appliance, &format!("{assets}/{path}"));
        assert!(status.contains(" 404 "), "{path}: {status}");
    }
    nobody.post(&format!("{assets}/app/main.js"), serde_json::json!({})).refused(404, "NCERRResourceNotFound");
}

#[test]
fn a_console_in_development_is_read_from_its_directory_and_nothing_beside_it() {
    let web = TempDir::new().expect("a directory");
    let root = web.path().join("web");
    fs::create_dir_all(root.join("app")).expect("made");
    fs::write(web.path().join("secret.js"), "secret").expect("written");
    fs::write(root.join("index.html"), "<script src=\"{assets}/app/main.js\"></script>").expect("written");
    fs::write(root.join("app/main.js"), "one").expect("written");
    fs::write(root.join("app/.hidden.js"), "secret").expect("written");
    fs::write(root.join("app/main.test.js"), "secret").expect("written");
    let directory = root.display().to_string();
    let appliance = Appliance::start_with(&[("CLAVIGER_CONSOLE_DIRECTORY", &directory)]);
    let nobody = appliance.nobody();
    let assets = assets(&nobody.get("/"));
    let script = format!("{assets}/app/main.js");
    let first = nobody.get(&script);
    assert_eq!((first.text.as_str(), header(&first, "cache-control")), ("one", "no-cache"));
    fs::write(root.join("app/main.js"), "two").expect("written");
    assert_eq!(nobody.get(&script).text, "two");
    assert!(status_of(&appliance, &script).contains(" 200 "));
    for path in [
        "app/../../secret.js",
        "app/..%2f../secret.js",
        "app/%2e%2e/%2e%2e/secret.js",
        "../secret.js",
        "..%2fsecret.js",
        "%252e%252e/secret.js",
        "app/.hidden.js",
        "app/main.test.js",
        "app/main.js%00",
        "/etc/hostname",
    ] {
        let status = status_of(&appliance, &format!("{assets}/{path}"));
        assert!(status.contains(" 404 "), "{path}: {status}");
    }
}

#[test]
fn without_the_console_every_path_but_those_of_the_api_is_unknown() {
    let appliance = Appliance::start_with(&[("CLAVIGER_CONSOLE_ENABLED", "false")]);
    for path in ["/", "/cckm/aws/keys", "/assets/unbuilt/app/main.js"] {
        appliance.nobody().get(path).refused(404, "NCERRResourceNotFound");
    }
    appliance.admin().get("/v1/auth/self/user").expect(200);
}
