//! TLS, with an authority that the test makes: whom larder trusts, and what it shows.
#![cfg(feature = "tls")]

mod common;

use std::path::{Path, PathBuf};
use std::time::Duration;

use backend_redis::{Redis, RedisBuilder};
use cache_core::{Cache, ErrorKind};
use common::plain::{put, there};
use common::{Server, free_port, patient, wait};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// An authority: what it signs by, and its certificate as PEM.
struct Authority(Issuer<'static, KeyPair>, String);

/// A certificate and its key, as PEM.
struct Identity(String, String);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("signed").pem();
        Self(Issuer::new(params, key), pem)
    }

    fn signs(&self, name: &str) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new([name.to_owned(), "127.0.0.1".to_owned()]).expect("names");
        // Another one than the authority's, or it would be taken for one that has signed itself.
        params.distinguished_name.push(DnType::CommonName, name);
        Identity(params.signed_by(&key, &self.0).expect("signed").pem(), key.serialize_pem())
    }
}

/// What a server needs: whom it trusts, its certificate and its key; each with what it is called in its settings.
fn papers(authority: &Authority, name: &str, dir: &Path) -> Vec<(&'static str, String)> {
    let Identity(certificate, key) = authority.signs(name);
    let write = |what: &'static str, pem: &str| {
        let path = dir.join(what);
        std::fs::write(&path, pem).expect("written");
        (what, path.to_str().expect("UTF-8").to_owned())
    };
    vec![
        write("tls-ca-cert-file", &authority.1),
        write("tls-cert-file", &certificate),
        write("tls-key-file", &key),
    ]
}

/// A folder for them, as long as the test runs.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let dir = std::env::temp_dir().join(format!("larder-tls-{}-{}", std::process::id(), free_port()));
        std::fs::create_dir_all(&dir).expect("a folder");
        Self(dir)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A Redis that is called `name` and asks its clients for a certificate, if `strict`; where it is.
fn start(authority: &Authority, name: &str, strict: bool) -> (Server, String) {
    let (server, port) = start_with(authority, name, strict, &[]);
    (server, format!("rediss://localhost:{port}/"))
}

fn start_with(authority: &Authority, name: &str, strict: bool, rest: &[&str]) -> (Server, u16) {
    let (folder, port) = (Folder::new(), free_port());
    let papers = papers(authority, name, &folder.0);
    let papers: Vec<(String, &String)> =
        papers.iter().map(|(what, path)| (format!("--{what}"), path)).collect();
    let papers: Vec<&str> = papers.iter().flat_map(|(what, path)| [what.as_str(), path.as_str()]).collect();
    let number = port.to_string();
    let clients = ["--tls-port", &number, "--tls-auth-clients", if strict { "yes" } else { "no" }];
    // It has read them when it has started.
    (Server::start(&[&papers[..], &clients, rest].concat()), port)
}

fn connect(builder: RedisBuilder) -> Redis {
    wait(patient(builder).connect()).expect("a handle")
}

fn works(redis: &Redis) {
    put(redis, "k", "v").unwrap_or_else(|error| panic!("{error}"));
    assert!(there(redis, "k").expect("read"));
}

fn trouble(redis: &Redis) -> String {
    assert_eq!(redis.connection().connected_for, None, "it is not to be trusted");
    redis.troubles().wait().expect("words").concat()
}

#[test]
fn an_authority_of_ones_own() {
    let authority = Authority::new();
    let (_server, url) = start(&authority, "localhost", false);
    works(&connect(Redis::builder(&url).ca(authority.1.clone())));
    let stranger = connect(Redis::builder(&url).ca(Authority::new().1));
    assert!(trouble(&stranger).contains("certificate"), "{}", trouble(&stranger));
    let system = connect(Redis::builder(&url));
    assert!(!trouble(&system).is_empty(), "the system does not know the test's authority");
}

#[test]
fn another_name_is_not_trusted() {
    let authority = Authority::new();
    let (_server, url) = start(&authority, "elsewhere.example", false);
    let redis = connect(Redis::builder(&url).ca(authority.1.clone()));
    assert!(trouble(&redis).contains("not valid for name"), "{}", trouble(&redis));
}

#[test]
fn a_certificate_of_the_clients() {
    let authority = Authority::new();
    let (_server, url) = start(&authority, "localhost", true);
    let builder = || Redis::builder(&url).ca(authority.1.clone());
    let Identity(certificate, key) = authority.signs("larder");
    works(&connect(builder().client_certificate(certificate, key)));
    assert!(!trouble(&connect(builder())).is_empty(), "it asks for one");
    let Identity(certificate, key) = Authority::new().signs("larder");
    assert!(!trouble(&connect(builder().client_certificate(certificate, key))).is_empty(), "not its own");
}

#[test]
fn certificates_that_cannot_be() {
    let Identity(certificate, key) = Authority::new().signs("larder");
    let wrong = [
        Redis::builder("rediss://localhost/").ca("no PEM"),
        Redis::builder("rediss://localhost/").client_certificate(certificate.clone(), "no PEM"),
        Redis::builder("rediss://localhost/").client_certificate("no PEM", key.clone()),
        Redis::builder("redis://localhost/").ca(certificate.clone()),
    ];
    for builder in wrong {
        let error = wait(builder.connect()).expect_err("it cannot be");
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
        assert!(!format!("{error:?}").contains(&key[40..60]), "no key is shown");
    }
}

#[cfg(feature = "cluster")]
#[test]
fn a_cluster() {
    let authority = Authority::new();
    let bus = free_port().to_string();
    let rest = ["--cluster-enabled", "yes", "--tls-cluster", "yes", "--cluster-port", &bus];
    let (server, port) = start_with(&authority, "localhost", true, &rest);
    let url = format!("rediss://localhost:{port}/");
    redis::cmd("CLUSTER").arg(&["ADDSLOTSRANGE", "0", "16383"]).exec(&mut server.raw()).expect("given");
    let Identity(certificate, key) = authority.signs("larder");
    let builder = || Redis::cluster(&[&url]).ca(authority.1.clone());
    let redis = connect(builder().client_certificate(certificate, key));
    common::until("in use", Duration::from_secs(10), || redis.connection().connected_for.is_some());
    works(&redis);
    assert!(!trouble(&connect(builder())).is_empty(), "it asks for a certificate");
}

#[cfg(feature = "sentinel")]
#[test]
fn a_sentinel_and_its_master() {
    let (authority, folder, port) = (Authority::new(), Folder::new(), free_port());
    let (_master, at) = start_with(&authority, "localhost", true, &["--tls-replication", "yes"]);
    let mut config = format!("port 0\ntls-port {port}\ntls-replication yes\n");
    for (what, path) in papers(&authority, "localhost", &folder.0) {
        config += &format!("{what} {path}\n");
    }
    config += &format!("sentinel monitor main 127.0.0.1 {at} 1\n");
    let _sentinel = Server::sentinel(port, &config);
    let url = format!("rediss://localhost:{port}/");
    let Identity(certificate, key) = authority.signs("larder");
    let builder = || Redis::sentinel(&[&url], "main").ca(authority.1.clone());
    let redis = connect(builder().client_certificate(certificate, key));
    common::until("in use", Duration::from_secs(10), || redis.connection().connected_for.is_some());
    works(&redis);
    assert!(!trouble(&connect(builder())).is_empty(), "both ask for a certificate");
}
