//! Checkpoints go to each destination, as `claviger verify --checkpoint` takes them.

use super::{attributes, group, until};
use crate::support::appliance::{Appliance, program, run_to_end};
use crate::support::receiver::Receiver;
use crate::support::syslog_receiver::{Over, SyslogReceiver};
use serde_json::{Value, json};

/// Makes a checkpoint of a record of its own.
fn checkpoint(appliance: &Appliance, name: &str) -> Value {
    let admin = appliance.admin();
    group(&admin, name);
    admin.post("/v1/audit/checkpoints", json!({})).expect(201)
}

fn is_of(line: &str, checkpoint: &Value) -> bool {
    serde_json::from_str::<Value>(line).is_ok_and(|found| found == *checkpoint)
}

#[test]
fn checkpoints_arrive_at_each_destination_and_convince_the_verifier_there() {
    let outside = tempfile::tempdir().expect("a directory");
    let file = outside.path().join("audit.jsonl");
    let collector = Receiver::start();
    collector.answer_with(200);
    let url = collector.url();
    let settings =
        [("CLAVIGER_FORWARDING_FILE", file.to_str().expect("a path")), ("CLAVIGER_FORWARDING_OTLP_URL", url.as_str())];
    let mut appliance = Appliance::start_with(&settings);
    let before = checkpoint(&appliance, "before there is a receiver");
    let mut receiver = SyslogReceiver::start(Over::Tcp);
    let body = json!({"host": "127.0.0.1", "port": receiver.address.port(), "transport": "tcp"});
    appliance.admin().post("/v1/configs/syslogs", body).expect(201);
    let first = checkpoint(&appliance, "first");
    // The text after the mark of UTF-8.
    let line = |message: &String| message.split_once('\u{feff}').map(|(_, line)| line.to_owned());
    let has = |messages: &[String], one: &Value| messages.iter().filter_map(line).any(|line| is_of(&line, one));
    receiver.wait_until(|messages| has(messages, &first));
    // Also what was made while nobody received, and over a restart.
    receiver.stop();
    let second = checkpoint(&appliance, "second");
    appliance.kill();
    receiver.start_again();
    appliance.restart_with(&settings);
    let messages = receiver.wait_until(|messages| has(messages, &second));
    assert!(!has(&messages, &before), "from its own creation on");
    let begin = format!("[claviger@32473 checkpoint=\"{}\" hash=\"{}\"", second["number"], text(&second["hash"]));
    assert!(messages.iter().any(|message| message.contains(&begin) && message.starts_with("<134>1 ")), "{begin}");

    let all = [&before, &first, &second];
    let lines = until(|| {
        let text = std::fs::read_to_string(&file).expect("the file");
        let lines: Vec<_> =
            text.lines().filter(|line| line.contains("claviger_checkpoint")).map(str::to_owned).collect();
        all.iter().all(|one| lines.iter().any(|line| is_of(line, one))).then_some(lines)
    });
    until(|| {
        let bodies = collector.received().into_iter().map(|one| serde_json::from_slice(&one.body).expect("JSON"));
        let texts: Vec<_> = bodies.flat_map(|body: Value| attributes(&body, "claviger.record")).collect();
        let has = |one: &&Value| texts.iter().any(|value| is_of(value["stringValue"].as_str().unwrap_or(""), one));
        all.iter().all(has).then_some(())
    });

    let received = messages.iter().filter_map(line).filter(|line| line.contains("claviger_checkpoint"));
    for (name, lines) in [("syslog", received.collect::<Vec<_>>()), ("file", lines)] {
        let kept = outside.path().join(name);
        std::fs::write(&kept, lines.join("\n")).expect("written");
        let mut verify = program();
        verify.arg("verify").arg("--data").arg(appliance.data()).arg("--checkpoint").arg(&kept);
        let (code, said, error) = run_to_end(&mut verify);
        assert_eq!(code, Some(0), "{name}: {said}{error}");
        assert!(said.contains(&format!("{} checkpoint(s) fit it", lines.len())), "{name}: {said}");
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
