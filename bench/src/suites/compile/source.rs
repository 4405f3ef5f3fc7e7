//! The text of the programs: functions of several shapes, and a `main` that calls all of them.

use super::kind::Kind;
use std::fmt::Write;

/// A signature with a body, and how it is called.
struct Shape {
    /// What `cached` needs to be told where an argument is borrowed.
    key: &'static str,
    function: &'static str,
    call: &'static str,
}

/// `#` stands for the function's number.
const SHAPES: [Shape; 6] = [
    Shape {
        key: "",
        function: "fn f#(id: u64) -> u64 { id.wrapping_mul(#) ^ 7 }",
        call: "f#(seed)",
    },
    Shape {
        key: ", key = \"String\", convert = { name.to_owned() }",
        function: "fn f#(name: &str) -> String { format!(\"{name}, #\") }",
        call: "f#(&name).len() as u64",
    },
    Shape {
        key: ", key = \"(u64, String)\", convert = { (id, name.to_owned()) }",
        function: "fn f#(id: u64, name: &str) -> String { format!(\"{name}, {id}, #\") }",
        call: "f#(seed, &name).len() as u64",
    },
    Shape {
        key: "",
        function: "fn f#(id: u64) -> Result<u64, String> { \
                   id.checked_mul(#).ok_or_else(|| format!(\"{id} is too much for #\")) }",
        call: "f#(seed).unwrap_or(0)",
    },
    Shape {
        key: "",
        function: "async fn f#(id: u64) -> u64 { ready(id).await.wrapping_mul(#) ^ 7 }",
        call: "finish(f#(seed))",
    },
    Shape {
        key: "",
        function: "async fn f#(id: u64, name: String) -> Result<String, String> { \
                   if ready(id).await < # { Ok(name) } else { Err(format!(\"{name}, #\")) } }",
        call: "finish(f#(seed, name.clone())).map_or(0, |it| it.len() as u64)",
    },
];

const FRAME: &str = "\
use std::future::{Future, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

fn finish<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!(\"nothing here waits\"),
    }
}
";

/// A program of so many functions; none for a program that does nothing.
pub(super) fn program(kind: Kind, functions: usize) -> String {
    if functions == 0 {
        return "fn main() {}\n".to_owned();
    }
    let mut text = FRAME.to_owned();
    let mut calls = String::new();
    for (number, shape) in (1..=functions).zip(SHAPES.iter().cycle()) {
        let numbered = |text: &str| text.replace('#', &number.to_string());
        let attribute = match kind {
            Kind::Larder => "#[larder::cached(ttl = \"1h\", capacity = 1_000)]".to_owned(),
            Kind::Cached => format!(
                "#[cached::macros::cached(max_size = 1_000, ttl_secs = 3_600{})]",
                shape.key
            ),
            Kind::Bare => String::new(),
        };
        write!(text, "\n{attribute}\n{}\n", numbered(shape.function)).expect(TO_A_STRING);
        writeln!(calls, "    sum = sum.wrapping_add({});", numbered(shape.call))
            .expect(TO_A_STRING);
    }
    write!(
        text,
        "\nfn main() {{\n    let seed = std::env::args().count() as u64;\n    \
         let name = seed.to_string();\n    let mut sum = 0_u64;\n{calls}    println!(\"{{sum}}\");\n}}\n",
    )
    .expect(TO_A_STRING);
    text
}

const TO_A_STRING: &str = "writing to a string does not fail";
