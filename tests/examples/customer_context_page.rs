//! The page of `customer_context`, as a browser has it.

use crate::browser::{self, dom, screenshot};
use crate::limit::until;
use crate::server::Server;
use crate::service::Service;
use serde_json::Value;
use std::time::Duration;
use std::{env, fs};

impl Service {
    fn page(&self) -> String {
        format!("http://127.0.0.1:{}/api/v1/context/cache/page", self.port)
    }

    /// The page, and the statistics of the moment.
    fn page_and_stats(&self) -> (String, Value) {
        until("nothing to happen in between", || {
            let before = self.stats();
            let page = dom(&self.page());
            (before == self.stats()).then_some((page, before))
        })
    }
}

/// Asks for some of everything: what is computed, what is in memory, in Redis, and nowhere.
fn use_all(server: &Server) -> Service {
    let [one, other] = [(); 2].map(|()| Service::over(server));
    for of in ["cust_20/support", "cust_1/sales", "cust_3/billing"] {
        one.context(of);
    }
    for of in ["cust_20/support", "cust_20/support/conv_1", "cust_20/support", "cust_2/sales"] {
        other.context(of);
        other.context(of);
    }
    assert_eq!(other.ask("GET", "/customers/cust_0/support").status, 404);
    other
}

/// What stands between the tags.
fn text(html: &str) -> String {
    let pieces = html.split('<').map(|piece| piece.split_once('>').map_or(piece, |it| it.1));
    pieces.collect::<String>().trim().to_owned()
}

/// What stands in the element of that name.
fn element(page: &str, id: &str) -> String {
    let (_, rest) = page
        .split_once(&format!(" id=\"{id}\""))
        .unwrap_or_else(|| panic!("nothing is {id} in {page}"));
    let (_, rest) = rest.split_once('>').unwrap();
    text(rest.split_once("</td>").unwrap().0)
}

/// The cells of the row that has that heading.
fn row(page: &str, heading: &str) -> Vec<String> {
    let heading = format!("<th scope=\"row\">{heading}</th>");
    let (_, rest) =
        page.split_once(&heading).unwrap_or_else(|| panic!("no row {heading} in {page}"));
    let (row, _) = rest.split_once("</tr>").unwrap();
    row.split("</td>").map(text).filter(|cell| !cell.is_empty()).collect()
}

/// As a person reads it.
fn written(number: &Value) -> String {
    match number.as_u64() {
        Some(count) => count.to_string(),
        None => format!("{:.1} %", number.as_f64().unwrap()),
    }
}

const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/customer_context/page.png");

#[test]
fn the_page_says_what_the_statistics_say() {
    let server = Server::start();
    let (page, stats) = use_all(&server).page_and_stats();
    for (name, value) in stats.as_object().unwrap().iter().filter(|it| it.1.is_number()) {
        assert_eq!(element(&page, name), written(value), "{name} in {stats}");
    }
    for name in ["connections", "pending_invalidations"] {
        let id = format!("redis_{name}");
        assert_eq!(element(&page, &id), written(&stats["redis"][name]), "{name} in {stats}");
    }
    assert_eq!(element(&page, "redis_state"), "connected");
    assert_eq!(element(&page, "redis_servers"), format!("127.0.0.1:{}", server.port()));
    // Not only the same, but what happened.
    for (id, wanted) in [("l1_hits", "6"), ("l2_hits", "1"), ("computations", "3")] {
        assert_eq!(element(&page, id), wanted, "{id} in {stats}");
    }
}

#[test]
fn the_page_has_a_bar_for_each_rate() {
    let server = Server::start();
    let (page, stats) = use_all(&server).page_and_stats();
    for (name, class) in
        [("l1_hit_rate", "memory"), ("l2_hit_rate", "redis"), ("overall_hit_rate", "both")]
    {
        let bar =
            format!("<rect class=\"{class}\" width=\"{:.1}%\"", stats[name].as_f64().unwrap());
        assert!(page.contains(&bar), "no {bar} in {page}");
    }
}

#[test]
fn the_page_has_a_row_for_each_function() {
    let server = Server::start();
    let (page, stats) = use_all(&server).page_and_stats();
    let functions = stats["functions"].as_array().unwrap();
    let names: Vec<_> = functions.iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["context", "conversation"]);
    let time = |milliseconds: f64| format!("{:.1?}", Duration::from_secs_f64(milliseconds / 1e3));
    let spans = |it: &Value| it.as_f64().map_or("none".to_owned(), time);
    for function in functions {
        let fields =
            ["hit_rate", "l1_hits", "l2_hits", "misses", "computations", "failures", "entries"];
        let mut wanted = fields.map(|field| written(&function[field])).to_vec();
        wanted.extend(["p50_ms", "p99_ms"].map(|field| spans(&function[field])));
        assert_eq!(row(&page, function["name"].as_str().unwrap()), wanted, "{function}");
    }
    let sums = ["misses", "failures"].map(|it| functions[0][it].as_u64().unwrap());
    assert_eq!(sums, [2, 1], "cust_2 and cust_0 had to be looked up: {stats}");
}

#[test]
fn the_page_is_whole_without_scripts_and_anything_from_elsewhere() {
    let page = dom(&Service::start(&[]).page());
    for part in [
        "<!DOCTYPE html>",
        "<html lang=\"en\">",
        "<title>Customer context: what the cache does</title>",
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
        "<meta http-equiv=\"refresh\" content=\"5\">",
        "<h1>",
        "<caption>",
        "<th scope=\"col\">",
        "prefers-color-scheme: dark",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    for part in
        ["<script", "<link", "<img", "<iframe", "src=", "url(", "@import", "http:", "https:"]
    {
        assert!(!page.contains(part), "{part} in {page}");
    }
    assert_eq!(page.matches("<table").count(), page.matches("<caption>").count());
    assert_eq!(element(&page, "redis_state"), "not configured");
    assert_eq!(element(&page, "overall_hit_rate"), "0.0 %");
}

#[test]
fn what_is_printed_from_data_is_text_to_a_browser() {
    let socket = "/nowhere/<i id='planted'>&amp;\"";
    let service = Service::start(&["--redis", &format!("unix://{socket}")]);
    let servers = &service.stats()["redis"]["servers"];
    assert_eq!(servers[0], socket);
    let page = dom(&service.page());
    // As the browser writes text that is no markup.
    assert!(page.contains("/nowhere/&lt;i id='planted'&gt;&amp;amp;\""), "{page}");
    assert!(!page.contains("<i id="), "{page}");
    assert_eq!(element(&page, "redis_state"), "unreachable");
}

/// What it looks like is kept beside the example, where `UPDATE_PAGE` says so.
#[test]
fn the_page_can_be_seen() {
    let server = Server::start();
    let seen = screenshot(&use_all(&server).page());
    if env::var_os("UPDATE_PAGE").is_some() {
        fs::write(PICTURE, &seen).unwrap();
    }
    let blank = screenshot("about:blank");
    // The bars of what came from memory, from Redis, and from neither.
    for colour in [[0x1b, 0x7f, 0x5c], [0x2f, 0x6f, 0xc4], [0xc9, 0x78, 0x2a]] {
        let [seen, blank, kept] = [&seen, &blank, &fs::read(PICTURE).unwrap()]
            .map(|picture| browser::dots(picture, colour));
        assert_eq!([seen.0, blank.0, kept.0], [browser::SIZE; 3]);
        assert!(seen.1 > 500 && kept.1 > 500, "{} and {} dots of {colour:x?}", seen.1, kept.1);
        assert_eq!(blank.1, 0);
    }
}
