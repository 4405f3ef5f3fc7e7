//! `customer_context` as two processes over one Redis server.

use crate::limit::until;
use crate::program::{program, run};
use crate::server::Server;
use crate::service::Service;
use serde_json::{Value, json};
use std::thread;

#[test]
fn a_context_is_what_the_agent_has_to_know() {
    let service = Service::start(&["--latency", "0"]);
    let support = service.context("cust_20/support");
    assert_eq!((&support["customer"], &support["agent"]), (&"cust_20".into(), &"support".into()));
    assert_eq!(support["profile"]["plan"], "enterprise");
    assert!(!support["tickets"].as_array().unwrap().is_empty(), "{support}");
    assert_eq!(support["invoices"], Value::Array(Vec::new()));
    let billing = service.context("cust_20/billing");
    assert_eq!(billing["invoices"].as_array().unwrap().len(), 3, "{billing}");
    let conversation = service.context("cust_20/support/conv_2");
    assert_eq!(conversation["context"], support);
    assert_eq!(conversation["messages"].as_array().unwrap().len(), 2, "{conversation}");
}

#[test]
fn what_one_process_has_looked_up_another_serves_without_asking_the_source() {
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| Service::over(&server));
    for of in ["cust_1/support", "cust_1/sales", "cust_2/billing", "cust_1/support/conv_1"] {
        assert_eq!(one.context(of), other.context(of), "of {of}");
        assert_eq!(one.context(of), other.context(of), "of {of}, once more");
    }
    // Two for each context, three for that of sales, and one for the conversation.
    assert_eq!((one.count("source_queries"), other.count("source_queries")), (8, 0));
}

#[test]
fn the_statistics_say_what_came_from_where() {
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| Service::over(&server));
    one.context("cust_1/support");
    for of in ["cust_1/support", "cust_1/support", "cust_2/billing"] {
        other.context(of);
    }
    let stats = other.stats();
    let wanted = json!({
        "l1_hits": 1,
        "l1_misses": 2,
        "l1_hit_rate": 33.3,
        "l2_hits": 1,
        "l2_misses": 1,
        "l2_hit_rate": 50.0,
        "overall_hit_rate": 66.7,
        "joins": 0,
        "computations": 1,
        "source_queries": 2,
        "degraded": 0,
    });
    for (field, wanted) in wanted.as_object().unwrap() {
        assert_eq!(&stats[field], wanted, "{field} in {stats}");
    }
    assert_eq!(stats["redis"]["state"], "connected");
    assert_eq!(stats["redis"]["pending_invalidations"], 0);
    let fresh = Service::over(&server).stats();
    assert_eq!((&fresh["l1_misses"], &fresh["overall_hit_rate"]), (&0.into(), &0.0.into()));
}

const ALL: [&str; 5] = [
    "cust_1/support",
    "cust_1/support/conv_1",
    "cust_1/billing",
    "cust_12/support",
    "cust_12/support/conv_1",
];

/// Invalidates something at one of two processes that have all of [`ALL`] in memory: both forget what
/// is wanted, and nothing else.
fn forgets(what: &str, wanted: &[&str]) {
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| Service::over(&server));
    let ask_all = |service: &Service| ALL.iter().for_each(|of| drop(service.context(of)));
    // The second round finds all in memory.
    for service in [&one, &other, &one, &other] {
        ask_all(service);
    }
    let hits = one.adds("l1_hits", || ask_all(&one)) + other.adds("l1_hits", || ask_all(&other));
    assert_eq!(hits, 2 * ALL.len() as u64);

    one.forget(what);
    for of in ALL {
        let is_computed = || other.adds("computations", || drop(other.context(of))) > 0;
        if wanted.contains(&of) {
            until(&format!("{of} to be forgotten"), || is_computed().then_some(()));
        } else {
            assert!(!is_computed(), "{of} is forgotten with {what}");
        }
    }
    // Where it was invalidated none is left from before, but there is what the other has looked up.
    for of in ALL {
        let computed = one.adds("computations", || drop(one.context(of)));
        assert_eq!(computed, 0, "of {of} after {what}");
    }
    assert_eq!(one.count("l2_hits"), wanted.len() as u64, "{}", one.stats());
}

#[test]
fn a_customer_s_context_for_one_agent_is_forgotten_by_all_with_its_conversations() {
    forgets("/customers/cust_1/support", &["cust_1/support", "cust_1/support/conv_1"]);
}

#[test]
fn a_customer_is_forgotten_by_all() {
    forgets("/customers/cust_1", &["cust_1/support", "cust_1/support/conv_1", "cust_1/billing"]);
}

#[test]
fn what_a_pattern_matches_is_forgotten_by_all() {
    let support =
        ["cust_1/support", "cust_1/support/conv_1", "cust_12/support", "cust_12/support/conv_1"];
    forgets("/keys/context:*:support", &support);
    forgets("/keys/context:cust_1:*", &ALL[..3]);
    forgets("/keys/context:*:conv_1", &["cust_1/support/conv_1", "cust_12/support/conv_1"]);
}

#[test]
fn everything_is_forgotten_by_all() {
    forgets("", &ALL);
}

#[test]
fn many_who_ask_two_processes_for_the_same_at_once_cost_one_look_up() {
    let server = Server::start();
    let services = [(); 2].map(|()| Service::with_latency(&server, "100"));
    thread::scope(|scope| {
        for service in services.iter().cycle().take(16) {
            scope.spawn(|| service.context("cust_7/sales"));
        }
    });
    let count = |counter| services.iter().map(|service| service.count(counter)).sum::<u64>();
    assert_eq!((count("computations"), count("source_queries")), (1, 3));
}

#[test]
fn customers_of_a_plan_are_looked_up_before_anybody_asks() {
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| Service::over(&server));
    let warmed = one.ask("POST", "/cache/warm/enterprise");
    assert_eq!((&warmed.body["looked_up"], &warmed.body["failures"]), (&150.into(), &0.into()));
    other.context("cust_20/sales");
    other.context("cust_1000/billing");
    assert_eq!(other.count("source_queries"), 0);
    assert_eq!(one.ask("POST", "/cache/warm/golden").status, 400);
}

#[test]
fn while_redis_is_away_it_answers_and_says_so() {
    let server = Server::start();
    let service = Service::over(&server);
    let known = service.context("cust_1/support");
    server.kill();
    service.await_redis("unreachable");
    assert_eq!(service.context("cust_1/support"), known, "from memory");
    service.context("cust_2/support");
    assert_eq!(service.adds("source_queries", || drop(service.context("cust_2/support"))), 0);

    let answer = service.ask("DELETE", "/cache/customers/cust_1");
    assert_eq!((answer.status, &answer.body["everywhere"]), (202, &false.into()), "{answer:?}");
    let why = answer.body["pending"].as_str().unwrap();
    assert!(why.contains("no server can be reached"), "{why}");
    assert_eq!(service.stats()["redis"]["pending_invalidations"], 1);
    assert_eq!(service.adds("computations", || drop(service.context("cust_1/support"))), 1);

    server.start_again();
    service.await_redis("connected");
    until("the invalidation to be delivered", || {
        (service.stats()["redis"]["pending_invalidations"] == 0).then_some(())
    });
    let later = Service::over(&server);
    service.context("cust_3/support");
    assert_eq!(later.adds("computations", || drop(later.context("cust_3/support"))), 0);
}

#[test]
fn it_starts_without_redis_as_well() {
    let none = Service::start(&[]);
    none.context("cust_1/support");
    assert_eq!(none.stats()["redis"]["state"], "not configured");
    none.forget("");

    let server = Server::start();
    server.kill();
    let away = Service::start(&["--redis", &server.url()]);
    away.context("cust_1/support");
    assert_eq!(away.stats()["redis"]["state"], "unreachable");
    assert_eq!(away.adds("l1_hits", || drop(away.context("cust_1/support"))), 1);
    server.start_again();
    away.await_redis("connected");
}

#[test]
fn services_of_two_namespaces_share_nothing() {
    let server = Server::start();
    let one = Service::over(&server);
    let other = Service::start(&["--redis", &server.url(), "--namespace", "elsewhere"]);
    one.context("cust_1/support");
    other.context("cust_1/support");
    assert_eq!((one.count("computations"), other.count("computations")), (1, 1));
    one.forget("");
    assert_eq!(other.adds("l1_hits", || drop(other.context("cust_1/support"))), 1);
}

#[test]
fn it_ends_when_it_is_told_to_and_says_what_could_not_be_delivered() {
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| Service::over(&server));
    let (status, said) = one.end();
    assert_eq!((status.code(), &said[..]), (Some(0), "closed\n"));

    server.kill();
    other.await_redis("unreachable");
    other.ask("DELETE", "/cache");
    let (status, said) = other.end();
    assert_eq!((status.code(), &said[..]), (Some(1), ""));
}

#[test]
fn what_there_is_nothing_of_is_said() {
    let service = Service::start(&["--latency", "0"]);
    for (method, path, status, error) in [
        ("GET", "/customers/cust_0/support", 404, "there is no customer \"cust_0\""),
        ("GET", "/customers/cust_007/support", 404, "there is no customer \"cust_007\""),
        ("GET", "/customers/cust_7/support/conv_9", 404, "has no conversation \"conv_9\""),
        ("GET", "/customers/cust_7/chef", 400, "take one of support, billing, sales"),
        ("DELETE", "/cache/customers/cust_7/chef", 400, "there is no agent \"chef\""),
        ("DELETE", "/cache/keys/context:%5C", 400, "ends in a lone backslash"),
        ("GET", "/elsewhere", 404, "there is nothing here"),
    ] {
        let answer = service.ask(method, path);
        let said = answer.body["error"].as_str().unwrap();
        assert!(answer.status == status && said.contains(error), "{method} {path}: {answer:?}");
    }
}

#[test]
fn what_makes_no_sense_is_an_error_that_says_what_would() {
    for (options, error) in [
        (&["--port", "many"][..], "--port \"many\" can't be used; take a number from 0 to 65535"),
        (&["--latency", "-1"], "take a whole number of milliseconds"),
        (&["--port"], "--port what?"),
        (&["--help-me"], "there is no option \"--help-me\""),
    ] {
        let run = run("customer_context", options);
        assert_eq!(run.code, Some(2), "{options:?}");
        assert!(run.err.contains(error), "{}", run.err);
    }
    for (options, error) in [
        (["--redis", "localhost"], "it has to begin with `redis://`"),
        (["--namespace", "a/b"], "namespace \"a/b\" can't be used"),
    ] {
        let run = run("customer_context", options);
        assert_eq!(run.code, Some(1), "{options:?}");
        assert!(run.err.contains(error), "{}", run.err);
    }
    let mut command = program("customer_context", [""; 0]);
    let output = command.env("CONTEXT_PORT", "no").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr).unwrap().contains("CONTEXT_PORT \"no\" can't be used")
    );
    assert!(run("customer_context", ["--help"]).reports("usage:"));
}
