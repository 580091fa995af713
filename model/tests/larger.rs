//! The same models within wider bounds.

use larder_model::check::holds;
use larder_model::{echo, fill, invalidate, lease, reconnect, tag};

#[test]
#[ignore = "takes a minute or two, and gigabytes: cargo test -p larder-model --test larger -- --ignored --nocapture"]
fn within_wider_bounds() {
    let with = lease::Mechanisms::ALL;
    holds("lease, 4 processes", &lease::Lease { processes: 4, rounds: 3, deaths: 2, with });
    let with = invalidate::Mechanisms::ALL;
    holds("invalidate, 3 changes", &invalidate::Invalidate { loads: 3, versions: 3, with });
    let with = reconnect::Mechanisms::ALL;
    let reconnect = reconnect::Reconnect { versions: 3, breaks: 3, fails_over: true, with };
    holds("reconnect, 3 breaks and a failover", &reconnect);
    holds("echo, 3 changes", &echo::Echo { versions: 3, with: echo::Mechanisms::ALL });
    let with = tag::Mechanisms::ALL;
    holds("tag, 2 other tags", &tag::Tag { versions: 2, others: 2, fails_over: false, with });
    let with = fill::Mechanisms::ALL;
    holds("fill, 3 changes", &fill::Fill { nodes: 1, versions: 3, anybody: true, with });
}
