//! A server that is spoken to by TLS, by a user who may do some things, in another database.

use crate::port::Port;
use crate::server::Server;
use larder::{Runtime, cached};
use rcgen::{CertificateParams, KeyPair};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Tells a process that it is the other one of a test, and where the server is.
const URL: &str = "LARDER_TEST_SECRECY";

#[cached(tier = "l3", name = "secrecy::half")]
fn half(number: u64) -> u64 {
    number / 2
}

/// A certificate for this machine, signed by itself, and its key.
fn certificate(folder: &Path) -> [String; 2] {
    let key = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    let files = ["certificate.pem", "key.pem"].map(|name| folder.join(name));
    fs::write(&files[0], certificate.pem()).unwrap();
    fs::write(&files[1], key.serialize_pem()).unwrap();
    files.map(|file| file.to_str().unwrap().to_owned())
}

/// A server that is spoken to by TLS at one port, and without at its own.
fn secret_server([certificate, key]: &[String; 2]) -> (Server, Port) {
    let port = Port::free();
    let number = port.number().to_string();
    let files = ["--tls-cert-file", certificate, "--tls-key-file", key];
    let arguments = [&["--tls-port", &number, "--tls-auth-clients", "no"], &files[..]].concat();
    (Server::with(&arguments), port)
}

/// Calls from a process that trusts a certificate.
fn call(url: &str, trusted: &str) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["secrecy::the_other_process", "--exact", "--nocapture"]).env(URL, url);
    let output = command.env("SSL_CERT_FILE", trusted).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_server_is_spoken_to_in_secret_and_by_a_user_with_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let files = certificate(folder.path());
    let (server, port) = secret_server(&files);
    server.command(&["ACL", "SETUSER", "cache", "on", ">p@ss", "~larder:*", "+@all"]);
    let url = |scheme: &str, password: &str, port: u16| {
        format!("{scheme}://cache:{password}@localhost:{port}/3")
    };
    let said = call(&url("rediss", "p%40ss", port.number()), &files[0]);
    assert!(said.contains("stored 1"), "{said}");
    let said = call(&url("redis", "p%40ss", server.port()), &files[0]);
    assert!(said.contains("found 1"), "{said}");
    let said = call(&url("redis", "wrong", server.port()), &files[0]);
    assert!(said.contains("stored 0, found 0"), "{said}");
    assert!(!said.contains("wrong"), "{said}");
}

#[test]
fn a_server_that_nobody_vouches_for_is_not_spoken_to() {
    let folder = tempfile::tempdir().unwrap();
    let another = tempfile::tempdir().unwrap();
    let [trusted, _] = certificate(another.path());
    let (_server, port) = secret_server(&certificate(folder.path()));
    let number = port.number();
    let said = call(&format!("rediss://localhost:{number}"), &trusted);
    assert!(said.contains("stored 0, found 0"), "{said}");
}

#[test]
fn the_other_process() {
    let Ok(url) = std::env::var(URL) else { return };
    let runtime = Runtime::builder().redis(&url).build().unwrap();
    assert!(!format!("{runtime:?}").contains("p@ss"));
    runtime.with(|| assert_eq!(half(8), 4));
    let stats = runtime.with(half::stats);
    println!("stored {}, found {}", stats.stores_l3, stats.hits_l3);
}
