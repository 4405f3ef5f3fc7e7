//! What is said of the tier, in code and in the environment.

use crate::server::Server;
use larder::{ErrorKind, Runtime, cached};
use std::process::Command;
use std::time::Duration;

/// Tells a process that it is the other one of a test.
const ROLE: &str = "LARDER_TEST_SETTINGS";

#[cached(tier = "l1,l3", name = "settings::triple")]
fn triple(number: u64) -> u64 {
    number * 3
}

#[test]
fn what_is_said_in_code_and_can_not_be_used_is_an_error_that_names_it() {
    let build = |builder: larder::Builder| builder.build().unwrap_err();
    let at = || Runtime::builder().redis("redis://127.0.0.1:1");
    for (error, words) in [
        (build(Runtime::builder().redis("localhost")), "redis can't be used"),
        (build(at().redis_deadline(Duration::ZERO)), "redis_deadline 0ns"),
        (build(at().coherence_bound(Duration::from_millis(1))), "coherence_bound 1ms"),
        (build(at().namespace("a/b")), "namespace \"a/b\""),
    ] {
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(words), "{error}");
    }
}

/// Runs this program once more, with a role and an environment.
fn other(role: &str, environment: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["settings::the_other_process", "--exact", "--nocapture"]).env(ROLE, role);
    let output = command.envs(environment.iter().copied()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    text
}

#[test]
fn the_environment_says_it_where_the_code_does_not() {
    let server = Server::start();
    let url = server.url();
    let said = other("call", &[("LARDER_REDIS_URL", &*url), ("LARDER_NAMESPACE", "elsewhere")]);
    assert!(said.contains("stored 1"), "{said}");
    let keys = server.command(&["KEYS", "larder:elsewhere:v:*"]).array();
    assert_eq!(keys.len(), 1);
}

#[test]
fn what_the_environment_says_and_can_not_be_used_is_an_error_that_names_it() {
    let url = ("LARDER_REDIS_URL", "redis://127.0.0.1:1");
    for (variable, value) in [
        ("LARDER_REDIS_URL", "redis//"),
        ("LARDER_NAMESPACE", "a b"),
        ("LARDER_REDIS_DEADLINE", "soon"),
        ("LARDER_COHERENCE_BOUND", "1ms"),
        ("LARDER_ON_PARTITION", "wait"),
        ("LARDER_ON_FAILOVER", "hot"),
    ] {
        let said = other("build", &[url, (variable, value)]);
        let name = if variable == "LARDER_COHERENCE_BOUND" { "coherence_bound" } else { variable };
        assert!(said.contains("refused") && said.contains(name), "{variable}: {said}");
    }
}

#[test]
fn without_a_server_the_tier_is_absent_and_everything_else_works() {
    let said = other("call", &[("LARDER_REDIS_URL", "")]);
    assert!(said.contains("stored 0") && said.contains("hits 1"), "{said}");
}

#[test]
fn the_other_process() {
    match std::env::var(ROLE).as_deref() {
        Ok("call") => {
            assert_eq!((triple(1), triple(1)), (3, 3));
            let stats = triple::stats();
            println!("stored {}, hits {}", stats.stores_l3, stats.hits);
        }
        Ok("build") => match Runtime::builder().build() {
            Ok(_) => println!("built"),
            Err(error) => println!("refused: {error}"),
        },
        _ => {}
    }
}
