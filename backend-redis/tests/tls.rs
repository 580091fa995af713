//! TLS, with an authority that the test makes: whom larder trusts, and what it shows.
#![cfg(feature = "tls")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use backend_redis::{Redis, RedisBuilder};
use cache_core::{Cache, ErrorKind, Kind, Lifetime, Set, Value};
use common::{Server, free_port, wait};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

const MINUTE: Lifetime = Lifetime { fresh: Duration::from_secs(60), total: Duration::from_secs(60) };

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
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        // Another one than the authority's, or it would be taken for one that has signed itself.
        params.distinguished_name.push(DnType::CommonName, name);
        Identity(params.signed_by(&key, &self.0).expect("signed").pem(), key.serialize_pem())
    }
}

/// A Redis that is called `name` and asks its clients for a certificate, if `strict`; where it is.
fn start(authority: &Authority, name: &str, strict: bool) -> (Server, String) {
    let dir = std::env::temp_dir().join(format!("larder-tls-{}-{}", std::process::id(), free_port()));
    std::fs::create_dir_all(&dir).expect("a folder");
    let Identity(certificate, key) = authority.signs(name);
    let write = |file: &str, pem: &str| {
        let path = dir.join(file);
        std::fs::write(&path, pem).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let (ca, certificate) = (write("ca.pem", &authority.1), write("cert.pem", &certificate));
    let (key, port) = (write("key.pem", &key), free_port());
    let server = Server::start(&[
        "--tls-port",
        &port.to_string(),
        "--tls-ca-cert-file",
        &ca,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-auth-clients",
        if strict { "yes" } else { "no" },
    ]);
    // It has read them.
    std::fs::remove_dir_all(&dir).expect("removed");
    (server, format!("rediss://localhost:{port}/"))
}

fn connect(builder: RedisBuilder) -> Redis {
    let patient = builder.connect_timeout(Duration::from_secs(10)).response_timeout(Duration::from_secs(10));
    wait(patient.connect()).expect("a handle")
}

fn works(redis: &Redis) {
    let stored = redis.set("k", Value::new(Arc::new("v".to_owned())), Set::new(MINUTE)).wait();
    stored.unwrap_or_else(|error| panic!("{error}"));
    assert!(redis.get("k", Kind::of::<String>()).wait().expect("read").is_some());
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
